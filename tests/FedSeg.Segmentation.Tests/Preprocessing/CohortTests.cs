using FedSeg.Testing;
using System.Text.Json;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Phantoms;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;

namespace FedSeg.Segmentation.Tests.Preprocessing;

public sealed class CohortTests : IDisposable
{
    private static readonly LabelVocabulary Vocabulary = LabelVocabulary.Of(PhantomHospitals.Kidney, PhantomHospitals.Tumour);

    private readonly TemporaryFolder _folder = new();
    private readonly string _site;

    public CohortTests() => _site = _folder[PhantomHospitals.Write(_folder["."], new PhantomOptions { Sites = 1, CasesPerSite = 4 }).Single().Site];

    public void Dispose() => _folder.Dispose();

    private Cohort Read(string? modality = null, LabelVocabulary? vocabulary = null, string? directory = null, string? cache = null, Func<string, bool>? isLeftOut = null, double spacingMm = 6, RunSplit? split = null) => Cohort.Read(
        directory ?? _site,
        vocabulary ?? Vocabulary,
        SyntheticCases.Preprocessing() with { Modality = modality ?? "MR", SpacingMm = [spacingMm, spacingMm, spacingMm] },
        heldBackFraction: 0.25,
        seed: 5,
        threads: 2,
        _folder["report.json"],
        TestContext.Current.CancellationToken,
        cacheDirectory: cache,
        isLeftOut: isLeftOut,
        split: split);

    [Fact]
    public void Read_CasesRemovedInTheMiddleOfARun_MakesNobodyTrainedOnAHeldBackOne()
    {
        var split = new RunSplit(_folder["split.json"]);
        var before = Read(split: split);
        using (var report = JsonDocument.Parse(File.ReadAllText(_folder["report.json"])))
        {
            foreach (var folder in report.RootElement.GetProperty("heldBack").EnumerateArray()) Directory.Delete(Path.Combine(_site, folder.GetString()!), recursive: true);
        }

        Assert.NotEmpty(before.HeldBack);
        Assert.Empty(Read(split: split).HeldBack);
        // Without it the next in rank takes the place.
        Assert.NotEmpty(Read().HeldBack);
    }

