using System.Text.Json.Nodes;
using FedSeg.Hosting.Programs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Tests;

public sealed class AgentOptionsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedseg-options-");

    public AgentOptionsTests()
    {
        _folder.CreateSubdirectory("cohort/case-1");
        File.WriteAllText(Path.Combine(_folder.FullName, "egress-policy.yaml"), "");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Value_GoodSettings_AreReadWithPathsFromTheSettingsFolder()
    {
        var options = Read(Good());

        Assert.Equal(Path.Combine(_folder.FullName, "cohort"), options.Cohort.Directory);
        Assert.Equal(["kidney"], options.Cohort.Labels.Keys);
        Assert.Equal("FedSeg.Trainer.dll", Path.GetFileName(options.Trainer.Path));
    }

    [Fact]
    public void Value_EmptySettings_ReportsEveryProblemAtOnce()
    {
        var failures = Failures(new JsonObject());

        foreach (var key in new[] { "Site", "Coordinator", "Certificate", "PrivateKey", "Authority", "DataDirectory", "EgressPolicy", "Cohort:Directory", "Cohort:Labels" })
        {
            Assert.Contains(failures, failure => failure.Contains($"Agent:{key} is", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("Site", "North Hospital")]
    [InlineData("Coordinator", "http://plain.example")]
    [InlineData("EgressPolicy", "absent.yaml")]
    [InlineData("Cohort:Directory", "absent")]
    [InlineData("Cohort:Directory", "cohort/case-1")]
    [InlineData("Collector", "http://collector.hospital.example:4317")]
    [InlineData("Trainer:Device", "tpu")]
    [InlineData("Trainer:Threads", "-1")]
    [InlineData("Trainer:SilenceMinutes", "0")]
    [InlineData("Pace:UpBytesPerSecond", "16000")]
    [InlineData("Pace:DownBytesPerSecond", "-1")]
    [InlineData("Pace:OnlyInWindows", "true")]
    [InlineData("Pace:Windows:0:Hours", "late")]
    [InlineData("Pace:Windows:0:Hours", "10:00-10:00")]
    public void Value_OneBadSetting_IsTheOneProblemNamed(string key, string value) =>
        // The options generator words ranges itself and writes the key with points.
        Assert.Contains(key, Assert.Single(Failures(Good(), $"--Agent:{key}={value}")).Replace('.', ':'));

    [Fact]
    public void Value_Pace_IsReadAndItsMistakesAreNamedWithTheirKeys()
    {
        string[] night = ["--Agent:Pace:UpBytesPerSecond=500000", "--Agent:Pace:Windows:0:Hours=22:00-06:00",
            "--Agent:Pace:Windows:0:DownBytesPerSecond=2000000"];
        var pace = Read(Good(), night).Pace;
        Assert.Equal((500_000, "22:00-06:00", 2_000_000),
            (pace.UpBytesPerSecond, pace.Windows[0].Hours, pace.Windows[0].DownBytesPerSecond));

        var failures = Failures(Good(),
            [.. night, "--Agent:Pace:Windows:1:Hours=05:00-07:00", "--Agent:Pace:Windows:1:UpBytesPerSecond=31999"]);
        Assert.Contains(failures, failure =>
            failure.Contains("Pace:Windows:1:Hours is '05:00-07:00', which overlaps '22:00-06:00'", StringComparison.Ordinal));
        Assert.Contains(failures, failure => failure.Contains(
            "Pace:Windows:1:UpBytesPerSecond is 31999; it must be 0 for no cap or at least 32000", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--Agent:Sitee=north")]
    [InlineData("--Agent:Trainer:Threads=many")]
    public async Task RunAsync_UnknownSettingOrWrongKind_IsBadInput(string mistake) => Assert.Equal(ServiceProgram.BadInput, await ServiceProgram.RunAsync(() => Build(Good(), mistake)));

    private static JsonObject Good() => new()
    {
        ["Site"] = "north",
        ["Coordinator"] = "https://coordinator.example:7443",
        ["Certificate"] = "north.pem",
        ["PrivateKey"] = "north.key",
        ["Authority"] = "authority.pem",
        ["DataDirectory"] = "data",
        ["EgressPolicy"] = "egress-policy.yaml",
        ["Cohort"] = new JsonObject { ["Directory"] = "cohort", ["Labels"] = new JsonObject { ["kidney"] = new JsonArray("kidney") } },
    };

    private IHost Build(JsonObject agent, params string[] switches)
    {
        var path = Path.Combine(_folder.FullName, "agent.json");
        File.WriteAllText(path, new JsonObject { ["Agent"] = agent }.ToJsonString());
        string[] args = ["--settings", path, .. switches];
        var builder = Host.CreateEmptyApplicationBuilder(null);
        ServiceProgram.Configure(builder, args);
        builder.Services.AddAgentOptions(args);
        return builder.Build();
    }

    private AgentOptions Read(JsonObject agent, params string[] switches)
    {
        using var host = Build(agent, switches);
        return host.Services.GetRequiredService<IOptions<AgentOptions>>().Value;
    }

    private List<string> Failures(JsonObject agent, params string[] switches) =>
        [.. Assert.Throws<OptionsValidationException>(() => Read(agent, switches)).Failures];
}
