using FedSeg.Importer.Pacs;
using FedSeg.Importer.Selection;
using FedSeg.Testing;

namespace FedSeg.Importer.Tests.Selection;

public sealed class StudySelectionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Queries_NoAccessionNumbers_AreOneWithAllFiltersButTheModalities()
    {
        var selection = StudySelection.Of(new SelectionOptions
        {
            Modalities = ["MR", "CT"],
            StudyDateFrom = new DateOnly(2020, 1, 2),
            StudyDateTo = new DateOnly(2024, 12, 31),
            StudyDescription = "*hippo*",
        });

        Assert.Equal(["StudyDate=20200102-20241231 StudyDescription=*hippo*"], Written(selection));
    }

    [Fact]
    public void Queries_OpenDateRange_LeavesThatEndEmpty()
    {
        Assert.Equal(
            ["StudyDate=20200102-"],
            Written(StudySelection.Of(new SelectionOptions { Modalities = ["MR"], StudyDateFrom = new DateOnly(2020, 1, 2) })));
        Assert.Equal(
            ["StudyDate=-20200102"],
            Written(StudySelection.Of(new SelectionOptions { Modalities = ["MR"], StudyDateTo = new DateOnly(2020, 1, 2) })));
    }

    [Fact]
    public void Queries_AccessionNumbers_AskForEachOnce() =>
        Assert.Equal(
            ["AccessionNumber=A1", "AccessionNumber=B2"],
            Written(StudySelection.Of(Numbers("A1\n\n B2 \nA1\n"))));

    [Fact]
    public void Of_EmptyListOfAccessionNumbers_IsRefusedInsteadOfSelectingAll() =>
        Assert.Throws<InvalidDataException>(() => StudySelection.Of(Numbers("\n")));

    [Theory]
    [InlineData("20200102", "MR Hippocampus", "A1", true)]
    [InlineData("20200101", "MR Hippocampus", "A1", false)]
    [InlineData("20250101", "MR Hippocampus", "A1", false)]
    [InlineData("", "MR Hippocampus", "A1", false)]
    [InlineData("2020-01-02", "MR Hippocampus", "A1", false)]
    [InlineData("20200102", "MR knee", "A1", false)]
    [InlineData("20200102", "", "A1", false)]
    [InlineData("20200102", "MR Hippocampus", "A2", false)]
    [InlineData("20200102", "MR Hippocampus", "", false)]
    public void Takes_AnswersOfAPacsThatIgnoresFilters_OnlyTheRightOnes(string date, string description, string accession, bool expected)
    {
        var selection = StudySelection.Of(new SelectionOptions
        {
            Modalities = ["MR"],
            StudyDateFrom = new DateOnly(2020, 1, 2),
            StudyDateTo = new DateOnly(2024, 12, 31),
            StudyDescription = "*HIPPO*",
            AccessionNumberFile = _folder.Write("numbers", "A1"),
        });

        Assert.Equal(expected, selection.Takes(new StudyMatch(Id("1.2"), date, description, accession, [])));
    }

    [Fact]
    public void Takes_OtherModality_IsNotTaken()
    {
        var selection = StudySelection.Of(new SelectionOptions { Modalities = ["MR"] });

        Assert.True(selection.Takes(new StudyMatch(Id("1.2"), "", "", "", ["SEG", "MR"])));
        Assert.False(selection.Takes(new StudyMatch(Id("1.2"), "", "", "", ["CT"])));
    }

    [Theory]
    [InlineData(nameof(SegmentationChoice.SegElseRtStruct), "MR SEG RTSTRUCT", "MR SEG")]
    [InlineData(nameof(SegmentationChoice.SegElseRtStruct), "MR RTSTRUCT MR", "MR MR RTSTRUCT")]
    [InlineData(nameof(SegmentationChoice.Seg), "MR RTSTRUCT", "NoSegmentation")]
    [InlineData(nameof(SegmentationChoice.RtStruct), "MR SEG RTSTRUCT", "MR RTSTRUCT")]
    [InlineData(nameof(SegmentationChoice.None), "MR SEG", "MR")]
    [InlineData(nameof(SegmentationChoice.Seg), "SEG", "NoImages")]
    [InlineData(nameof(SegmentationChoice.Seg), "CT SEG", "NoImages")]
    [InlineData(nameof(SegmentationChoice.Seg), "MR SEG SEG", "SeveralSegmentations")]
    public void Choose_SeriesOfAStudy_GivesTheCaseOrTheReason(string choice, string modalities, string expected)
    {
        var selection = StudySelection.Of(
            new SelectionOptions { Modalities = ["MR"], Segmentation = Enum.Parse<SegmentationChoice>(choice) });
        var series = modalities.Split(' ').Select((modality, i) => new SeriesMatch(Id($"1.{i}"), modality, "")).ToArray();

        var chosen = selection.Choose(series) switch
        {
            SeriesChoice.Chosen some => string.Join(' ', some.Series.Select(uid => series.Single(entry => entry.Series == uid).Modality)),
            SeriesChoice.Nothing nothing => nothing.Reason.ToString(),
            var other => other.ToString(),
        };

        Assert.Equal(expected, chosen);
    }

    [Fact]
    public void Choose_DescriptionPatterns_PickAmongSeveral()
    {
        var selection = StudySelection.Of(
            new SelectionOptions { Modalities = ["MR"], SeriesDescription = "*T1*", SegmentationDescription = "final*" });

        var chosen = Assert.IsType<SeriesChoice.Chosen>(selection.Choose(
        [
            new SeriesMatch(Id("1.1"), "MR", "Hippo t1 MPRAGE"), new SeriesMatch(Id("1.2"), "MR", "localizer"),
            new SeriesMatch(Id("1.3"), "SEG", "draft"), new SeriesMatch(Id("1.4"), "SEG", "Final 2"),
        ]));

        Assert.Equal(["1.1", "1.4"], chosen.Series.Select(uid => uid.Value));
    }

    [Fact]
    public void Choose_PredictionBesideTheReference_IsNotTaken()
    {
        SeriesMatch[] series =
        [
            new(Id("1.1"), "MR", ""), new(Id("1.2"), "SEG", "FedSeg prediction"), new(Id("1.3"), "SEG", "Segmentation"),
        ];
        var selection = StudySelection.Of(new SelectionOptions { Modalities = ["MR"] });

        Assert.Equal(["1.1", "1.3"], Assert.IsType<SeriesChoice.Chosen>(selection.Choose(series)).Series.Select(uid => uid.Value));
        Assert.Equal(
            SkipReason.NoSegmentation, Assert.IsType<SeriesChoice.Nothing>(selection.Choose(series[..2])).Reason);
    }

    private SelectionOptions Numbers(string text) => new() { Modalities = ["MR"], AccessionNumberFile = _folder.Write("numbers", text) };

    private static IEnumerable<string> Written(StudySelection selection) =>
        from query in selection.Queries()
        select string.Join(' ', from pair in query where pair.Key != "includefield" select $"{pair.Key}={pair.Value}");

    private static Uid Id(string text) =>
        Uid.TryParse(text, out var uid) ? uid : throw new ArgumentException("No identifier.", nameof(text));
}