    [Fact]
    public void Read_FromTheCache_IsTheSameToTheLastBit()
    {
        var first = Read(cache: _folder["cache"]);
        Assert.Equal(4, Directory.GetFiles(_folder["cache"], "*.case").Length);
        // Neither is decoded again: the bytes are no DICOM any more, but names, lengths and times are as they were.
        foreach (var file in new DirectoryInfo(_site).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            var time = file.LastWriteTimeUtc;
            File.WriteAllBytes(file.FullName, new byte[file.Length]);
            File.SetLastWriteTimeUtc(file.FullName, time);
        }

        var second = Read(cache: _folder["cache"]);
        foreach (var (a, b) in first.Training.Concat(first.HeldBack).Zip(second.Training.Concat(second.HeldBack)))
        {
            Assert.Equal(a.PatientKey, b.PatientKey);
            Assert.Equal(a.Grid, b.Grid);
            Assert.Equal(a.Prepared.Input.Voxels, b.Prepared.Input.Voxels);
            Assert.Equal(a.Voxels, b.Voxels);
            Assert.Equal(a.Labels.Labels, b.Labels.Labels);
            Assert.Equal(a.Reference.Grid, b.Reference.Grid);
            Assert.Equal(a.Reference.Labels, b.Reference.Labels);
            Assert.Equal(a.Prepared.ToScannerGrid(new LabelVolume(a.Prepared.Box.Part, new byte[a.Prepared.Box.Part.VoxelCount])).Grid, b.Reference.Grid);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Read_PatientLeftOut_IsCountedNowhereAndMovesNobodyElse(bool heldBack)
    {
        var before = Read();
        var patient = (heldBack ? before.HeldBack : before.Training)[0].PatientKey;
        var after = Read(isLeftOut: key => key == patient);

        Assert.Equal(before.Training.Select(entry => entry.PatientKey).Where(key => key != patient), after.Training.Select(entry => entry.PatientKey));
        Assert.Equal(before.HeldBack.Select(entry => entry.PatientKey).Where(key => key != patient), after.HeldBack.Select(entry => entry.PatientKey));
        Assert.Empty(after.Quarantined);
        Assert.Equal(before.Training.Concat(before.HeldBack).Count(entry => entry.PatientKey != patient), after.Use.Found);
    }

    [Fact]
    public void Read_PatientLeftOutWhoIsInTheCache_IsTakenOutOfIt()
    {
        var patient = Read(cache: _folder["cache"]).Training[0].PatientKey;
        var after = Read(cache: _folder["cache"], isLeftOut: key => key == patient);

        Assert.InRange(after.Use.Used, 1, 3);
        Assert.DoesNotContain(patient, after.Training.Concat(after.HeldBack).Select(entry => entry.PatientKey));
        Assert.Equal(after.Use.Used, Directory.GetFiles(_folder["cache"], "*.case").Length);
        Assert.Equal(after.Use, Read(cache: _folder["cache"], isLeftOut: key => key == patient).Use);
    }

    [Fact]
    public void Read_FileTouched_IsPreparedAnew()
    {
        Read(cache: _folder["cache"]);
        File.SetLastWriteTimeUtc(Path.Combine(_site, "case-001", "SEG.dcm"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Read(cache: _folder["cache"]);
        Assert.Equal(5, Directory.GetFiles(_folder["cache"], "*.case").Length);
    }

    [Fact]
    public void Store_NoRoom_KeepsNothing()
    {
        var entry = SyntheticCases.Ball(8, "a", 1);
        var cache = new CaseCache(_folder["small"], mostBytes: 3 * entry.Bytes / 2);
        Assert.Equal(0, cache.Store("one", entry).HeldBytes);
        Assert.Same(entry, cache.Store("two", entry));
        Assert.NotNull(cache.Find("one"));
        Assert.Null(cache.Find("two"));

        cache.Remove("one");
        Assert.Equal(0, cache.Store("two", entry).HeldBytes);
    }

    [Fact]
    public void Store_CaseInItsFile_TrainsLikeTheOneInMemory()
    {
        var held = SyntheticCases.Ball(16, "a", 1);
        var mapped = new CaseCache(_folder["mapped"], mostBytes: 1 << 30).Store("one", held);
        Assert.Equal((held.Bytes, 0), (held.HeldBytes, mapped.HeldBytes));
        // Its files go with the run, whoever still reads them.
        Directory.Delete(_folder["mapped"], recursive: true);

        var schedule = TrainingSchedule.Whole(Plans.Recipe(), SyntheticCases.Preprocessing(patch: 16), ["ball"], steps: 4, seed: 1);
        var (fromMemory, fromFile) = (new PatchSampler([held], schedule), new PatchSampler([mapped], schedule));
        for (var step = 0; step < 4; step++)
        {
            Assert.Equal(fromMemory.Batch(step).Images, fromFile.Batch(step).Images);
            Assert.Equal(fromMemory.Batch(step).Labels, fromFile.Batch(step).Labels);
        }
    }

    /// <summary>Written whole or not at all; a disk, an old version or a hand may still leave something else.</summary>
    [Theory]
    [InlineData(new byte[] { 7 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 1 })]
    [InlineData(new byte[] { 255, 255, 255, 127, 1 })]
    [InlineData(new byte[] { 2, 0, 0, 0, (byte)'{', (byte)'[', 1 })]
    public void Read_DamagedFileInTheCache_IsPreparedAnew(byte[] damaged)
    {
        var before = Read(cache: _folder["cache"]).Use;
        foreach (var file in Directory.GetFiles(_folder["cache"], "*.case")) File.WriteAllBytes(file, damaged);

        Assert.Equal(before, Read(cache: _folder["cache"]).Use);
        Assert.All(Directory.GetFiles(_folder["cache"], "*.case"), file => Assert.NotEqual(damaged.Length, new FileInfo(file).Length));
    }

    /// <summary>A spacing in the wrong unit, in the plan or in a header: known before the memory is asked for, and a fault of the case.</summary>
    [Fact]
    public void Read_CasesTooLargeAtThePlansSpacing_AreAllRefused()
    {
        var error = Assert.Throws<CohortException>(() => Read(spacingMm: 0.001));
        Assert.Equal(CohortProblem.NoUsableCase, error.Problem);
        Assert.Contains("LimitExceeded 4", error.Message);
    }

    [Fact]
    public void Read_OneCaseSpoiled_IsQuarantinedCountedAndReportedWithItsFolder()
    {
        var spoiled = Path.Combine(_site, "case-002");
        File.Delete(Path.Combine(spoiled, "SEG.dcm"));
        var cohort = Read();

        Assert.Equal(3, cohort.Training.Length + cohort.HeldBack.Length);
        Assert.Equal(1, Assert.Single(cohort.Quarantined, entry => entry.Key == nameof(QuarantineReason.NoSegmentation)).Value);
        using var report = JsonDocument.Parse(File.ReadAllBytes(_folder["report.json"]));
        var quarantined = Assert.Single(report.RootElement.GetProperty("quarantined").EnumerateArray());
        Assert.Equal(spoiled, quarantined.GetProperty("case").GetString());
        Assert.Equal(cohort.Training.Length, report.RootElement.GetProperty("training").GetArrayLength());
    }

    [Fact]
    public void Read_FoldersRenamed_KeepsEveryPatientOnItsSide()
    {
        var before = Read();
        Directory.Move(Path.Combine(_site, "case-001"), Path.Combine(_site, "zzz"));
        var after = Read();
        Assert.Equal(before.HeldBack.Select(entry => entry.PatientKey).Order(), after.HeldBack.Select(entry => entry.PatientKey).Order());
    }

    [Fact]
    public void Read_CasesOfAnotherModality_AreAllRefused()
    {
        var error = Assert.Throws<CohortException>(() => Read(modality: "CT"));
        Assert.Equal(CohortProblem.NoUsableCase, error.Problem);
        Assert.Contains("UnsupportedImage 4", error.Message);
    }

    [Fact]
    public void Read_LabelsNoFileHas_NamesTheProblem() =>
        Assert.Equal(CohortProblem.LabelNotFound, Assert.Throws<CohortException>(() => Read(vocabulary: LabelVocabulary.Of("spleen", "liver"))).Problem);

    [Fact]
    public void Read_NoSuchFolder_NamesIt() =>
        Assert.Contains("nowhere: no such folder", Assert.Throws<CohortException>(() => Read(directory: _folder["nowhere"])).Message);

    [Fact]
    public void Read_Images_AreZScoredAtThePlansSpacing()
    {
        var entry = Read().Training[0];
        Assert.Equal(6, entry.Spacing.X, 0.5);
        Assert.InRange(entry.Prepared.Input.Voxels.Average(), -0.2, 0.2);
        Assert.True(entry.Reference.Labels.Length > entry.Labels.Labels.Length);
    }
}
