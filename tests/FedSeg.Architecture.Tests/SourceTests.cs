using System.Text.RegularExpressions;

namespace FedSeg.Architecture.Tests;

/// <summary>Promises that only the source shows.</summary>
public sealed partial class SourceTests
{
    private static readonly string Root = FindRoot();

    [Fact]
    public void Agent_OnlyItsCoordinatorFolderTouchesGrpc()
    {
        var agent = Path.Combine(Root, "site-agent", "agent");
        var door = Path.Combine(agent, "Coordinator") + Path.DirectorySeparatorChar;
        var sources = Directory.GetFiles(agent, "*.cs", SearchOption.AllDirectories);

        Assert.Contains(sources, source => source.StartsWith(door, StringComparison.Ordinal) && File.ReadAllText(source).Contains("using Grpc", StringComparison.Ordinal));
        Assert.All(sources.Where(source => !source.StartsWith(door, StringComparison.Ordinal)), source =>
        {
            var text = File.ReadAllText(source);
            Assert.DoesNotContain("using Grpc", text);
            Assert.DoesNotContain("FedSeg.Protocol", text);
        });
    }

    /// <summary>
    /// The sender takes a ClearedUpdate, a ClearedNotice or a ClearedStep, and one file makes each: after the ledger's entry.
    /// </summary>
    [Theory]
    [InlineData("new ClearedUpdate(", "EgressGate.cs")]
    [InlineData("new ClearedNotice(", "EgressGate.cs")]
    [InlineData("new ClearedStep(", "BlindGate.cs")]
    public void Cleared_IsMadeByTheGateAlone(string making, string gate) =>
        Assert.Equal(gate, Path.GetFileName(Assert.Single(Sources(), source =>
            File.ReadAllText(source).Contains(making, StringComparison.Ordinal))));

    [Fact]
    public void Importer_OnlyItsConnectionMakesAnHttpClient()
    {
        var sources = Directory.GetFiles(Path.Combine(Root, "site-agent", "importer"), "*.cs", SearchOption.AllDirectories);

        var door = Assert.Single(sources, source => File.ReadAllText(source) is var text && (text.Contains("new HttpClient(", StringComparison.Ordinal) || text.Contains("new SocketsHttpHandler", StringComparison.Ordinal)));
        Assert.Equal("PacsConnection.cs", Path.GetFileName(door));
        Assert.Contains("AllowAutoRedirect = false", File.ReadAllText(door));
        Assert.Contains("UseProxy = false", File.ReadAllText(door));
    }

    [Fact]
    public void Root_HoldsNothingButTheHouse()
    {
        string[] allowed = ["FedSeg.sln", "protos", "src", "coordinator", "site-agent", "tests", "deploy", "docs", "README.md", "LICENSE", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json", "artifacts", "TestResults"];

        Assert.Subset(allowed.ToHashSet(), Directory.GetFileSystemEntries(Root).Select(entry => Path.GetFileName(entry)!).Where(name => !name.StartsWith('.')).ToHashSet());
    }

    [Theory]
    [InlineData("Common")]
    [InlineData("Utils")]
    [InlineData("Helpers")]
    [InlineData("Services")]
    [InlineData("Interfaces")]
    public void Folders_AreFeatures_NotKinds(string kind) =>
        Assert.DoesNotContain(Sources(), source => source.Contains($"{Path.DirectorySeparatorChar}{kind}{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    /// <summary>An operator filters a program's log by number.</summary>
    [Theory]
    [InlineData("coordinator")]
    [InlineData("site-agent/agent")]
    [InlineData("site-agent/desk")]
    [InlineData("site-agent/importer")]
    public void LogMessages_OfAProgram_HaveNumbersOfTheirOwn(string program)
    {
        var numbers = Directory.GetFiles(Path.Combine(Root, program), "*.cs", SearchOption.AllDirectories)
            .SelectMany(source => LogMessage().Matches(File.ReadAllText(source)))
            .Select(message => message.Groups[1].Value)
            .ToList();

        Assert.NotEmpty(numbers);
        Assert.Empty(numbers.GroupBy(number => number).Where(same => same.Count() > 1).Select(same => same.Key));
    }

    /// <summary>Model files are safetensors; what would run code from a file is never called.</summary>
    [Theory]
    [InlineData("torch.load(")]
    [InlineData("jit.load(")]
    [InlineData("BinaryFormatter")]
    [InlineData("Assembly.Load(")]
    public void NothingFromAFile_IsEverRun(string call) =>
        Assert.All(Sources(), source => Assert.DoesNotContain(call, File.ReadAllText(source)));

    /// <summary>What a run and a site do next is a function of what they know and are told: that is what makes it simulable.</summary>
    [Theory]
    [InlineData("Rounds/RunProtocol.cs")]
    [InlineData("Rounds/RunState.cs")]
    [InlineData("Assignments/AssignmentProtocol.cs")]
    public void Protocols_HaveNoClockNoChanceAndNoWaiting(string source)
    {
        string[] impure = ["async ", "await ", "Task<", "TimeProvider", "UtcNow", "Random", "Guid", "Environment.", "File.", " lock ", "static readonly Dictionary"];
        var text = File.ReadAllText(Path.Combine(Root, "src", "FedSeg.Federation", source));

        Assert.All(impure, word => Assert.DoesNotContain(word, text));
    }

    private static IEnumerable<string> Sources() =>
        new[] { "src", "coordinator", "site-agent" }.SelectMany(folder => Directory.GetFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories));

    internal static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "FedSeg.sln"))) directory = directory.Parent!;
        return directory.FullName;
    }

    [GeneratedRegex(@"\[LoggerMessage\(\s*(\d+),")]
    private static partial Regex LogMessage();
}
