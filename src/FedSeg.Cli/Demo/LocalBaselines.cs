using FedSeg.Cli.Engine;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Cases;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using static TorchSharp.torch;

namespace FedSeg.Cli.Demo;

/// <summary>
/// What each hospital would have without the federation: the same network trained on its own cases alone, for as many steps as it made in the federation, with the same engine. Scored on the
/// held-back patients of all hospitals, like the global model, and on its own.
/// </summary>
internal static class LocalBaselines
{
    /// <summary>Trains every site alone, one thread each and as many at a time as there are cores.</summary>
    public static async Task<IReadOnlyDictionary<string, LocalBaseline>> TrainAsync(DemoData data, JobSpec job, string modelDirectory, Action<string> done, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(modelDirectory);
        set_num_threads(1);
        CpuKernels.ChooseFor(job.Architecture);
        var vocabulary = LabelVocabulary.Of(job.Labels);
        var cohorts = data.Sites.ToDictionary(site => site.Key, site => Cohort.Read(
            site.Value, vocabulary, job.Preprocessing, job.HeldBackFraction, job.Seed, Environment.ProcessorCount, reportPath: null, cancellationToken));
        var everyone = cohorts.OrderBy(cohort => cohort.Key, StringComparer.Ordinal).SelectMany(cohort => cohort.Value.HeldBack).ToList();

        var results = new SortedDictionary<string, LocalBaseline>(StringComparer.Ordinal);
        using var cores = new SemaphoreSlim(Environment.ProcessorCount);
        await Task.WhenAll(cohorts.Select(async cohort =>
        {
            await cores.WaitAsync(cancellationToken);
            try
            {
                var baseline = await LocalEngine.OnOwnThread(() => Train(cohort.Value, everyone, job, Path.Combine(modelDirectory, cohort.Key + ".safetensors"), cancellationToken));
                lock (results) results.Add(cohort.Key, baseline);
                done(cohort.Key);
            }
            finally
            {
                cores.Release();
            }
        }));
        return results;
    }

    private static LocalBaseline Train(Cohort cohort, IReadOnlyCollection<PreparedCase> everyone, JobSpec job, string modelPath, CancellationToken cancellationToken)
    {
        var request = new LocalTrainingRequest
        {
            Architecture = job.Architecture,
            Labels = job.Labels,
            Preprocessing = job.Preprocessing,
            Recipe = job.Recipe,
            Steps = job.Recipe.StepsPerRound * job.Rounds,
            Seed = job.Seed,
        };
        if (LocalTraining.Run(request, cohort, modelPath, CPU, stepped: null, cancellationToken) is not LocalTrainingOutcome.Done trained)
        {
            return new LocalBaseline(double.NaN, double.NaN);
        }

        using var predictor = Segmentation.Inference.Predictor.Open([modelPath], mirror: false, CPU);
        return new LocalBaseline(Mean(predictor.Score(everyone, cancellationToken)), Mean(trained.Scores));
    }

    private static double Mean(IEnumerable<LabelScore> scores) => scores.Average(score => score.MeanDice ?? double.NaN);
}

/// <summary>Mean Dice over labels of a model trained at one site alone.</summary>
/// <param name="AllSites">On the held-back patients of all sites.</param>
/// <param name="OwnSite">On those of its own site.</param>
internal sealed record LocalBaseline(double AllSites, double OwnSite);
