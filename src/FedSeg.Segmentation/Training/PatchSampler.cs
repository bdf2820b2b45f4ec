using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// Draws the patches of each step: a case uniformly, in it a place. The last third of a batch (one of two) is centred on the foreground: a class uniformly among
/// those present, then a voxel of it; the others lie anywhere. Source: nnU-Net v2, oversampling 33 %.
/// </summary>
internal sealed class PatchSampler
{
    private const double ShareWithoutForeground = 0.67;

    private readonly IReadOnlyList<PreparedCase> _cases;
    private readonly Index3 _size;
    private readonly int _batchSize;
    private readonly Random _random;

    public PatchSampler(IReadOnlyList<PreparedCase> cases, TrainingSchedule schedule)
    {
        ArgumentOutOfRangeException.ThrowIfZero(cases.Count, nameof(cases));
        _cases = cases;
        _size = new Index3(schedule.PatchVoxels[0], schedule.PatchVoxels[1], schedule.PatchVoxels[2]);
        _batchSize = schedule.Recipe.BatchSize;
        _random = SeededRandom.Create(schedule.Seed, "patches", schedule.FirstStep);
    }

    /// <summary>The next batch.</summary>
    public PatchBatch Next()
    {
        var voxels = checked(_size.Z * _size.Y * _size.X);
        var images = new float[checked(_batchSize * voxels)];
        var labels = new byte[_batchSize * voxels];
        var firstOnForeground = (int)Math.Round(_batchSize * ShareWithoutForeground, MidpointRounding.AwayFromZero);
        for (var i = 0; i < _batchSize; i++)
        {
            var source = _cases[_random.Next(_cases.Count)];
            var start = Start(source, onForeground: i >= firstOnForeground);
            var image = images.AsSpan(i * voxels, voxels);
            SpatialAugmentation.Draw(_random, source.Spacing).Extract(source, start, _size, image, labels.AsSpan(i * voxels, voxels));
            IntensityAugmentation.Apply(image, _random);
        }

        return new PatchBatch(images, labels, _batchSize, (_size.Z, _size.Y, _size.X));
    }

    /// <summary>The patch's first voxel in the image: inside where the image is larger, centred with a margin of nothing where it is smaller.</summary>
    internal Index3 Start(PreparedCase source, bool onForeground)
    {
        var centre = onForeground ? source.DrawForeground(_random) : null;
        var image = source.Size;
        return new Index3(
            Start(image.Z, _size.Z, centre?.Z),
            Start(image.Y, _size.Y, centre?.Y),
            Start(image.X, _size.X, centre?.X));
    }

    private int Start(int image, int patch, int? centre)
    {
        if (image <= patch) return -((patch - image) / 2);
        return centre is { } voxel ? Math.Clamp(voxel - patch / 2, 0, image - patch) : _random.Next(image - patch + 1);
    }
}
