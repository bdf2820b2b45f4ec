using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Jobs;
using FedSeg.Protocol.V1;
using Spectre.Console;

namespace FedSeg.Cli.Jobs;

/// <summary><c>fedseg job</c>: a data scientist's day.</summary>
internal static class JobCommands
{
    private static readonly Argument<FileInfo> JobFileArgument = new("file") { Description = "The job, YAML." };
    private static readonly Argument<string> RunArgument = new("run") { Description = "The run's id." };

    public static Command Create()
    {
        var command = new Command("job", "Check, start and watch runs.") { Validate(), Submit(), List(), Show(), Watch(), Pause(), Resume(), Cancel(), Schema() };
        command.Options.Add(CoordinatorConnection.ProfileOption);
        command.Options.Add(CoordinatorConnection.TokenOption);
        return command;
    }

    private static Command Validate()
    {
        var offline = new Option<bool>("--offline") { Description = "Check the file alone, without asking a coordinator about sites and labels." };
        return new Command("validate", "Check a job without starting it.") { JobFileArgument, offline }.Does(async (parsed, cancellationToken) =>
        {
            var file = parsed.GetRequiredValue(JobFileArgument);
            var yaml = await ReadAsync(file, cancellationToken);
            if (parsed.GetValue(offline))
            {
                var problems = JobSpecReader.Read(yaml) is JobSpecResult.Invalid invalid ? invalid.Problems : [];
                return Report(parsed, file, problems.Select(problem => new JobProblem { Line = problem.Line, Message = problem.Message }), runId: null);
            }

            using var connection = CoordinatorConnection.Open(parsed);
            var verdict = await connection.Runs.ValidateAsync(new JobFile { Yaml = yaml }, cancellationToken: cancellationToken);
            return Report(parsed, file, verdict.Problems, runId: null);
        });
    }

    private static Command Submit()
    {
        var watch = new Option<bool>("--watch") { Description = "Stay and show the run until it ends." };
        return new Command("submit", "Start a run.") { JobFileArgument, watch }.Does(async (parsed, cancellationToken) =>
        {
            var file = parsed.GetRequiredValue(JobFileArgument);
            var yaml = await ReadAsync(file, cancellationToken);
            using var connection = CoordinatorConnection.Open(parsed);
            var verdict = await connection.Runs.SubmitAsync(new JobFile { Yaml = yaml }, cancellationToken: cancellationToken);
            if (verdict.Problems.Count > 0 || !parsed.GetValue(watch)) return Report(parsed, file, verdict.Problems, verdict.RunId);
            return await WatchAsync(parsed, connection, verdict.RunId, cancellationToken);
        });
    }

    private static Command List() => new Command("list", "All runs.").Does(async (parsed, cancellationToken) =>
    {
        using var connection = CoordinatorConnection.Open(parsed);
        var runs = (await connection.Runs.ListAsync(new ListRunsRequest(), cancellationToken: cancellationToken)).Runs;
        if (parsed.GetValue(CommandLine.Json))
        {
            JsonOutput.Write(new { runs = runs.Select(Describe) });
            return CommandLine.Done;
        }

        var table = new Table().AddColumns("run", "status", "priority", "rounds", "sites", "queue", "waits for", "submitted by", "created");
        foreach (var run in runs)
        {
            table.AddRow([.. new[]
            {
                run.Id,
                run.Status,
                run.Priority,
                $"{run.Rounds.Count(round => round.Model is not null)}/{run.TotalRounds}",
                string.Join(", ", run.Sites),
                run.QueuePosition > 0 ? run.QueuePosition.ToString(CultureInfo.InvariantCulture) : "",
                run.WaitsFor,
                run.SubmittedBy,
                run.CreatedAt.ToDateTimeOffset().ToString("u"),
            }.Select(Markup.Escape)]);
        }

        AnsiConsole.Write(table);
        return CommandLine.Done;
    });

    private static Command Show() => new Command("show", "One run.") { RunArgument }.Does(async (parsed, cancellationToken) =>
    {
        using var connection = CoordinatorConnection.Open(parsed);
        Print(parsed, await connection.Runs.ShowAsync(new RunKey { RunId = parsed.GetRequiredValue(RunArgument) }, cancellationToken: cancellationToken));
        return CommandLine.Done;
    });

    private static Command Watch() => new Command("watch", "A run, live, until it ends.") { RunArgument }.Does(async (parsed, cancellationToken) =>
    {
        using var connection = CoordinatorConnection.Open(parsed);
        return await WatchAsync(parsed, connection, parsed.GetRequiredValue(RunArgument), cancellationToken);
    });

    private static Command Pause() => new Command("pause", "Ask nothing new of a run's sites until it is resumed; what they are at still counts.") { RunArgument }.Does(
        async (parsed, cancellationToken) =>
        {
            using var connection = CoordinatorConnection.Open(parsed);
            Print(parsed, await connection.Runs.PauseAsync(new RunKey { RunId = parsed.GetRequiredValue(RunArgument) }, cancellationToken: cancellationToken));
            return CommandLine.Done;
        });

