using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Coordinator.Journal;
using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Federation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Faults;
using FedSeg.Hosting.Programs;

namespace FedSeg.Coordinator.Rounds;

/// <summary>
/// <c>FedSeg.Coordinator recompute MODEL (--data DIR [--journal CONNECTION] | --settings FILE)</c>: rebuilds the models of a run (named by its id, or by the SHA-256 of one of
/// them) and prints one JSON document. The settings are a coordinator's own, with its bucket. It opens data folder, journal and bucket for reading only, so it may run beside a
/// coordinator or on a copy. <c>fedseg model recompute</c> starts it.
/// </summary>
internal static class RecomputeProgram
{
    public const string Verb = "recompute";
    private const int No = 1;

    /// <param name="name">A run or a model.</param>
    /// <param name="source">Where a coordinator keeps what is to be read, as above.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    /// <exception cref="InvalidDataException">There is nothing to read by these arguments.</exception>
    public static int Run(string name, string[] source, CancellationToken cancellationToken)
    {
        var options = OptionsOf(source);
        using var book = new RunBook(
            options.Journal.Length == 0 ? SqliteJournal.OpenReadOnly(options.DataDirectory) : PostgresJournal.OpenReadOnly(options.Journal),
            Failpoints.None,
            log: null);
        var run = book.Runs.LastOrDefault(run => run.Id.ToString() == name || ModelsOf(run).Any(model => model.ToString() == name));
        if (run is null)
        {
            var known = string.Join(", ", book.Runs.Select(known => known.Id));
            Console.Error.WriteLine($"No run of '{options.DataDirectory}' is called '{name}' or made a model of that SHA-256; there are: {known}");
            return ServiceProgram.BadInput;
        }

        using var bucket = options.Bucket.IsOn ? new BlobBucket(options.Bucket, TimeProvider.System) : null;
        var work = Directory.CreateTempSubdirectory("fedseg-recompute-");
        try
        {
            var copies = Path.Combine(work.FullName, "fetched");
            var models = new List<RecomputedModel>();
            foreach (var model in ModelRecomputation.Run(BlobStore.OpenReadOnly(options.DataDirectory, bucket, copies), run, work.FullName, cancellationToken))
            {
                models.Add(model);
                // One round's updates at a time: those of a whole run may not find room here.
                if (Directory.Exists(copies)) Directory.Delete(copies, recursive: true);
            }

            models.RemoveAll(model => Sha256Digest.TryParse(name, null, out var digest) && model.Recorded != digest);
            var verified = models.Count > 0 && models.All(model => model.Matches);
            Console.WriteLine(JsonSerializer.Serialize(new RecomputeResult(run.Id, verified, [.. models.Select(Describe)]), FederationJson.Options));
            return verified ? ServiceProgram.Done : No;
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    private static CoordinatorOptions OptionsOf(string[] source)
    {
        var arguments = new ConfigurationBuilder().AddCommandLine(source).Build();
        if (arguments["data"] is { } data) return new CoordinatorOptions { DataDirectory = data, Journal = arguments["journal"] ?? "" };

        var builder = Host.CreateEmptyApplicationBuilder(null);
        ServiceProgram.Configure(builder, source);
        var options = builder.Configuration.GetSection(CoordinatorOptions.Section).Get<CoordinatorOptions>() ?? new CoordinatorOptions();
        options.ResolvePaths(path => ServiceProgram.ResolvePath(source, path));
        var problems = options.Bucket.Problems(options.MaximumUpdateBytes).ToList();
        return problems.Count == 0 ? options : throw new InvalidDataException(string.Join(Environment.NewLine, problems));
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
