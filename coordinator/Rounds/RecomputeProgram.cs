using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Coordinator.Journal;
using FedSeg.Coordinator.Models;
using FedSeg.Federation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Faults;
using FedSeg.Hosting.Programs;

namespace FedSeg.Coordinator.Rounds;

/// <summary>
/// <c>FedSeg.Coordinator recompute DATA MODEL [JOURNAL]</c>: rebuilds the models of a run (named by its id, or by the SHA-256 of one of
/// them) and prints one JSON document. It opens data folder and journal for reading only, so it may run beside a coordinator or on a copy.
/// <c>fedseg model recompute</c> starts it.
/// </summary>
internal static class RecomputeProgram
{
    public const string Verb = "recompute";
    private const int No = 1;

    /// <param name="dataDirectory">The coordinator's data folder.</param>
    /// <param name="name">A run or a model.</param>
    /// <param name="journal">PostgreSQL connection string of the journal; empty where it lies in the data folder.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    public static int Run(string dataDirectory, string name, string journal, CancellationToken cancellationToken)
    {
        using var book = new RunBook(journal.Length == 0 ? SqliteJournal.OpenReadOnly(dataDirectory) : PostgresJournal.OpenReadOnly(journal), Failpoints.None);
        var run = book.Runs.LastOrDefault(run => run.Id.ToString() == name || ModelsOf(run).Any(model => model.ToString() == name));
        if (run is null)
        {
            var known = string.Join(", ", book.Runs.Select(known => known.Id));
            Console.Error.WriteLine($"No run of '{dataDirectory}' is called '{name}' or made a model of that SHA-256; there are: {known}");
            return ServiceProgram.BadInput;
        }

        var work = Directory.CreateTempSubdirectory("fedseg-recompute-");
        try
        {
            var models = ModelRecomputation.Run(new BlobStore(dataDirectory), run, work.FullName, cancellationToken)
                .Where(model => !Sha256Digest.TryParse(name, null, out var digest) || model.Recorded == digest)
                .ToList();
            var verified = models.Count > 0 && models.All(model => model.Matches);
            Console.WriteLine(JsonSerializer.Serialize(new RecomputeResult(run.Id, verified, [.. models.Select(Describe)]), FederationJson.Options));
            return verified ? ServiceProgram.Done : No;
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    /// <summary>The initial model and every round's.</summary>
    private static IEnumerable<Sha256Digest> ModelsOf(RunState run) =>
        run.Rounds.Select(round => round.Plan.BaseModel).Append(run.Model.Sha256);

    private static RecomputeLine Describe(RecomputedModel model) =>
        new(model.Round, model.Updates, model.Recorded, model.Recomputed, model.Matches, model.Problem);
}

/// <summary>What a recomputation found, as printed.</summary>
internal sealed record RecomputeResult(RunId Run, bool Verified, ImmutableArray<RecomputeLine> Models);

/// <summary>One model of it.</summary>
internal sealed record RecomputeLine(
    int Round, int Updates, Sha256Digest Recorded, Sha256Digest? Recomputed, bool Matches, string? Problem);
