using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Training.Augmentation;

namespace FedSeg.Segmentation.Tests.Training.Augmentation;

public sealed class MirrorTests
{
    private static readonly Index3 Size = new(2, 2, 3);

    private static byte[] Numbers() => [.. Enumerable.Range(0, 12).Select(i => (byte)i)];

    [Theory]
    [InlineData(0, new byte[] { 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5 })]
    [InlineData(1, new byte[] { 3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8 })]
    [InlineData(2, new byte[] { 2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9 })]
    public void Flip_OneAxis_ReversesIt(int axis, byte[] expected)
    {
        var patch = Numbers();
        Mirror.Flip<byte>(patch, Size, axis);
        Assert.Equal(expected, patch);
    }

    [Fact]
    public void Apply_ManyPatches_FlipsHalfOfThemAlongAnAxis()
    {
        var random = new Random(3);
        var flipped = 0;
        for (var i = 0; i < 4000; i++)
        {
            byte[] labels = [0, 1];
            Mirror.Apply([0f, 1f], labels, new Index3(1, 1, 2), [2], random);
            flipped += labels[0];
        }

        Assert.Equal(2000, flipped, 5 * Math.Sqrt(4000 * 0.25));
    }

    [Fact]
    public void Apply_AllowedAxes_FlipsImageAndLabelsTogetherAndNoOtherAxis()
    {
        var seen = new HashSet<string>();
        for (var seed = 0; seed < 40; seed++)
        {
            var labels = Numbers();
            float[] image = [.. labels.Select(label => (float)label)];
            Mirror.Apply(image, labels, Size, [0, 2], new Random(seed));
            Assert.Equal(labels.Select(label => (float)label), image);
            seen.Add(string.Join(' ', labels));
        }

        Assert.Equal(4, seen.Count);
        Assert.DoesNotContain(seen, patch => patch.StartsWith("3 4 5", StringComparison.Ordinal));
    }
}
