using System.CommandLine;
using FedSeg.Cli.Demo;
using FedSeg.Cli.Imaging;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Imaging.Cases;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;

namespace FedSeg.Cli.Engine;

/// <summary><c>fedseg train</c>: the honest baseline, the same engine on pooled data or one site's, without a federation.</summary>
internal static class TrainCommand
{
    private static readonly Option<DirectoryInfo> Data = new("--data") { Description = "DIR/<site>/<case>/… with DICOM files.", Required = true };
    private static readonly Option<FileInfo> Output = new("--out") { Description = "The model file to write, safetensors.", Required = true };
    private static readonly Option<string?> Site = new("--site") { Description = "Train on this site alone; scores are still those of its own held-back patients." };
    private static readonly Option<int?> Epochs = new("--epochs") { Description = "Passes over the training cases; 10 when neither this nor --steps is given, with --job as many steps as its rounds have at a site." };
    private static readonly Option<int?> Steps = new("--steps") { Description = "Optimiser steps instead of epochs, to compare with a federated run." };
    private static readonly Option<long?> Seed = new("--seed") { Description = "Seeds the split by patient and every draw; the job's, or 1, when not given." };
    private static readonly Option<CropRule?> Crop = new("--crop")
    {
        Description = "Zeros around the patient: None keeps them, Nonzero cuts them off, NonzeroMasked (not for CT) normalises within the rest too; 'fedseg plan' says what suits. The job's, or Nonzero, when not given.",
    };
    private static readonly Option<AugmentationKind?> Augmentation = new("--augmentation") { Description = "standard or none; the job's, or standard from 2000 steps on, when not given." };

    public static Command Create() => new Command("train", "Train without a federation: pooled or one site.") { Data, LocalJob.Option, Output, Site, Epochs, Steps, Seed, Crop, Augmentation, Htj2kSwitch.Option, DeviceSwitch.Option }.Computes(RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(Epochs) < 1 || parsed.GetValue(Steps) < 1) throw new BadInputException("--epochs and --steps must be at least 1.");
        var path = OutputFile.PathOf(parsed, Output);
        var limits = Htj2kSwitch.Limits(parsed);
        var data = DemoData.Survey(parsed.GetRequiredValue(Data).FullName, limits, cancellationToken);
        var asked = parsed.GetValue(LocalJob.Option) is { } file ? LocalJob.Read(file, data, limits) : null;
        if (asked is not null) NoteLeftOut(asked.Recipe);
        var job = asked ?? DemoRecipe.Parse(DemoRecipe.Propose("train", data, rounds: 1, stepsPerRound: 1));
        var folders = parsed.GetValue(Site) is { } site
            ? [data.Sites.GetValueOrDefault(site) ?? throw new BadInputException($"There is no site '{site}' below {parsed.GetRequiredValue(Data).FullName}; there are: {string.Join(", ", data.Sites.Keys)}.")]
            : data.Sites.Values.ToArray();
        var crop = parsed.GetValue(Crop) ?? job.Preprocessing.Crop;
        if (crop == CropRule.NonzeroMasked && job.Preprocessing.Modality == "CT") throw new BadInputException("--crop NonzeroMasked is for images normalised each by itself; CT is not.");
        job = job with { Preprocessing = job.Preprocessing with { Crop = crop } };
        var device = DeviceSwitch.Choose(parsed);
        CpuKernels.ChooseFor(job.Architecture);
        var seed = (ulong?)parsed.GetValue(Seed) ?? job.Seed;
        var vocabulary = LabelVocabulary.Of(job.Labels);
        var cohort = Cohort.Pool([.. folders.Select(folder => Cohort.Read(
            folder, vocabulary, job.Preprocessing, job.HeldBackFraction, seed, Environment.ProcessorCount, reportPath: null,
            cancellationToken, limits))]);

        var stepsPerEpoch = Math.Max(1, cohort.Training.Length / job.Recipe.BatchSize);
        var epochsAsked = parsed.GetValue(Epochs) ?? (asked is null ? 10 : null);
        var steps = parsed.GetValue(Steps) ?? (int)Math.Min(int.MaxValue, epochsAsked is { } passes ? (long)passes * stepsPerEpoch : (long)job.Rounds * job.Recipe.StepsPerRound);
        Console.Error.WriteLine($"{cohort.Training.Length} cases to train on, {cohort.HeldBack.Length} held back; {steps} steps");

        var epochs = new EpochLog(stepsPerEpoch);
        var augmentation = parsed.GetValue(Augmentation) ?? asked?.Recipe.Augmentation ?? DemoRecipe.AugmentationFor(steps);
        var request = new LocalTrainingRequest { Architecture = job.Architecture, Labels = job.Labels, Preprocessing = job.Preprocessing, Recipe = job.Recipe with { Augmentation = augmentation }, Steps = steps, Seed = seed };
        var outcome = await LocalEngine.OnOwnThread(() => LocalTraining.Run(request, cohort, path, device, epochs.Note, cancellationToken));
        if (outcome is not LocalTrainingOutcome.Done trained) throw new IOException("The loss became NaN or infinite; lower the learning rate.");

        var sha256 = await Sha256Digest.OfFileAsync(path, cancellationToken);
        var mean = trained.Scores.Average(score => score.MeanDice ?? double.NaN);
        if (parsed.GetValue(CommandLine.Json))
        {
            JsonOutput.Write(new
            {
                epochs = epochs.Epochs.Select((loss, i) => new { number = i + 1, loss }),
                steps = trained.Steps,
                secondsPerStep = trained.Time.Total.TotalSeconds / trained.Steps,
                dataWaitShare = trained.Time.DataWaitShare,
                heldBackDice = trained.Scores.ToDictionary(score => score.Label, score => score.MeanDice),
                meanDice = mean,
                model = new { path, sha256 = sha256.ToString() },
            });
        }
        else
        {
            Console.WriteLine($"{trained.Time.Total.TotalSeconds / trained.Steps:F3} s a step, {trained.Time.DataWaitShare:P1} of it waiting for patches");
            foreach (var score in trained.Scores) Console.WriteLine($"{score.Label}: Dice {score.MeanDice:F3} on {score.Cases} held-back cases");
            Console.WriteLine($"Mean Dice {mean:F3}. Model {path}  (SHA-256 {sha256})");
        }

        return CommandLine.Done;
    }

    /// <summary>What a job asks for and one training in one place does not do; privacy above all must not be believed in.</summary>
    private static void NoteLeftOut(TrainingRecipe recipe)
    {
        if (recipe.Privacy is not null) Console.Error.WriteLine("The job's privacy is left out: this model is trained without noise and protects nobody.");
        if (recipe.Algorithm is not LocalAlgorithm.Plain || recipe.MakesPersonalModel) Console.Error.WriteLine("The job's local algorithm and the sites' own models are left out: there is one model.");
    }

    /// <summary>Mean loss per epoch, said as each one ends.</summary>
    private sealed class EpochLog(int stepsPerEpoch)
    {
        private double _sum;
        private int _count;

        public List<double> Epochs { get; } = [];

        public void Note(TrainingStep step)
        {
            _sum += step.Loss;
            if (++_count < stepsPerEpoch) return;
            Epochs.Add(_sum / _count);
            Console.Error.WriteLine($"epoch {Epochs.Count}: loss {_sum / _count:F3}");
            (_sum, _count) = (0, 0);
        }
    }
}
