using System.Collections.Immutable;
using FedSeg.Coordinator.Blind;
using FedSeg.Coordinator.Models;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;

namespace FedSeg.Coordinator.Rounds;

/// <summary>
/// Rebuilds a run's models from what is stored: the initial one from the job's seed, every later one from its base model and its sites'
/// updates. Changes nothing; needs no coordinator to run.
/// </summary>
internal static class ModelRecomputation
{
    /// <summary>One result a model, in order.</summary>
    /// <param name="blobs">The coordinator's blobs.</param>
    /// <param name="run">The run.</param>
    /// <param name="work">A folder for the rebuilt files; they are deleted again.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    public static IEnumerable<RecomputedModel> Run(BlobStore blobs, RunState run, string work, CancellationToken cancellationToken)
    {
        // A run that ended before its network was planned made no model.
        if (run.Model == ModelRef.None) yield break;
        var initial = Path.Combine(work, "initial");
        var rebuilt = GlobalModel.WriteInitial(initial, run.Id, run.Job);
        File.Delete(initial);
        yield return new RecomputedModel(0, 0, run.Rounds is [var first, ..] ? first.Plan.BaseModel : run.Model.Sha256, rebuilt, PlanProblem(run));
        foreach (var round in run.Rounds)
        {
            if (round.Model is not null) yield return Rebuild(blobs, run, round, work, cancellationToken);
        }
    }

    /// <summary>What is wrong with the plan that the initial model's network comes from.</summary>
    private static string? PlanProblem(RunState run)
    {
        if (run.Plan is not { } frozen) return null;
        try
        {
            return RunPlanning.Of(run.Job.Planning!, run.FingerprintRound!.Fingerprints).Digest() == frozen.Sha256 ? null : "The plan comes out differently.";
        }
        catch (Exception error) when (error is FingerprintException or PlanningException)
        {
            return error.Message;
        }
    }

    private static RecomputedModel Rebuild(
        BlobStore blobs, RunState run, RoundState round, string work, CancellationToken cancellationToken)
    {
        var recorded = round.Model!.Sha256;
        var result = new RecomputedModel(round.Plan.Round, round.Accepted.Count, recorded, null, null);
        try
        {
            if (FindDamage(blobs, round) is { } damage) return result with { Problem = damage };
            using var mean = UnmaskedMean.Of(blobs, round);
            var merged = RoundAggregation.Run(blobs.PathOf, run, round, part => Path.Combine(work, part), mean, cancellationToken);
            foreach (var file in merged.State.Values.Prepend(merged.Model)) File.Delete(file.Path);
            var stateAgrees = merged.State.Values.Select(part => part.Sha256).SequenceEqual(round.ServerState.Values.Select(part => part.Sha256));
            return result with { Recomputed = merged.Model.Sha256, Problem = stateAgrees ? null : "The server's state comes out differently." };
        }
        catch (Exception error) when (error is AggregationException or SafetensorsException or InvalidDataException or IOException)
        {
            return result with { Problem = error.Message };
        }
    }

    /// <summary>An input that is gone or is not what its name says.</summary>
    private static string? FindDamage(BlobStore blobs, RoundState round)
    {
        var inputs = round.Accepted
            .Select(accepted => (What: $"The update of site '{accepted.Key}'", accepted.Value.Weights!.Sha256))
            .Prepend(("The base model", round.Plan.BaseModel));
        foreach (var (what, digest) in inputs)
        {
            if (!blobs.Contains(digest)) return $"{what} ({digest.Abbreviated}) is no longer stored.";
            if (GlobalModel.Digest(blobs.PathOf(digest)) != digest) return $"{what} ({digest.Abbreviated}) was changed after it was stored.";
        }

        return null;
    }
}

/// <summary>A model as the journal has it and as it comes out again.</summary>
/// <param name="Round">The round that made it; 0 for the initial one.</param>
/// <param name="Updates">Updates it was made of.</param>
/// <param name="Recorded">The journal's SHA-256.</param>
/// <param name="Recomputed">The rebuilt file's; absent when it could not be rebuilt.</param>
/// <param name="Problem">Why not, or what else differs.</param>
internal sealed record RecomputedModel(int Round, int Updates, Sha256Digest Recorded, Sha256Digest? Recomputed, string? Problem)
{
    public bool Matches => Problem is null && Recomputed == Recorded;
}
