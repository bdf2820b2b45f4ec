using System.Text.Json;
using System.Text.Json.Nodes;
using FedSeg.Hosting.Programs;
using FedSeg.Importer.Selection;
using FedSeg.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace FedSeg.Importer.Tests;

public sealed class ImporterOptionsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Value_GoodSettings_AreReadWithPathsFromTheSettingsFolder()
    {
        var options = Read(
            Good(),
            "--Importer:Schedule:At=02:30",
            "--Importer:Select:StudyDateFrom=2020-01-31",
            "--Importer:Select:Segmentation=RtStruct");

        Assert.Equal(_folder["cohort"], options.CohortDirectory);
        Assert.Equal(new TimeOnly(2, 30), options.Schedule.At);
        Assert.Equal(new DateOnly(2020, 1, 31), options.Select.StudyDateFrom);
        Assert.Equal(SegmentationChoice.RtStruct, options.Select.Segmentation);
    }

    [Fact]
    public void Value_ExampleInDeploy_LacksNothingButItsFiles()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "FedSeg.sln"))) root = root.Parent!;
        var options = JsonNode.Parse(
            File.ReadAllText(Path.Combine(root.FullName, "deploy", "settings", "importer.example.json")),
            documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip })!["Importer"]!.DeepClone().AsObject();

        var failures = Failures(options);

        Assert.Equal(4, failures.Count);
        Assert.All(failures, failure => Assert.EndsWith("which does not exist.", failure));
    }

    [Fact]
    public void Value_EmptySettings_ReportsEveryProblemAtOnce()
    {
        var failures = Failures(new JsonObject());

        foreach (var key in new[] { "Pacs:Address", "Select:Modalities", "CohortDirectory", "DataDirectory" })
        {
            Assert.Contains(failures, failure => failure.Contains($"Importer:{key} is", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("Pacs:Address", "pacs.example.org")]
    [InlineData("Pacs:Address", "ftp://pacs.example.org")]
    [InlineData("Pacs:Address", "http://pacs.example.org/dicom-web")]
    [InlineData("Pacs:Address", "https://user:word@pacs.example.org/dicom-web")]
    [InlineData("Pacs:Authority", "absent.pem")]
    [InlineData("Pacs:SilenceSeconds", "0")]
    [InlineData("Pacs:Retries", "21")]
    [InlineData("Pacs:Connections", "33")]
    [InlineData("Select:Modalities:0", "mr*")]
    [InlineData("Select:AccessionNumberFile", "absent")]
    [InlineData("Select:StudyDateTo", "1999-01-01")]
    [InlineData("Schedule:Every", "00:00:10")]
    [InlineData("DataDirectory", "cohort/data")]
    [InlineData("DataDirectory", "cohort")]
    public void Value_OneBadSetting_IsTheOneProblemNamed(string key, string value) =>
        Assert.Contains(
            key.Replace(":0", ""),
            Assert.Single(Failures(Good(), "--Importer:Select:StudyDateFrom=2000-01-01", $"--Importer:{key}={value}")).Replace('.', ':'));

    [Fact]
    public void Value_PasswordOverPlainHttp_IsRefused() =>
        Assert.Contains("UserName needs https", Assert.Single(Failures(
            Good(),
            "--Importer:Pacs:Address=http://pacs.example.org",
            "--Importer:Pacs:AllowPlainHttp=true",
            "--Importer:Pacs:UserName=fedseg",
            $"--Importer:Pacs:PasswordFile={PrivateFile()}")));

    [Fact]
    public void Value_PasswordFileThatOthersCanRead_IsRefused()
    {
        var path = PrivateFile();
        if (OperatingSystem.IsWindows()) Assert.Skip("File modes are a Unix matter.");
        else File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Assert.Contains(
            "PasswordFile", Assert.Single(Failures(Good(), "--Importer:Pacs:UserName=fedseg", $"--Importer:Pacs:PasswordFile={path}")));
    }

    [Fact]
    public void Value_IntervalAndTimeOfDay_AreRefusedTogether() =>
        Assert.Contains(
            "both Every and At", Assert.Single(Failures(Good(), "--Importer:Schedule:At=02:30", "--Importer:Schedule:Every=01:00:00")));

    [Theory]
    [InlineData("--Importer:Pacs:Adress=https://x")]
    [InlineData("--Importer:Select:StudyDateFrom=yesterday")]
    [InlineData("--Importer:Select:Segmentation=Some")]
    public async Task RunAsync_UnknownSettingOrWrongKind_IsBadInput(string mistake) =>
        Assert.Equal(ServiceProgram.BadInput, await ServiceProgram.RunAsync(() => Build(Good(), mistake)));

    [Theory]
    [InlineData("--settings x", "", 0)]
    [InlineData("import --settings x", "import", 0)]
    [InlineData("push a.dcm /b=c.dcm --settings x", "push", 2)]
    public void Split_CommandLine_TellsVerbFilesAndSwitchesApart(string text, string verb, int files)
    {
        var line = ImporterCommandLine.Split(text.Split(' '));

        line.Check();
        Assert.Equal((verb, files), (line.Verb, line.Files.Count));
        Assert.Equal(["--settings", "x"], line.Switches);
    }

    [Theory]
    [InlineData("push --settings x")]
    [InlineData("import a.dcm --settings x")]
    [InlineData("pull --settings x")]
    public void Check_WrongUse_IsBadInput(string text) =>
        Assert.Throws<InvalidDataException>(() => ImporterCommandLine.Split(text.Split(' ')).Check());

    private static JsonObject Good() => new()
    {
        ["Pacs"] = new JsonObject { ["Address"] = "https://pacs.example.org/dicom-web" },
        ["Select"] = new JsonObject { ["Modalities"] = new JsonArray("MR") },
        ["CohortDirectory"] = "cohort",
        ["DataDirectory"] = "data",
    };

    private string PrivateFile()
    {
        var path = _folder.Write("password", "geheim");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead);
        return path;
    }

    private IHost Build(JsonObject importer, params string[] switches)
    {
        var settings = _folder.Write("importer.json", new JsonObject { ["Importer"] = importer }.ToJsonString());
        string[] args = ["--settings", settings, .. switches];
        var builder = Host.CreateEmptyApplicationBuilder(null);
        ServiceProgram.Configure(builder, args);
        builder.Services.AddImporterOptions(args);
        return builder.Build();
    }

    private ImporterOptions Read(JsonObject importer, params string[] switches)
    {
        using var host = Build(importer, switches);
        return host.Services.GetRequiredService<IOptions<ImporterOptions>>().Value;
    }

    private List<string> Failures(JsonObject importer, params string[] switches) =>
        [.. Assert.Throws<OptionsValidationException>(() => Read(importer, switches)).Failures];
}
