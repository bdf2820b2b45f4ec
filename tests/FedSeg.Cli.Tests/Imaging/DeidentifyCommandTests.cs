using System.Text;
using System.Text.Json;
using FedSeg.Imaging.Phantoms;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Imaging;

public sealed class DeidentifyCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Deidentify_FolderOfAHospital_WritesItsFilesAndReportsActionsByTag()
    {
        PhantomHospitals.Write(_folder["in"], new PhantomOptions { Sites = 1, CasesPerSite = 2, Seed = 5 },
            TestContext.Current.CancellationToken);
        _folder.Write("in/letter.txt", "not DICOM");
        var files = Directory.GetFiles(_folder["in"], "*", SearchOption.AllDirectories).Length;

        var ended = await Run("--json", "--retain", "patient-characteristics,modified-dates");

        Assert.Equal(0, ended.ExitCode);
        using var document = JsonDocument.Parse(ended.Output);
        var report = document.RootElement;
        Assert.Equal(files - 1, report.GetProperty("files").GetInt32());
        Assert.Equal(files - 1, report.GetProperty("actions").GetProperty("(0010,0010)").GetProperty("emptied").GetInt32());
        Assert.Equal(files - 1, report.GetProperty("actions").GetProperty("(0010,0040)").GetProperty("kept").GetInt32());
        Assert.Equal(1, report.GetProperty("quarantined").GetProperty("notDicom").GetInt32());
        Assert.DoesNotContain("Canary", ended.Output, StringComparison.OrdinalIgnoreCase);
        var written = Directory.GetFiles(_folder["out"], "*.dcm", SearchOption.AllDirectories);
        Assert.Equal(files - 1, written.Length);
        Assert.All(written, path => Assert.Equal(-1, File.ReadAllBytes(path).AsSpan().IndexOf(Encoding.ASCII.GetBytes("CanaryMRN"))));
    }

    [Fact]
    public async Task Deidentify_QuarantineList_NamesTheFilesThatWereHeldBack()
    {
        Directory.CreateDirectory(_folder["in"]);
        var letter = _folder.Write("in/letter.txt", "not DICOM");

        var ended = await Run("--quarantine-list", _folder["held.txt"]);

        Assert.Equal(1, ended.ExitCode);
        Assert.Equal([$"NotDicom\t{letter}"], File.ReadAllLines(_folder["held.txt"]));
        Assert.DoesNotContain("letter", ended.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("clean-pixel-data")]
    [InlineData("everything")]
    [InlineData("full-dates,modified-dates")]
    public async Task Deidentify_OptionThatCantBeHonoured_IsBadInputInOneLine(string options)
    {
        Directory.CreateDirectory(_folder["in"]);
        _folder.Write("in/letter.txt", "not DICOM");

        var ended = await Run("--retain", options);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("--retain", ended.ErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deidentify_OutputInsideTheInput_IsBadInput()
    {
        Directory.CreateDirectory(_folder["in"]);
        _folder.Write("in/letter.txt", "not DICOM");

        var ended = await FedsegProcess.RunAsync("dicom", "deidentify", _folder["in"], _folder["in", "out"], "--key", _folder["key"]);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("elsewhere", ended.ErrorLine, StringComparison.Ordinal);
    }

    private Task<FedsegProcess> Run(params string[] options) =>
        FedsegProcess.RunAsync(["dicom", "deidentify", _folder["in"], _folder["out"], "--key", _folder["key"], .. options]);
}
