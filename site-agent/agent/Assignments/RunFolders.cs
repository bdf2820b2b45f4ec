using System.Globalization;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Training;
using FedSeg.Hosting.Storage;

namespace FedSeg.SiteAgent.Assignments;

/// <summary>What this site keeps of runs beside the ledger: prepared cases, checkpoints, kept tensors and the site's own models. None of it ever leaves.</summary>
/// <param name="dataDirectory">The agent's.</param>
internal sealed class RunFolders(string dataDirectory)
{
    private const string Cases = "cases", Withdrawn = "withdrawn";

    /// <summary>What the site keeps of a run while it goes on; gone with the run.</summary>
    public string StatePath(RunId run) => Path.Combine(dataDirectory, "state", run.ToString());

    /// <summary>The same folder, made if it is not there.</summary>
    public string State(RunId run) => Directory.CreateDirectory(StatePath(run)).FullName;

    /// <summary>Prepared cases of a run, in its state.</summary>
    public static string CasesIn(string state) => Path.Combine(state, Cases);

    /// <summary>Where the site's own model of a run stays after its end.</summary>
    public string PersonalModel(RunId run) => Path.Combine(Directory.CreateDirectory(Path.Combine(dataDirectory, "personal")).FullName, run + ".safetensors");

    /// <summary>
    /// Before a round begins: when other patients have withdrawn than at the last time, prepared cases go, and with them what may still hold something of them and would leave
    /// later: the round's own checkpoints, and what encodings held back. What else earlier rounds left stays; the run's later rounds need it.
    /// </summary>
    /// <param name="state">The run's state.</param>
    /// <param name="round">The round that is about to begin.</param>
    /// <param name="rules">As the trainer will be told.</param>
    public static void Prepare(string state, int round, PatientRules rules)
    {
        var (marker, now) = (Path.Combine(state, Withdrawn), rules.WithdrawnHash.ToString());
        if (File.Exists(marker) ? File.ReadAllText(marker) == now : rules.Withdrawn.IsEmpty) return;
        DeleteFolder(CasesIn(state));
        DeleteFolder(Path.Combine(state, round.ToString(CultureInfo.InvariantCulture)));
        new ResidualFiles(state).DropAll();
        DurableFile.Write(marker, System.Text.Encoding.ASCII.GetBytes(now));
    }

    /// <summary>At a run's end.</summary>
    public void End(RunId run) => DeleteFolder(StatePath(run));

    /// <summary>Everything that is kept of a run.</summary>
    public void Wipe(RunId run)
    {
        End(run);
        File.Delete(PersonalModel(run));
    }

    private static void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
