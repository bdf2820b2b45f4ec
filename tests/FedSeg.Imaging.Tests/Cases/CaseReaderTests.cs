using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Tests.Segments;
using FedSeg.Imaging.Tests.Series;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Cases;

public sealed class CaseReaderTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("case-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Read_ImagesAndTheirSegmentationInSubfolders_IsUsable()
    {
        WriteImages("deep/er/images");
        WriteSegmentation("other/place");
        File.WriteAllText(Path.Combine(_directory, "notes.txt"), "nothing of interest");

        var usable = Assert.IsType<CaseOutcome.Usable>(Read()).Case;

        Assert.Equal<float>([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], usable.Image.Voxels);
        Assert.Equal(1, usable.Labels.Labels[0]);
    }

    /// <summary>A cohort is read in parallel: one folder that went away must cost one case.</summary>
    [Fact]
    public void Read_FolderThatIsNotThere_IsUnreadable()
    {
        var outcome = new CaseReader().Read(Path.Combine(_directory, "gone"), LabelVocabulary.Of("a"), TestContext.Current.CancellationToken);

        Assert.Equal(QuarantineReason.UnreadableFile, Assert.IsType<CaseOutcome.Quarantined>(outcome).Reason);
    }

    [Fact]
    public void Read_EmptyFolder_NamesNoDicomFiles() => Refused(QuarantineReason.NoDicomFiles);

    [Fact]
    public void Read_TextFilesOnly_NamesNoDicomFilesAndTheFolder()
    {
        File.WriteAllText(Path.Combine(_directory, "a.dcm"), "this is text");

        Assert.Contains(_directory, Refused(QuarantineReason.NoDicomFiles), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoSegmentation_SaysSo()
    {
        WriteImages();

        Refused(QuarantineReason.NoSegmentation);
    }

    [Fact]
    public void Read_NoImages_SaysSo()
    {
        WriteSegmentation();

        Refused(QuarantineReason.NoImageSeries);
    }

    [Fact]
    public void Read_TwoSegmentations_IsNotGuessed()
    {
        WriteImages();
        WriteSegmentation("a");
        WriteSegmentation("b");

        Refused(QuarantineReason.SeveralSegmentations);
    }

    [Fact]
    public void Read_PredictionBesideTheReference_LearnsFromTheReference()
    {
        WriteImages();
        WriteSegmentation("a");
        WriteSegmentation("b", AsPrediction);

        Assert.Equal(1, Assert.IsType<CaseOutcome.Usable>(Read()).Case.Labels.Labels[0]);
    }

    [Fact]
    public void Read_NothingButAPredictionOfOurs_IsNothingToLearnFrom()
    {
        WriteImages();
        WriteSegmentation(change: AsPrediction);

        Assert.Contains("predicted", Refused(QuarantineReason.NoSegmentation), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_SegmentationOfAnotherSeries_IsRefused()
    {
        WriteImages(seriesUid: "1.2.99");
        WriteSegmentation();

        Refused(QuarantineReason.SegmentationOfAnotherSeries);
    }

    [Fact]
    public void Read_SegmentationInAnotherFrameOfReference_IsRefused()
    {
        WriteImages(frameUid: "1.2.98");
        WriteSegmentation();

        Refused(QuarantineReason.SegmentationOfAnotherSeries);
    }

    [Fact]
    public void Read_SecondSeriesThatIsNotReferenced_IsLeftOut()
    {
        WriteImages("a");
        WriteImages("b", seriesUid: "1.2.99");
        WriteSegmentation();

        Assert.IsType<CaseOutcome.Usable>(Read());
    }

    [Fact]
    public void Read_TwoSeriesThatTheSegmentationRefersTo_IsNotGuessed()
    {
        WriteImages("a");
        WriteImages("b", seriesUid: "1.2.99");
        WriteSegmentation(change: set => set.Sequence(
            Tags.ReferencedSeriesSequence,
            new DataSetBuilder().Text(Tags.SeriesInstanceUid, "1.2.3.4"),
            new DataSetBuilder().Text(Tags.SeriesInstanceUid, "1.2.99")));

        Refused(QuarantineReason.SeveralImageSeries);
    }

    /// <summary>Taken for one person's, or each study for another's, they would be trained on and held back wrongly.</summary>
    [Fact]
    public void Read_ImagesWithoutPatientId_AreRefusedAndNamed()
    {
        WriteImages(change: set => set.Text(Tags.PatientId));
        WriteSegmentation();

        Assert.Contains("(0010,0020)", Refused(QuarantineReason.NoPatientId), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OneSliceOfSeveralWithoutPatientId_IsNotTakenForThatPatients()
    {
        WriteImages();
        new SliceFiles(_directory).Write(
            2, new Vector3D(0, 0, 2), SliceFiles.Axial, 2, 3, (1, 1), (_, _) => 2, set => set.Text(Tags.PatientId, " "));
        WriteSegmentation();

        Refused(QuarantineReason.InconsistentSeries);
    }

    [Fact]
    public void Of_SiteWithAStudyOfNobody_SurveysTheOthers_AndAScanSaysWhy()
    {
        WriteImages("site/known");
        WriteSegmentation("site/known");
        WriteImages("site/nobody", change: set => set.Text(Tags.PatientId));
        WriteSegmentation("site/nobody");

        var survey = CaseSurvey.Of(Path.Combine(_directory, "site"), cancellationToken: TestContext.Current.CancellationToken);
        var scan = DicomScan.Of(Path.Combine(_directory, "site", "nobody"), cancellationToken: TestContext.Current.CancellationToken);

        Assert.EndsWith("known", Assert.Single(survey.Cases).Directory, StringComparison.Ordinal);
        Assert.Equal(QuarantineReason.NoPatientId, Assert.Single(survey.Quarantined).Reason);
        // A volume all the same: to be converted or segmented, only not to be learnt from.
        Assert.True(Assert.Single(scan.Series).Usable);
        Assert.Equal(QuarantineReason.NoPatientId, Assert.Single(scan.Quarantined).Reason);
    }

    [Fact]
    public void Read_TruncatedSlice_NamesTheFile()
    {
        WriteImages();
        WriteSegmentation();
        var file = Directory.GetFiles(_directory, "*.dcm")[0];
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^6]);

        Assert.Contains(file, Refused(QuarantineReason.UnreadableFile), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_CompressionThatIsNotSupported_NamesIt()
    {
        WriteImages();
        WriteSegmentation();
        var file = Directory.GetFiles(_directory, "*.dcm")[0];
        var bytes = File.ReadAllBytes(file);
        var syntax = bytes.AsSpan().IndexOf("1.2.840.10008.1.2.1\0"u8);
        "1.2.840.10008.1.2.99"u8.CopyTo(bytes.AsSpan(syntax));
        File.WriteAllBytes(file, bytes);

        Assert.Contains("1.2.840.10008.1.2.99", Refused(QuarantineReason.UnsupportedTransferSyntax), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_OneFolderWithGoodAndBad_ScansEverySeries()
    {
        WriteImages("a");
        WriteImages("b", seriesUid: "1.2.99", slices: 1);
        WriteSegmentation();
        File.WriteAllBytes(Path.Combine(_directory, "cut.dcm"), File.ReadAllBytes(Path.Combine(_directory, "seg.dcm"))[..400]);

        var scan = DicomScan.Of(_directory, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(["1.2.3.4", "1.2.99"], scan.Series.Select(series => series.Uid));
        Assert.Equal([true, false], scan.Series.Select(series => series.Usable));
        Assert.Equal("LPH", scan.Series[0].Orientation);
        Assert.Single(scan.Series[0].Segmentations);
        Assert.StartsWith("MissingSlices", scan.Series[1].Reason, StringComparison.Ordinal);
        Assert.EndsWith("cut.dcm", Assert.Single(scan.Quarantined).Path, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_FilesThatBelongToNothing_AreEachExplained()
    {
        WriteImages();
        WriteSegmentation("fitting");
        WriteSegmentation("foreign", set => set.Text(Tags.FrameOfReferenceUid, "1.2.97"));
        WriteSegmentation("shifted", set => set.Sequence(Tags.PerFrameFunctionalGroupsSequence, new DataSetBuilder()
            .Sequence(Tags.PlanePositionSequence, new DataSetBuilder().Numbers(Tags.ImagePositionPatient, 0.5, 0, 0))
            .Sequence(Tags.SegmentIdentificationSequence, new DataSetBuilder().Numbers(Tags.ReferencedSegmentNumber, 1))));
        File.WriteAllText(Path.Combine(_directory, "notes.txt"), "nothing of interest");
        DicomWriter.Write(Path.Combine(_directory, "report.dcm"), new DataSetBuilder()
            .Text(Tags.SopClassUid, "1.2.840.10008.5.1.4.1.1.88.11").Text(Tags.SopInstanceUid, "1.7").Text(Tags.Modality, "SR"));

        var scan = DicomScan.Of(_directory, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(
            [
                ("foreign/seg.dcm", QuarantineReason.SegmentationOfAnotherSeries),
                ("notes.txt", QuarantineReason.NotDicom),
                ("report.dcm", QuarantineReason.NotAnImage),
                ("shifted/seg.dcm", QuarantineReason.SegmentationGridMismatch),
            ],
            scan.Quarantined.Select(problem => (Path.GetRelativePath(_directory, problem.Path), problem.Reason)));
        Assert.True(Assert.Single(scan.Series).Usable);
    }

    [Fact]
    public void Read_StructureSetAsReference_IsUsable()
    {
        WriteImages();
        var contour = new DataSetBuilder()
            .Text(Tags.ContourGeometricType, "CLOSED_PLANAR")
            .Numbers(Tags.ContourData, -0.5, -0.5, 1, 1.5, -0.5, 1, 1.5, 0.5, 1, -0.5, 0.5, 1);
        DicomWriter.Write(Path.Combine(_directory, "rs.dcm"), Contours.StructureSetFiles.Build("1.2.3.5", ["1.2.3.4"], ("a", [contour])));

        var usable = Assert.IsType<CaseOutcome.Usable>(Read()).Case;

        Assert.Equal<byte>([0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0], usable.Labels.Labels);
    }

    [Fact]
    public void Read_SeriesOfTwoEchoes_TakesTheOneWhoseImagesTheSegmentationNames()
    {
        var files = new SliceFiles(_directory);
        for (var index = 0; index < 4; index++)
        {
            var echo = index / 2 + 1;
            files.Write(index, new Vector3D(0, 0, index % 2), SliceFiles.Axial, 2, 3, (1, 1), (_, _) => (short)echo, set =>
                set.Numbers(Tags.EchoNumbers, echo));
        }

        WriteSegmentation();
        Refused(QuarantineReason.SeveralStacks);

        WriteSegmentation(change: set => set.Sequence(Tags.ReferencedSeriesSequence, new DataSetBuilder()
            .Text(Tags.SeriesInstanceUid, "1.2.3.4")
            .Sequence(Tags.ReferencedInstanceSequence, new DataSetBuilder().Text(Tags.ReferencedSopInstanceUid, "1.2.3.4.3"))));
        Assert.All(Assert.IsType<CaseOutcome.Usable>(Read()).Case.Image.Voxels, voxel => Assert.Equal(2, voxel));
    }

    private void WriteImages(
        string folder = "", string seriesUid = "1.2.3.4", string frameUid = "1.2.3.5", int slices = 2,
        Action<DataSetBuilder>? change = null)
    {
        var directory = Directory.CreateDirectory(Path.Combine(_directory, folder)).FullName;
        var files = new SliceFiles(directory) { SeriesUid = seriesUid, FrameOfReferenceUid = frameUid };
        for (var slice = 0; slice < slices; slice++)
        {
            var value = (short)slice;
            files.Write(slice, new Vector3D(0, 0, slice), SliceFiles.Axial, 2, 3, (1, 1), (_, _) => value, change);
        }
    }

    private void WriteSegmentation(string folder = "", Action<DataSetBuilder>? change = null)
    {
        var set = SegmentationFiles.Build("BINARY", 1, ["a"], [(1, 0)], [0x01, 0]);
        change?.Invoke(set);
        DicomWriter.Write(Path.Combine(Directory.CreateDirectory(Path.Combine(_directory, folder)).FullName, "seg.dcm"), set);
    }

    private static void AsPrediction(DataSetBuilder set) => set
        .Text(Tags.Manufacturer, "FedSeg")
        .Sequence(Tags.SegmentSequence, new DataSetBuilder()
            .Numbers(Tags.SegmentNumber, 1)
            .Text(Tags.SegmentLabel, "a")
            .Text(Tags.SegmentAlgorithmType, "AUTOMATIC"));

    private CaseOutcome Read() => new CaseReader().Read(_directory, LabelVocabulary.Of("a"), TestContext.Current.CancellationToken);

    private string Refused(QuarantineReason reason)
    {
        var quarantined = Assert.IsType<CaseOutcome.Quarantined>(Read());
        Assert.Equal(reason, quarantined.Reason);
        return quarantined.Detail;
    }
}
