using FedSeg.Testing;
using System.Text.Json;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Phantoms;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Segmentation.Tests.Preprocessing;

public sealed class CohortTests : IDisposable
{
    private static readonly LabelVocabulary Vocabulary = LabelVocabulary.Of(PhantomHospitals.Kidney, PhantomHospitals.Tumour);

    private readonly TemporaryFolder _folder = new();
    private readonly string _site;

    public CohortTests() => _site = _folder[PhantomHospitals.Write(_folder["."], new PhantomOptions { Sites = 1, CasesPerSite = 4 }).Single().Site];

    public void Dispose() => _folder.Dispose();

    private Cohort Read(string? modality = null, LabelVocabulary? vocabulary = null, string? directory = null) => Cohort.Read(
        directory ?? _site,
        vocabulary ?? Vocabulary,
        SyntheticCases.Preprocessing() with { Modality = modality ?? "MR", SpacingMm = [6, 6, 6] },
        heldBackFraction: 0.25,
        seed: 5,
        threads: 2,
        _folder["report.json"],
        TestContext.Current.CancellationToken);

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
        Assert.InRange(entry.Image.Voxels.Average(), -0.2, 0.2);
        Assert.True(entry.Reference.Labels.Length > entry.Labels.Labels.Length);
    }
}
