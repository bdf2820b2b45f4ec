using System.Globalization;
using System.Text;
using FedSeg.Federation.Assignments;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Simulation;

public sealed class SimulationTests
{
    private const int SeedCount = 1000, MutantSeeds = 1000;

    /// <summary>Names a seed to be replayed, or a range of them such as <c>1001-50000</c>, instead of the usual ones.</summary>
    private const string SeedVariable = "FEDSEG_SIMULATION_SEED";

    private static ITestOutputHelper Output => TestContext.Current.TestOutputHelper!;

    [Fact]
    public void Federation_AnySeed_KeepsItsPromisesAtTenThousandRoundsAMinute()
    {
        var asked = Environment.GetEnvironmentVariable(SeedVariable) is { Length: > 0 } text ? text : $"1-{SeedCount}";
        var range = asked.Split('-').Select(seed => int.Parse(seed, CultureInfo.InvariantCulture)).ToList();
        var started = TimeProvider.System.GetTimestamp();
        var rounds = Enumerable.Range(range[0], 1 + range[^1] - range[0]).Sum(seed => Simulate((ulong)seed));
        var aMinute = rounds / TimeProvider.System.GetElapsedTime(started).TotalMinutes;

        Output.WriteLine($"{rounds} rounds of the seeds {asked}, {aMinute:F0} a minute on one core");
        if (rounds > SeedCount) Assert.InRange(aMinute, 10_000, double.PositiveInfinity);
    }

    /// <summary>Seeds that once found a fault, each with what it was.</summary>
    [Fact]
    public void Federation_SeedThatOnceFailed_KeepsItsPromises()
    {
        var corpus = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Simulation", "failed-seeds.txt")).Where(line => line.Length > 0 && line[0] != '#');
        foreach (var line in corpus) Simulate(ulong.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture));
    }

    public static TheoryData<string> Mutants => [.. Mutant.All.Keys];

    [Theory]
    [MemberData(nameof(Mutants))]
    public void Simulation_BrokenProtocol_IsFoundOut(string name)
    {
        var mutant = Mutant.All[name];

        var broken = Enumerable.Range(1, MutantSeeds).Select(seed => Failure((ulong)seed, mutant)).FirstOrDefault(failure => failure is not null);

        Assert.NotNull(broken);
        Output.WriteLine(broken.Message);
        Assert.Equal(mutant.Breaks, broken.Invariant);
    }

    [Fact]
    public void Simulation_SameSeedTwice_IsTheSameRun()
    {
        var (first, second) = (new StringBuilder(), new StringBuilder());

        new Simulation(7, Mutant.None, first).Run();
        new Simulation(7, Mutant.None, second).Run();

        Assert.NotEqual(0, first.Length);
        Assert.Equal(first.ToString(), second.ToString());
    }

    /// <summary>A simulation that leaves a part of the protocols out proves nothing about it.</summary>
    [Fact]
    public void Simulation_Seeds_ReachEveryInputAndEffect()
    {
        var seen = new HashSet<Type>();
        var watched = Mutant.Watched(seen);

        for (var seed = 1; seed <= SeedCount; seed++) new Simulation((ulong)seed, watched).Run();

        Type[] vocabulary = [typeof(RunInput), typeof(RunEffect), typeof(AssignmentInput), typeof(AssignmentEffect)];
        Assert.Empty(vocabulary.SelectMany(part => part.GetNestedTypes()).Where(type => !type.IsAbstract).Except(seen).Select(type => type.FullName));
    }

    private static int Simulate(ulong seed)
    {
        try
        {
            return new Simulation(seed, Mutant.None).Run();
        }
        catch (Exception error) when (error is InvariantBrokenException or InvalidOperationException)
        {
            Assert.Fail($"""
                Seed {seed} breaks {error.Message}
                Replay: {SeedVariable}={seed} artifacts/bin/FedSeg.Federation.Tests/release/FedSeg.Federation.Tests --filter-method '*Federation_AnySeed*'
                {Retrace(seed)}
                """);
            throw;
        }
    }

    private static InvariantBrokenException? Failure(ulong seed, Mutant mutant)
    {
        try
        {
            new Simulation(seed, mutant).Run();
            return null;
        }
        catch (InvariantBrokenException broken)
        {
            return broken;
        }
    }

    private static string Retrace(ulong seed)
    {
        var trace = new StringBuilder();
        try
        {
            new Simulation(seed, Mutant.None, trace).Run();
        }
        catch (Exception error) when (error is InvariantBrokenException or InvalidOperationException)
        {
            trace.AppendLine(error.ToString());
        }

        return trace.ToString();
    }
}
