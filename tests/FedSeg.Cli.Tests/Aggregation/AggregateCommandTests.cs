using System.Globalization;
using System.Text.Json;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Aggregation;

public sealed class AggregateCommandTests : IDisposable
{
    /// <summary>The common input of shared/reference/federation.md.</summary>
    private const string CommonRounds = """
        [[{"weight":10,"values":[1.2,-1.5,0.5,0.3]},{"weight":30,"values":[0.8,-2.5,1,-0.1]},{"weight":60,"values":[2,-2,0,0.2]}],
         [{"weight":10,"values":[1.5,-1,0.4,0.5]},{"weight":30,"values":[0.9,-2.2,0.8,0]},{"weight":60,"values":[1.8,-1.9,0.2,0.1]}]]
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task FedAdam_CommonInput_PrintsOneModelARound()
    {
        var ended = await RunAsync("fedadam", CommonRounds, """{"serverLearningRate":0.1,"beta1":0.9,"beta2":0.99,"tau":0.001}""");

        Assert.Equal(0, ended.ExitCode);
        using var document = JsonDocument.Parse(ended.Output);
        var models = document.RootElement.GetProperty("models").EnumerateArray().Select(model => model.EnumerateArray().Select(value => value.GetDouble()).ToArray()).ToArray();
        double[][] expected = [[1.07294342, -2.06749634, .430394395, .0685347497], [1.1560999, -2.04343477, .365592529, .138223419]];
        Assert.Equal(expected.Length, models.Length);
        Assert.All(expected.SelectMany(model => model).Zip(models.SelectMany(model => model)), pair => Assert.Equal(pair.First, pair.Second, 5e-9));
    }

    [Theory]
    [InlineData("fedavg", "{}")]
    [InlineData("qfedavg", """{"q":1,"serverLearningRate":1,"losses":[1,2,3]}""")]
    [InlineData("krum", """{"byzantine":1}""")]
    [InlineData("multikrum", """{"byzantine":1,"keep":2}""")]
    [InlineData("bulyan", "{}")]
    [InlineData("fltrust", """{"root":2}""")]
    public async Task Strategy_WithItsOptions_IsDone(string strategy, string options)
    {
        var ended = await RunAsync(strategy, CommonRounds, options);

        Assert.Equal((0, ""), (ended.ExitCode, ended.Errors));
    }

    [Theory]
    [InlineData("average", "{}", "'average' is not one of: fedavg,")]
    [InlineData("fedavg", """{"beta1":0.9}""", "input.json.options: 'beta1' is unknown; known are: serverLearningRate")]
    [InlineData("fedadam", """{"tau":0}""", "input.json.options.tau: 0 is not from 1E-12 to 1")]
    [InlineData("krum", """{"byzantine":2}""", "rounds[0]: krum with byzantine 2 needs at least 5 updates; there are 3")]
    [InlineData("bulyan", """{"byzantine":1}""", "needs at least 7 updates")]
    [InlineData("trimmedmean", """{"trim":0.5}""", "options.trim: 0.5 is not from 0 to 0.4999")]
    [InlineData("trimmedmean", """{"byzantine":2}""", "needs at least 5 updates")]
    [InlineData("multikrum", """{"keep":1.5}""", "options.keep: 1.5 is not a whole number")]
    [InlineData("fltrust", """{"root":1.5}""", "options.root: 1.5 is not a whole number")]
    [InlineData("normbound", """{"bound":"NaN"}""", "options.bound: is 'NaN'; a finite number is expected")]
    [InlineData("qfedavg", """{"losses":[1,2]}""", "has 2 losses; rounds[0] has 3 clients")]
    [InlineData("qfedavg", "{}", "needs a finite loss")]
    public async Task BadStrategyOrOption_IsBadInputInOneLine(string strategy, string options, string expected)
    {
        var ended = await RunAsync(strategy, CommonRounds, options);

        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.Contains(expected, ended.ErrorLine);
    }

    [Theory]
    [InlineData("""[[{"weight":1,"values":[1,1e999,0,0]}]]""", "rounds[0][0].values[1]: 1e999 is not finite")]
    [InlineData("""[[{"weight":1,"values":[1,"NaN",0,0]}]]""", "rounds[0][0].values[1]: is 'NaN'")]
    [InlineData("""[[{"weight":1,"values":[1]}]]""", "rounds[0][0].values: has 1 numbers; initial has 4")]
    [InlineData("""[[{"weight":-1,"values":[1,1,1,1]}]]""", "rounds[0][0].weight: -1 is not from 0")]
    [InlineData("""[[{"weight":0,"values":[1,1,1,1]}]]""", "rounds[0]: No update has a weight above 0")]
    [InlineData("""[[{"values":[1,1,1,1]}]]""", "rounds[0][0]: has no 'weight'")]
    [InlineData("[[]]", "rounds[0]: ")]
    [InlineData("{", "is not JSON")]
    public async Task BadInput_IsRefusedWithItsPlace(string rounds, string expected)
    {
        var ended = await RunAsync("fedavg", rounds, "{}");

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(expected, ended.ErrorLine);
    }

    [Fact]
    public async Task MissingFile_IsBadInputInOneLine()
    {
        var ended = await FedsegProcess.RunAsync("aggregate", "--strategy", "fedavg", "--input", _folder["absent.json"]);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("absent.json", ended.ErrorLine);
    }

    /// <summary>
    /// Invariant I4 across machines: the processor's vector registers may not show in a model. Each setting is a process of its own.
    /// </summary>
    [Fact]
    public async Task EveryRule_OnAnyRegisterWidth_GivesTheSameBits()
    {
        // Sine values end in bits that any other order of additions would change.
        string Values(int client) => string.Join(",", Enumerable.Range(0, 203).Select(i => Math.Sin(i * (client + 1.7) + client).ToString("R", CultureInfo.InvariantCulture)));
        var round = "[" + string.Join(",", Enumerable.Range(0, 8).Select(client => $"{{\"weight\":{client + 1},\"values\":[{Values(client)}]}}")) + "]";
        var input = $"{{\"initial\":[{Values(20)}],\"rounds\":[{round},{round}],\"options\":OPTIONS}}";
        (string Strategy, string Options)[] runs =
        [
            ("fedavg", "{}"), ("fedavgm", "{}"), ("fedadam", "{}"), ("fedyogi", "{}"), ("fedadagrad", "{}"), ("fednova", "{}"),
            ("median", "{}"), ("trimmedmean", "{}"), ("krum", """{"byzantine":2}"""), ("multikrum", """{"byzantine":2}"""), ("bulyan", """{"byzantine":1}"""),
            ("normbound", "{}"), ("fltrust", "{}"), ("qfedavg", """{"q":0.3,"losses":[1,2,3,4,5,6,7,8]}"""),
        ];
        foreach (var (strategy, options) in runs)
        {
            var path = _folder.Write(strategy + ".json", input.Replace("OPTIONS", options, StringComparison.Ordinal));
            string[] arguments = ["aggregate", "--strategy", strategy, "--input", path];
            var widest = await FedsegProcess.RunAsync(arguments);
            var withoutAvx512 = await FedsegProcess.RunAsync(arguments, ("DOTNET_EnableAVX512", "0"), ("DOTNET_EnableAVX512F", "0"));
            var withoutAny = await FedsegProcess.RunAsync(arguments, ("DOTNET_EnableHWIntrinsic", "0"));

            Assert.Equal(0, widest.ExitCode);
            Assert.Equal(widest.Output, withoutAvx512.Output);
            Assert.Equal(widest.Output, withoutAny.Output);
        }
    }

    private Task<FedsegProcess> RunAsync(string strategy, string rounds, string options)
    {
        var input = _folder.Write("input.json", $"{{\"initial\":[1,-2,0.5,0],\"rounds\":{rounds},\"options\":{options}}}");
        return FedsegProcess.RunAsync("aggregate", "--strategy", strategy, "--input", input, "--json");
    }
}
