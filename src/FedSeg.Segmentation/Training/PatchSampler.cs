using System.Collections.Immutable;
using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training.Augmentation;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// Draws the patches of each step: a case uniformly, in it a place. The last third of a batch (one of two) is centred on the foreground: a class uniformly among
/// those present, then a voxel of it; the others lie anywhere. Source: nnU-Net v2, oversampling 33 %. Every sample has draws of its own, made from the seed and the
/// sample's number in the whole training, so samples may be made in any order and on any thread.
/// </summary>
internal sealed class PatchSampler
{
    private const double ShareWithoutForeground = 0.67;

    private readonly IReadOnlyList<PreparedCase> _cases;
    private readonly Index3 _size;
    private readonly int _batchSize;
    private readonly ulong _seed;
    private readonly string _purpose;
    private readonly bool _augment;
    private readonly ImmutableArray<int> _mirroredAxes;

    public PatchSampler(IReadOnlyList<PreparedCase> cases, TrainingSchedule schedule)
    {
        ArgumentOutOfRangeException.ThrowIfZero(cases.Count, nameof(cases));
        _cases = cases;
        _size = new Index3(schedule.PatchVoxels[0], schedule.PatchVoxels[1], schedule.PatchVoxels[2]);
        _batchSize = schedule.Recipe.BatchSize;
        _seed = schedule.Seed;
        _purpose = schedule.Purpose;
        _augment = schedule.Recipe.Augmentation == AugmentationKind.Standard;
        _mirroredAxes = schedule.MirroredAxes;
    }

    /// <summary>The batch of a step; steps are counted from 0 over the whole training.</summary>
    public PatchBatch Batch(long step) => Assemble(_batchSize, i =>
    {
        var random = SeededRandom.Create(_seed, _purpose, step * _batchSize + i);
        return (_cases[random.Next(_cases.Count)], random);
    });

    /// <summary>
    /// Patches of one patient, for a private step: from any of its studies, the last third on the foreground. Their draws follow from the patient's own key, so that one
    /// patient more or less changes nobody else's patches: the accounting counts on it.
    /// </summary>
    public PatchBatch OfPatient(IReadOnlyList<PreparedCase> studies, int patches, long step)
    {
        var random = SeededRandom.Create(_seed, $"{_purpose} of {studies[0].PatientKey}", step);
        return Assemble(patches, _ => (studies[random.Next(studies.Count)], random));
    }

    private PatchBatch Assemble(int count, Func<int, (PreparedCase Source, Random Random)> choose)
    {
        var voxels = checked(_size.Z * _size.Y * _size.X);
        var images = new float[checked(count * voxels)];
        var labels = new byte[count * voxels];
        var firstOnForeground = (int)Math.Round(count * ShareWithoutForeground, MidpointRounding.AwayFromZero);
        var undrawn = new IReadOnlyList<byte>[count];
        for (var i = 0; i < count; i++)
        {
            var (source, random) = choose(i);
            undrawn[i] = source.Undrawn;
            Extract(source, i >= firstOnForeground, random, images.AsSpan(i * voxels, voxels), labels.AsSpan(i * voxels, voxels));
        }

        return new PatchBatch(images, labels, count, (_size.Z, _size.Y, _size.X)) { Undrawn = undrawn.All(classes => classes.Count == 0) ? null : undrawn };
    }

    private void Extract(PreparedCase source, bool onForeground, Random random, Span<float> image, Span<byte> labels)
    {
        var start = Start(source, onForeground, random);
        var spatial = _augment ? SpatialAugmentation.Draw(random, _size, source.Spacing) : SpatialAugmentation.None;
        spatial.Extract(source, start, _size, image, labels);
        if (_augment)
        {
            IntensityAugmentation.Apply(image, _size, random);
            Mirror.Apply(image, labels, _size, _mirroredAxes, random);
        }

        if (source.IsMasked) ClearOutside(image, labels);
    }

    /// <summary>Sets the surroundings of the body back to what they were, background and 0: no scanner changes them.</summary>
    private static void ClearOutside(Span<float> image, Span<byte> labels)
    {
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] == PreparedCase.Outside) (image[i], labels[i]) = (0, 0);
        }
    }

    /// <summary>The patch's first voxel in the image: inside where the image is larger, centred with a margin of nothing where it is smaller.</summary>
    internal Index3 Start(PreparedCase source, bool onForeground, Random random)
    {
        var centre = onForeground ? source.DrawForeground(random) : null;
        var image = source.Size;
        return new Index3(
            Start(image.Z, _size.Z, centre?.Z, random),
            Start(image.Y, _size.Y, centre?.Y, random),
            Start(image.X, _size.X, centre?.X, random));
    }

    private static int Start(int image, int patch, int? centre, Random random)
    {
        if (image <= patch) return -((patch - image) / 2);
        return centre is { } voxel ? Math.Clamp(voxel - patch / 2, 0, image - patch) : random.Next(image - patch + 1);
    }
}
