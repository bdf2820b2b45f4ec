using FedSeg.Testing;
namespace FedSeg.Cli.Tests.Programs;

public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task UnknownOption_IsBadInputThatNamesIt()
    {
        var ended = await FedsegProcess.RunAsync("demo", "--roundz", "3");

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("--roundz", ended.Errors);
        Assert.Empty(ended.Output);
    }

    [Fact]
    public async Task UnknownOptionOfASubcommand_PointsToTheHelpOfThatSubcommand()
    {
        var ended = await FedsegProcess.RunAsync("dicom", "convert", "--inn", "3");

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("See 'fedseg dicom convert --help'.", ended.Errors);
    }

    [Fact]
    public async Task UnknownVerb_IsBadInput() => Assert.Equal(2, (await FedsegProcess.RunAsync("frobnicate")).ExitCode);

    [Fact]
    public async Task Help_IsDoneAndListsTheVerbs()
    {
        var ended = await FedsegProcess.RunAsync("--help");

        Assert.Equal(0, ended.ExitCode);
        foreach (var verb in new[] { "demo", "phantom", "dicom", "train", "provision", "job", "model", "ledger" }) Assert.Contains(verb, ended.Output);
    }

    [Fact]
    public async Task FileThatIsNoDicom_IsBadInputInOneLine()
    {
        var ended = await FedsegProcess.RunAsync("dicom", "dump", _folder.Write("notes.txt", "hello"));

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("notes.txt", ended.ErrorLine);
    }

    [Fact]
    public async Task JsonOfPhantoms_IsOneDocumentAlone()
    {
        var ended = await FedsegProcess.RunAsync("phantom", "--out", _folder["phantoms"], "--sites", "1", "--cases", "2", "--json");

        Assert.Equal(0, ended.ExitCode);
        using var document = System.Text.Json.JsonDocument.Parse(ended.Output);
        Assert.Equal(2, document.RootElement.GetProperty("cases").GetInt32());
    }
}
