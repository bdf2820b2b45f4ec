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
    public void Value_OneBadSetting_IsTheOneProblemNamed(string key, string value) =>
        // The options generator words ranges itself and writes the key with points.
        Assert.Contains(key, Assert.Single(Failures(Good(), $"--Agent:{key}={value}")).Replace('.', ':'));

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
