using FedSeg.Federation.Identity;
using FedSeg.Federation.Training;
using FedSeg.SiteAgent.Assignments;
using FedSeg.Testing;

namespace FedSeg.SiteAgent.Tests.Assignments;

public sealed class RunFoldersTests : IDisposable
{
    private static readonly RunId Run = RunId.Parse("run-1");
    private static readonly PatientRules Nobody = new() { PseudonymKey = new byte[32], Withdrawn = [] };

    private readonly TemporaryFolder _folder = new();
    private readonly string _state;

    public RunFoldersTests()
    {
        _state = Folders.State(Run);
        foreach (var part in new[] { "cases/one.case", "2/kept.safetensors", "3/checkpoint.safetensors", "residual-2.safetensors" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_state, part))!);
            File.WriteAllText(Path.Combine(_state, part), "x");
        }

        File.WriteAllText(Folders.PersonalModel(Run), "x");
    }

    private RunFolders Folders => new(_folder["data"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Prepare_SomebodyWithdrew_PurgesCasesAndTheRoundsOwnCheckpointsOnce()
    {
        RunFolders.Prepare(_state, 3, Nobody);
        Assert.True(File.Exists(Path.Combine(_state, "cases", "one.case")));
        var rules = Nobody with { Withdrawn = [Sha256Digest.Of("ada"u8)] };
        RunFolders.Prepare(_state, 3, rules);

        Assert.False(Directory.Exists(Path.Combine(_state, "cases")));
        Assert.False(Directory.Exists(Path.Combine(_state, "3")));
        Assert.True(File.Exists(Path.Combine(_state, "2", "kept.safetensors")));
        Assert.False(File.Exists(Path.Combine(_state, "residual-2.safetensors")));
        Directory.CreateDirectory(Path.Combine(_state, "3"));
        RunFolders.Prepare(_state, 3, rules);
        Assert.True(Directory.Exists(Path.Combine(_state, "3")));
    }

    [Fact]
    public void DropModels_OfEarlierRounds_LeavesThoseOfThisRoundAndOfOtherRuns()
    {
        var (before, now) = (Sha256Digest.Of("before"u8), Sha256Digest.Of("now"u8));
        var elsewhere = Folders.Model(RunId.Parse("run-2"), before);
        foreach (var path in new[] { Folders.Model(Run, before), Folders.Model(Run, before) + ".part", Folders.Model(Run, now) + ".part", elsewhere }) File.WriteAllText(path, "x");

        Folders.DropModels(Run, [now]);

        Assert.Equal([Folders.Model(Run, now) + ".part"], Directory.GetFiles(Path.GetDirectoryName(Folders.Model(Run, now))!));
        Assert.True(File.Exists(elsewhere));
    }

    [Fact]
    public void Runs_WithAStateOrAModel_AreNamedOnce()
    {
        Folders.Model(Run, Sha256Digest.Of("now"u8));
        Folders.Model(RunId.Parse("run-2"), Sha256Digest.Of("now"u8));
        Directory.CreateDirectory(_folder["data", "state", "not a run"]);

        Assert.Equal([Run, RunId.Parse("run-2")], Folders.Runs.OrderBy(run => run.ToString(), StringComparer.Ordinal));
        Assert.Empty(new RunFolders(_folder["nothing"]).Runs);
    }

    /// <summary>After a crash the update is sent again, and comes here again.</summary>
    [Fact]
    public void KeepControl_UpdateThatArrived_CountsItsControlVariate_AndASecondTimeChangesNothing()
    {
        foreach (var round in new[] { 2, 3 }) File.WriteAllText(OwnControlFiles.UnsentPathOf(_state, round), $"of round {round}");

        Folders.KeepControl(Run, 2);
        Folders.KeepControl(Run, 2);

        Assert.Equal("of round 2", File.ReadAllText(OwnControlFiles.PathOf(_state, 2)));
        Assert.False(File.Exists(OwnControlFiles.PathOf(_state, 3)));
        Assert.True(File.Exists(OwnControlFiles.UnsentPathOf(_state, 3)));
    }

    /// <summary>A run of another algorithm has none.</summary>
    [Fact]
    public void KeepControl_RunWithoutOne_DoesNothing()
    {
        Folders.KeepControl(Run, 2);
        Folders.KeepControl(RunId.Parse("run-2"), 1);

        Assert.False(File.Exists(OwnControlFiles.PathOf(_state, 2)));
        Assert.False(Directory.Exists(Folders.StatePath(RunId.Parse("run-2"))));
    }

    [Fact]
    public void End_OfARun_KeepsWhoWasHeldBack_AndWipeDoesNot()
    {
        File.WriteAllText(RunFolders.SplitIn(_state), "who");
        Folders.End(Run);
        Folders.End(Run);

        Assert.False(Directory.Exists(_state));
        Assert.Equal("who", File.ReadAllText(_folder["data", "splits", "run-1.json"]));
        Assert.DoesNotContain(Run, Folders.Runs);
        Folders.Wipe(Run);
        Folders.Wipe(Run);
        Assert.False(File.Exists(Folders.KeptSplit(Run)));
    }

    [Fact]
    public void End_OfARun_LeavesTheSitesOwnModel_AndWipeDoesNot()
    {
        var model = Folders.Model(Run, Sha256Digest.Of("now"u8));
        Folders.End(Run);
        Assert.False(Directory.Exists(Path.GetDirectoryName(model)));
        Assert.False(Directory.Exists(_state));
        Assert.True(File.Exists(Folders.PersonalModel(Run)));
        Folders.Wipe(Run);
        Assert.False(File.Exists(Folders.PersonalModel(Run)));
    }
}
