using System.Security.Cryptography;
using FedSeg.Egress.Policy;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Hosting.Storage;

namespace FedSeg.Egress.Sealing;

/// <summary>Turns what the trainer delivered into what would leave, measuring on the way.</summary>
internal sealed class UpdateSealer(SiteId site, RandomNumberGenerator random)
{
    /// <summary>Seals an update into an empty folder.</summary>
    /// <returns>What was measured, and the sealed update, or <see langword="null"/> where report or weights are not even of the right form.</returns>
    public (SealingFacts Facts, SealedUpdate? Sealed) Seal(
        RoundPlan plan, ModelUpdate update, EgressPolicy policy, string folder, CancellationToken cancellationToken)
    {
        var facts = new SealingFacts
        {
            Task = plan.Task,
            ReportProblem = ReportSanitiser.Problem(update.Report, plan, site),
            TensorProblem = null,
            NonFiniteValues = null,
            WeightsBytes = null,
            Norm = null,
            TrainingCases = update.Report.TrainingCases,
            HeldBackCases = update.Report.HeldBackCases,
            Privacy = plan.Task == RoundTask.Train ? update.Privacy : null,
        };

        SealedPayload? payload = null;
        if (plan.Task == RoundTask.Train)
        {
            var grid = new StochasticGrid(policy.Requantisation.AtLeast(plan.Recipe.UpdateEncoding), random);
            var blind = plan.Blind is { } spec ? new BlindGrid(spec, update.Report.TrainingCases, random) : null;
            var target = Path.Combine(folder, blind is null ? SealedPayload.PlainName : SealedPayload.UnmaskedName);
            (facts, payload) = SealWeights(facts, plan, grid, blind, update, target, cancellationToken);
        }
        else
        {
            facts = facts with { TensorProblem = update.WeightsPath is null ? null : "weights that nobody asked for", NonFiniteValues = 0, SubnormalValues = 0, WeightsBytes = 0, Norm = 0 };
        }

        if (facts.ReportProblem is not null || facts.TensorProblem is not null) return (facts, null);

        var report = ReportSanitiser.Sanitise(update.Report, plan, site, policy);
        var bytes = report.ToBytes();
        if (bytes.Length > SiteReport.LargestBytes) return (facts with { ReportProblem = "longer than a report may be" }, null);
        var metrics = report.Scores.Count(score => score.MeanDice is not null) + (report.MeanLoss is null ? 0 : 1);
        return (facts with { Fingerprint = report.Fingerprint, Metrics = metrics }, new SealedUpdate(report, bytes, payload));
    }

    /// <summary>The trainer's measurement, if it is one of these bytes.</summary>
    private static double? SimilarityOf(ImageSimilarity? measured, string weightsPath)
    {
        if (measured is not { Pieces: > 0 }) return null;
        using var weights = File.OpenRead(weightsPath);
        return Sha256Digest.FromHash(SHA256.HashData(weights)) == measured.Update ? measured.Largest : null;
    }

    private static void KeepResidual(RoundPlan plan, ModelUpdate update, string sentPath, CancellationToken cancellationToken)
    {
        var path = update.ResidualPath
            ?? throw new InvalidOperationException("With error feedback an update says where its residual goes.");
        var unfinished = path + ".unfinished";
        Residual.Write(update.WeightsPath!, sentPath, plan.UpdateManifest().All, plan.Recipe.UpdateEncoding, unfinished, cancellationToken);
        DurableFile.Publish(unfinished, path);
    }

    private static (SealingFacts Facts, SealedPayload? Payload) SealWeights(
        SealingFacts facts,
        RoundPlan plan,
        StochasticGrid grid,
        BlindGrid? blind,
        ModelUpdate update,
        string target,
        CancellationToken cancellationToken)
    {
        var weightsPath = update.WeightsPath;
        if (weightsPath is null || !File.Exists(weightsPath)) return (facts with { TensorProblem = "the weights are missing" }, null);

        facts = facts with { WeightsBytes = new FileInfo(weightsPath).Length, ImageSimilarity = SimilarityOf(update.Similarity, weightsPath) };
        try
        {
            using var source = SafetensorsFile.Open(weightsPath);
            var manifest = plan.UpdateManifest().All;
            if (DeltaReencoder.Problem(source, manifest) is { } problem) return (facts with { TensorProblem = problem }, null);

            using var baseModel = update.BaseModelPath is null ? null : SafetensorsFile.Open(update.BaseModelPath);
            var measures = DeltaReencoder.Reencode(
                source, manifest, grid, blind, plan.Recipe.UpdateEncoding, target, baseModel, cancellationToken);
            // Read back as the coordinator will: what it does not learn is what stays.
            if (plan.Recipe.ErrorFeedback) KeepResidual(plan, update, target, cancellationToken);
            var payload = new SealedPayload(target, new FileInfo(target).Length, measures.Sha256);
            facts = facts with
            {
                NonFiniteValues = measures.NonFiniteValues,
                SubnormalValues = measures.SubnormalValues,
                Norm = measures.Norm,
                WeightsBytes = plan.UpdateBytes(),
                Tensors = measures.Tensors,
            };
            return (facts, payload);
        }
        catch (SafetensorsException)
        {
            // Its message may quote the file; the gate's own words may be noted and sent.
            return (facts with { TensorProblem = "the file is not a plain safetensors file" }, null);
        }
    }
}
