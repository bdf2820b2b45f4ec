using System.Text;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Phantoms;

namespace FedSeg.Imaging.Tests.Phantoms;

public sealed class PhantomHospitalsTests(ITestOutputHelper output) : IDisposable
{
    private static readonly LabelVocabulary Vocabulary = LabelVocabulary.Of(PhantomHospitals.Kidney, PhantomHospitals.Tumour);

    private readonly string _directory = Directory.CreateTempSubdirectory("phantom-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("MR")]
    [InlineData("CT")]
    public void Write_AnyModality_GivesCasesThatLoadWithBothLabels(string modality)
    {
        var sites = PhantomHospitals.Write(_directory, new PhantomOptions { CasesPerSite = 3, Modality = modality }, TestContext.Current.CancellationToken);

        Assert.Equal([("north", 3), ("east", 3), ("south", 2)], sites);
        foreach (var directory in Directory.GetDirectories(_directory).SelectMany(Directory.GetDirectories))
        {
            var outcome = new CaseReader().Read(directory, Vocabulary, TestContext.Current.CancellationToken);
            var usable = Assert.IsType<CaseOutcome.Usable>(outcome).Case;
            var (kidney, tumour) = (usable.Labels.Labels.Count(label => label == 1), usable.Labels.Labels.Count(label => label == 2));
            output.WriteLine($"{Path.GetRelativePath(_directory, directory)}: kidney {kidney}, tumour {tumour}, {usable.Image.Voxels.Min()} to {usable.Image.Voxels.Max()}");
            Assert.InRange(kidney, 800, 8000);
            Assert.InRange(tumour, 40, 1200);
            Assert.Equal(modality, usable.Modality);
        }
    }

    [Fact]
    public void Write_SameSeed_GivesTheSameBytes()
    {
        PhantomHospitals.Write(Path.Combine(_directory, "a"), new PhantomOptions { Sites = 1, CasesPerSite = 2, Seed = 9 }, TestContext.Current.CancellationToken);
        PhantomHospitals.Write(Path.Combine(_directory, "b"), new PhantomOptions { Sites = 1, CasesPerSite = 2, Seed = 9 }, TestContext.Current.CancellationToken);

        Assert.Equal(Contents("a"), Contents("b"));
    }

    [Fact]
    public void Write_AnotherSeed_GivesOtherAnatomy()
    {
        PhantomHospitals.Write(Path.Combine(_directory, "a"), new PhantomOptions { Sites = 1, CasesPerSite = 2, Seed = 1 }, TestContext.Current.CancellationToken);
        PhantomHospitals.Write(Path.Combine(_directory, "b"), new PhantomOptions { Sites = 1, CasesPerSite = 2, Seed = 2 }, TestContext.Current.CancellationToken);

        Assert.NotEqual(LabelsOf("a/north/case-001"), LabelsOf("b/north/case-001"));
    }

    [Fact]
    public void Write_FirstTwoCases_AreStudiesOfOnePatient()
    {
        PhantomHospitals.Write(_directory, new PhantomOptions { Sites = 1, CasesPerSite = 3 }, TestContext.Current.CancellationToken);

        var keys = CaseSurvey.Of(Path.Combine(_directory, "north"), cancellationToken: TestContext.Current.CancellationToken).Cases.Select(surveyed => surveyed.PatientKey).ToArray();

        Assert.Equal(keys[0], keys[1]);
        Assert.NotEqual(keys[0], keys[2]);
    }

    [Fact]
    public void Write_WithTextSuffix_MarksEveryFileAndStillLoadsByAliases()
    {
        const string suffix = "CANARY-X7Q9";
        PhantomHospitals.Write(_directory, new PhantomOptions { Sites = 1, CasesPerSite = 2, TextSuffix = suffix }, TestContext.Current.CancellationToken);
        var mark = Encoding.ASCII.GetBytes(suffix);

        foreach (var file in Directory.GetFiles(_directory, "*", SearchOption.AllDirectories))
        {
            Assert.True(File.ReadAllBytes(file).AsSpan().Count(mark) >= 8, file);
        }

        var vocabulary = new LabelVocabulary([new("kidney", [PhantomHospitals.Kidney + suffix]), new("tumour", [PhantomHospitals.Tumour + suffix])]);
        Assert.IsType<CaseOutcome.Usable>(new CaseReader().Read(Path.Combine(_directory, "north", "case-001"), vocabulary, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("LONGER-THAN-SIXTEEN")]
    public void Write_ImpossibleSuffix_Throws(string suffix) =>
        Assert.Throws<ArgumentException>(() => PhantomHospitals.Write(_directory, new PhantomOptions { TextSuffix = suffix }, TestContext.Current.CancellationToken));

    [Fact]
    public void Of_PhantomSite_SurveysGridAndLabels()
    {
        PhantomHospitals.Write(_directory, new PhantomOptions { CasesPerSite = 2 }, TestContext.Current.CancellationToken);

        var survey = CaseSurvey.Of(Path.Combine(_directory, "south"), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Empty(survey.Quarantined);
        Assert.Equal([PhantomHospitals.Kidney, PhantomHospitals.Tumour], survey.Labels);
        Assert.All(survey.Cases, surveyed => Assert.Equal(1.5, surveyed.Grid.SpacingMm.Z, 1e-9));
        Assert.All(survey.Cases, surveyed => Assert.Equal(48, surveyed.Grid.Size.X));
    }

    private byte[] LabelsOf(string path) =>
        Assert.IsType<CaseOutcome.Usable>(new CaseReader().Read(Path.Combine(_directory, path), Vocabulary, TestContext.Current.CancellationToken)).Case.Labels.Labels;

    private Dictionary<string, string> Contents(string folder) =>
        Directory.GetFiles(Path.Combine(_directory, folder), "*", SearchOption.AllDirectories).ToDictionary(
            path => Path.GetRelativePath(Path.Combine(_directory, folder), path),
            path => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))));
}