    private static Command Resume() => new Command("resume", "Let a paused run go on.") { RunArgument }.Does(async (parsed, cancellationToken) =>
    {
        using var connection = CoordinatorConnection.Open(parsed);
        Print(parsed, await connection.Runs.ResumeAsync(new RunKey { RunId = parsed.GetRequiredValue(RunArgument) }, cancellationToken: cancellationToken));
        return CommandLine.Done;
    });

    private static Command Cancel() => new Command("cancel", "End a run now; its sites stop working on it.") { RunArgument }.Does(async (parsed, cancellationToken) =>
    {
        using var connection = CoordinatorConnection.Open(parsed);
        Print(parsed, await connection.Runs.CancelAsync(new RunKey { RunId = parsed.GetRequiredValue(RunArgument) }, cancellationToken: cancellationToken));
        return CommandLine.Done;
    });

    private static Command Schema() => new Command("schema", "The JSON schema of a job file, for editors.").Does((_, _) =>
    {
        Console.WriteLine(JobSpecReader.Schema);
        return Task.FromResult(CommandLine.Done);
    });

    private static async Task<int> WatchAsync(ParseResult parsed, CoordinatorConnection connection, string runId, CancellationToken cancellationToken)
    {
        var last = await RunWatcher.WatchAsync(connection, runId, TimeProvider.System, cancellationToken);
        if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(Describe(last));
        else Console.WriteLine($"{last.Id} {last.Status}: {last.Reason}");
        return last.Status == "completed" ? CommandLine.Done : CommandLine.No;
    }

    private static int Report(ParseResult parsed, FileInfo file, IEnumerable<JobProblem> problems, string? runId)
    {
        var list = problems.ToList();
        if (parsed.GetValue(CommandLine.Json))
        {
            JsonOutput.Write(new { valid = list.Count == 0, problems = list.Select(problem => new { line = problem.Line, message = problem.Message }), run = runId });
        }
        else if (list.Count == 0)
        {
            Console.WriteLine(runId ?? $"{file.Name} is valid.");
        }

        foreach (var problem in list) Console.Error.WriteLine(problem.Line > 0 ? $"{file.Name}:{problem.Line}: {problem.Message}" : $"{file.Name}: {problem.Message}");
        return list.Count == 0 ? CommandLine.Done : CommandLine.BadInput;
    }

    private static void Print(ParseResult parsed, Run run)
    {
        if (parsed.GetValue(CommandLine.Json))
        {
            JsonOutput.Write(Describe(run));
            return;
        }

        AnsiConsole.Write(RunView.Table(run, TimeProvider.System.GetUtcNow()));
        if (run.PlanSha256.Length > 0) Console.WriteLine($"plan {run.PlanSha256}; --json shows it");
        if (run.Reason.Length > 0) Console.WriteLine(run.Reason);
        if (run.WaitsFor.Length > 0) Console.WriteLine($"Priority {run.Priority}; waits for {run.WaitsFor}");
    }

    private static object Describe(Run run) => new
    {
        id = run.Id,
        name = run.Name,
        status = run.Status,
        mode = run.Mode,
        reason = run.Reason.Length > 0 ? run.Reason : null,
        submittedBy = run.SubmittedBy,
        createdAt = run.CreatedAt.ToDateTimeOffset(),
        study = run.Study.Length > 0 ? run.Study : null,
        priority = run.Priority,
        queuePosition = run.QueuePosition > 0 ? run.QueuePosition : (int?)null,
        waitsFor = run.WaitsFor.Length > 0 ? run.WaitsFor : null,
        totalRounds = run.TotalRounds,
        sites = run.Sites,
        labels = run.Labels,
        plan = run.Plan.IsEmpty ? null : new { sha256 = run.PlanSha256, content = JsonSerializer.Deserialize<JsonElement>(run.Plan.Span) },
        rounds = run.Rounds.Select(round => new
        {
            number = round.Number,
            task = round.Task,
            seconds = RunView.Seconds(round, TimeProvider.System.GetUtcNow()),
            closed = round.ClosedAt is not null,
            meanDice = RunView.MeanDice(round),
            sites = round.Sites.ToDictionary(site => site.Site, RoundSite.Of),
            model = round.Model?.Sha256,
        }),
        model = run.Model.Bytes == 0 ? null : new { sha256 = run.Model.Sha256, bytes = run.Model.Bytes },
    };

    private static async Task<string> ReadAsync(FileInfo file, CancellationToken cancellationToken) =>
        file.Exists ? await File.ReadAllTextAsync(file.FullName, cancellationToken) : throw new BadInputException($"There is no job file '{file.FullName}'.");
}
