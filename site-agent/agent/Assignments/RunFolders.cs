using System.Globalization;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Training;
using FedSeg.Hosting.Storage;

namespace FedSeg.SiteAgent.Assignments;

/// <summary>
/// What this site keeps of runs beside the ledger: the round's model, prepared cases, checkpoints, kept tensors and the site's own models. None of it ever leaves.
/// </summary>
/// <param name="dataDirectory">The agent's.</param>
internal sealed class RunFolders(string dataDirectory)
{
    private const string Cases = "cases", Withdrawn = "withdrawn", Split = "split.json";

    private readonly string _states = Path.Combine(dataDirectory, "state"), _models = Path.Combine(dataDirectory, "models");
    private readonly string _splits = Path.Combine(dataDirectory, "splits");

    /// <summary>Runs of which there is something that goes with them.</summary>
    public IEnumerable<RunId> Runs => new[] { _states, _models }
        .Where(Directory.Exists)
        .SelectMany(Directory.EnumerateDirectories)
        .Select(folder => RunId.TryParse(Path.GetFileName(folder), null, out var run) ? run : (RunId?)null)
        .OfType<RunId>()
        .Distinct();

    /// <summary>
    /// Where a model that the coordinator sent to a run belongs. Not with what the trainer may write: the gate measures the update against it.
    /// </summary>
    public string Model(RunId run, Sha256Digest model) => Path.Combine(Directory.CreateDirectory(ModelsPath(run)).FullName, model + ".safetensors");

    /// <summary>Removes the models of earlier rounds, also those that arrived in part.</summary>
    /// <param name="run">The run.</param>
    /// <param name="but">The models that stay.</param>
    public void DropModels(RunId run, IReadOnlyCollection<Sha256Digest> but)
    {
        var kept = but.Select(model => Model(run, model)).ToList();
        foreach (var path in Directory.EnumerateFiles(ModelsPath(run)).Where(path => !kept.Any(model => path.StartsWith(model, StringComparison.Ordinal)))) File.Delete(path);
    }

    /// <summary>What the site keeps of a run while it goes on; gone with the run.</summary>
    public string StatePath(RunId run) => Path.Combine(_states, run.ToString());

    /// <summary>The same folder, made if it is not there.</summary>
    public string State(RunId run) => Directory.CreateDirectory(StatePath(run)).FullName;

    /// <summary>Prepared cases of a run, in its state.</summary>
    public static string CasesIn(string state) => Path.Combine(state, Cases);

    /// <summary>Who is held back in a run, in its state while it goes on.</summary>
    public static string SplitIn(string state) => Path.Combine(state, Split);

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

    /// <summary>The coordinator has the round's update: the control variate that it carried the change of counts, durably. Done twice it does nothing more.</summary>
    public void KeepControl(RunId run, int round)
    {
        var unsent = OwnControlFiles.UnsentPathOf(StatePath(run), round);
        if (File.Exists(unsent)) DurableFile.Publish(unsent, OwnControlFiles.PathOf(StatePath(run), round));
    }

    /// <summary>Where that stays after the run's end: its models can be judged by those patients only.</summary>
    public string KeptSplit(RunId run) => Path.Combine(_splits, run + ".json");

    /// <summary>At a run's end. Done twice it does nothing more.</summary>
    public void End(RunId run)
    {
        var split = SplitIn(StatePath(run));
        if (File.Exists(split))
        {
            DurableFile.CreateDirectory(_splits);
            DurableFile.Publish(split, KeptSplit(run));
        }

        DeleteFolder(StatePath(run));
        DeleteFolder(ModelsPath(run));
    }

    /// <summary>Everything that is kept of a run.</summary>
    public void Wipe(RunId run)
    {
        End(run);
        File.Delete(PersonalModel(run));
        if (Directory.Exists(_splits)) File.Delete(KeptSplit(run));
    }

    private string ModelsPath(RunId run) => Path.Combine(_models, run.ToString());

    private static void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
