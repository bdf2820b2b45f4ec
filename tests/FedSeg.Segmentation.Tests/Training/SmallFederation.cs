using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using FedSeg.Testing;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Training;

/// <summary>Sites in one process that share a base model in a folder; what each keeps lies in <c>site-N</c>.</summary>
internal sealed class SmallFederation(TemporaryFolder folder)
{
    /// <summary>A site's files.</summary>
    public RoundFiles Files(int site, bool hasControl = false) => new()
    {
        Model = folder["base"],
        Update = folder["update"],
        State = folder[$"site-{site}"],
        Control = hasControl ? folder["control"] : null,
        PersonalModel = folder["personal"],
        CheckpointEverySteps = int.MaxValue,
    };

    /// <summary>The weights' changes in an update's file.</summary>
    public static Dictionary<string, float[]> Update(RoundFiles files)
    {
        using var file = SafetensorsFile.Open(files.Update);
        return file.Tensors.ToDictionary(tensor => tensor.Name, tensor => file.ReadAll(tensor.Name));
    }

    /// <summary>All of an update's changes of weights, one after the other.</summary>
    public static float[] Flat(Dictionary<string, float[]> update) =>
        [.. update.Where(tensor => !tensor.Key.StartsWith("control.", StringComparison.Ordinal)).SelectMany(tensor => tensor.Value)];

    public static double Cosine(float[] a, float[] b) => Dot(a, b) / Math.Sqrt(Dot(a, a) * Dot(b, b));

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();

    /// <summary>The coordinator has the round's update, as an agent would note it.</summary>
    public static void Arrive(string state, int round) => File.Move(OwnControlFiles.UnsentPathOf(state, round), OwnControlFiles.PathOf(state, round), overwrite: true);

    /// <summary>Two sites, each of which draws one half of the balls only.</summary>
    public static Cohort[] Halves(bool undrawn) =>
        [.. Enumerable.Range(1, 2).Select(drawn => Cohort.Split(SyntheticCases.Make(3, seed: drawn).Select(entry => Only(entry, (byte)drawn, undrawn)), 0.25, seed: 7))];

    /// <summary>Rounds over all sites, each site counting once; the base model moves on. Gives every round's updates.</summary>
    public List<Dictionary<string, float[]>[]> Federate(Cohort[] sites, TrainingRecipe recipe, int rounds)
    {
        var all = new List<Dictionary<string, float[]>[]>();
        Dictionary<string, float[]>? control = null;
        for (var round = 1; round <= rounds; round++)
        {
            var plan = Plans.Round(round, recipe: recipe);
            Dictionary<string, float[]>[] updates = [.. sites.Select((site, i) =>
            {
                var files = Files(i, control is not null);
                Assert.IsType<RoundOutcome.Done>(RoundWork.Run(plan, site.WithoutHeldBack(), files, CPU, null, TestContext.Current.CancellationToken));
                if (recipe.Algorithm is LocalAlgorithm.Scaffold) Arrive(files.State!, round);
                return Update(files);
            })];
            AddMean(updates);
            if (recipe.Algorithm is LocalAlgorithm.Scaffold) WriteControl(control = Mean(updates)); // two rounds at most: from zero, the change is the value
            all.Add(updates);
        }

        return all;
    }

    public static Dictionary<string, float[]> Mean(Dictionary<string, float[]>[] updates) => updates[0].ToDictionary(
        tensor => tensor.Key, tensor => tensor.Value.Select((_, i) => updates.Average(update => update[tensor.Key][i])).ToArray());

    /// <summary>Cosine between the weights' changes of two sites.</summary>
    public static double Cosine(Dictionary<string, float[]>[] updates) => Cosine(Flat(updates[0]), Flat(updates[1]));

    /// <summary>A case of which only one label is drawn.</summary>
    public static PreparedCase Only(PreparedCase whole, byte drawn, bool undrawn)
    {
        var labels = new LabelVolume(whole.Labels.Grid, [.. whole.Labels.Labels.Select(label => label == drawn ? label : (byte)0)]);
        return new PreparedCase(whole.PatientKey, whole.Prepared, labels, labels) { Undrawn = undrawn ? [(byte)(3 - drawn)] : [] };
    }

    private void AddMean(Dictionary<string, float[]>[] updates)
    {
        var (manifest, mean) = (ArchitectureCatalog.Manifest(Plans.Small), Mean(updates));
        using (var model = SafetensorsFile.Open(folder["base"]))
        using (var writer = SafetensorsWriter.Create(folder["next"], manifest, model.Metadata))
        {
            foreach (var tensor in manifest.Tensors)
            {
                // What stays at the sites is in no update.
                var values = model.ReadAll(tensor.Name);
                writer.Write(mean.TryGetValue(tensor.Name, out var change) ? [.. values.Zip(change, (value, added) => value + added)] : values);
            }

            writer.Complete();
        }

        File.Move(folder["next"], folder["base"], overwrite: true);
    }

    public void WriteControl(Dictionary<string, float[]> update)
    {
        var manifest = ArchitectureCatalog.Manifest(Plans.Small);
        using var writer = SafetensorsWriter.Create(folder["control"], manifest);
        foreach (var tensor in manifest.Tensors) writer.Write(update[UpdateManifest.ControlName(tensor.Name)]);
        writer.Complete();
    }
}
