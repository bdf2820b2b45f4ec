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
    public void End_OfARun_LeavesTheSitesOwnModel_AndWipeDoesNot()
    {
        Folders.End(Run);
        Assert.False(Directory.Exists(_state));
        Assert.True(File.Exists(Folders.PersonalModel(Run)));
        Folders.Wipe(Run);
        Assert.False(File.Exists(Folders.PersonalModel(Run)));
    }
}
