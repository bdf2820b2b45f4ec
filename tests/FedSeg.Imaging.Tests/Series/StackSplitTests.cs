using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Series;

namespace FedSeg.Imaging.Tests.Series;

/// <summary>Series of 2 stacks of 3 slices each, told apart by one attribute.</summary>
public sealed class StackSplitTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stacks-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    public static TheoryData<string, string> Traits => new()
    {
        { "echo 2", nameof(Tags.EchoNumbers) },
        { "echo time 2", nameof(Tags.EchoTime) },
        { "b-value 2", nameof(Tags.DiffusionBValue) },
        { "temporal position 2", nameof(Tags.TemporalPositionIdentifier) },
        { "kernel 2", nameof(Tags.ConvolutionKernel) },
        { @"image type ORIGINAL\2", nameof(Tags.ImageType) },
        { "acquisition 2", nameof(Tags.AcquisitionNumber) },
        { "trigger time 2", nameof(Tags.TriggerTime) },
    };

    [Theory]
    [MemberData(nameof(Traits))]
    public void AssembleStacks_OneAttributeTellsStacksApart_SplitsAndNamesThem(string name, string tag)
    {
        Write(stacks: 2, (set, stack) => Mark(set, tag, stack + 1));

        var series = Assembled();

        Assert.Equal([3, 3], series.Stacks.Select(stack => Assert.IsType<SeriesOutcome.Usable>(stack.Outcome).Series.Slices.Count));
        Assert.Contains(name, series.Stacks.Select(stack => stack.Name));
        foreach (var stack in series.Stacks)
        {
            var usable = Assert.IsType<SeriesOutcome.Usable>(stack.Outcome).Series;
            var volume = VolumeReader.Read(usable, cancellationToken: TestContext.Current.CancellationToken);
            var first = stack.Name == name ? 3f : 0f;
            Assert.Equal([first, first + 1, first + 2], Enumerable.Range(0, 3).Select(z => volume.Voxels[z * 12]));
        }
    }

    [Fact]
    public void Assemble_SeveralStacks_IsNotGuessed()
    {
        Write(stacks: 2, (set, stack) => set.Numbers(Tags.EchoNumbers, stack + 1));

        var refused = Assert.IsType<SeriesOutcome.Refused>(
            SeriesAssembly.Assemble(
                Assert.Single(DicomFolder.Read(_directory, cancellationToken: TestContext.Current.CancellationToken).Images)));

        Assert.Equal(QuarantineReason.SeveralStacks, refused.Reason);
        Assert.Contains("echo 2", refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void AssembleStacks_NothingTellsDuplicatesApart_StaysRefused()
    {
        Write(stacks: 2, (_, _) => { });

        Assert.Equal(QuarantineReason.DuplicateSlices,
            Assert.IsType<SeriesOutcome.Refused>(Assert.Single(Assembled().Stacks).Outcome).Reason);
    }

    /// <summary>
    /// A helical scan may count its acquisition up half-way, and a gated one has a trigger time per slice: still one volume.
    /// </summary>
    [Fact]
    public void AssembleStacks_LooseTraitsWithinOneEvenStack_KeepItWhole()
    {
        var files = new SliceFiles(_directory);
        for (var i = 0; i < 6; i++)
        {
            var index = i;
            files.WriteAxial(i, i, set => set.Numbers(Tags.AcquisitionNumber, index / 3 + 1).Numbers(Tags.TriggerTime, index * 17));
        }

        Assert.Equal(6, Assert.IsType<SeriesOutcome.Usable>(Assert.Single(Assembled().Stacks).Outcome).Series.Slices.Count);
    }

    [Fact]
    public void Choose_SeveralUsableStacks_NamesThemAndTakesTheOneAskedFor()
    {
        Write(stacks: 2, (set, stack) => set.Numbers(Tags.EchoNumbers, stack + 1));
        var folder = DicomFolder.Read(_directory, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(QuarantineReason.SeveralStacks, Assert.IsType<SeriesOutcome.Refused>(VolumeChoice.Of(folder)).Reason);
        Assert.IsType<SeriesOutcome.Usable>(VolumeChoice.Of(folder, "1.2.3.4", "echo 1"));
        Assert.Equal(QuarantineReason.NoImageSeries, Assert.IsType<SeriesOutcome.Refused>(VolumeChoice.Of(folder, "1.9")).Reason);
    }

    private static void Mark(DataSetBuilder set, string tag, int value)
    {
        switch (tag)
        {
            case nameof(Tags.EchoNumbers): set.Numbers(Tags.EchoNumbers, value); break;
            case nameof(Tags.EchoTime): set.Numbers(Tags.EchoTime, value); break;
            case nameof(Tags.DiffusionBValue): set.Bytes(Tags.DiffusionBValue, DicomVr.FD, BitConverter.GetBytes((double)value)); break;
            case nameof(Tags.TemporalPositionIdentifier): set.Numbers(Tags.TemporalPositionIdentifier, value); break;
            case nameof(Tags.ConvolutionKernel): set.Text(Tags.ConvolutionKernel, $"{value}"); break;
            case nameof(Tags.ImageType): set.Text(Tags.ImageType, "ORIGINAL", $"{value}"); break;
            case nameof(Tags.AcquisitionNumber): set.Numbers(Tags.AcquisitionNumber, value); break;
            case nameof(Tags.TriggerTime): set.Numbers(Tags.TriggerTime, value); break;
            default: throw new ArgumentException(tag, nameof(tag));
        }
    }

    private void Write(int stacks, Action<DataSetBuilder, int> change)
    {
        var files = new SliceFiles(_directory);
        for (var index = 0; index < 3 * stacks; index++)
        {
            var stack = index / 3;
            files.WriteAxial(index, index % 3, set => change(set, stack));
        }
    }

    private AssembledSeries Assembled() =>
        SeriesAssembly.AssembleStacks(
            Assert.Single(DicomFolder.Read(_directory, cancellationToken: TestContext.Current.CancellationToken).Images));
}
