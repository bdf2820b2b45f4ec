using System.CommandLine;
using FedSeg.Cli.Engine;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Weights;

namespace FedSeg.Cli.Benchmarks;

/// <summary><c>fedseg bench</c>: what the exchange of models costs on this machine.</summary>
internal static class BenchCommands
{
    private const string WorkDescription = "Folder for the federation; a new one below the temporary folder, removed at the end, when not given.";

    public static Command Create() => new("bench", "Measure what a federation costs on this machine.") { Round(), Soak(), Mask(), Step(), Trainer() };

    private static Command Round()
    {
        var megabytes = new Option<double>("--megabytes") { Description = "Size of the model file, 10^6 bytes.", DefaultValueFactory = _ => 100 };
        var sites = new Option<int>("--sites") { Description = "Agent processes.", DefaultValueFactory = _ => 3 };
        var rounds = new Option<int>("--rounds") { Description = "Counted rounds; one more goes before them to warm up.", DefaultValueFactory = _ => 5 };
        var encoding = new Option<UpdateEncoding>("--encoding") { Description =
            "How updates are written: f32, f16, i16, i8, top10 or top1.", DefaultValueFactory = _ => UpdateEncoding.F32 };
        var work = new Option<DirectoryInfo?>("--work") { Description = WorkDescription };
        var description = "Coordinator and agents as processes exchange a model over mutual TLS: everything of a round but the training.";
        return new Command("round", description) { megabytes, sites, rounds, encoding, work }.Does(async (parsed, cancellationToken) =>
        {
            var bench = new RoundBenchmark(
                parsed.GetValue(megabytes) is > 0 and <= 1e5 and var size ? size : throw new BadInputException("--megabytes must be above 0 and at most 100000."),
                parsed.GetValue(sites) is >= 1 and <= 100 and var agents ? agents : throw new BadInputException("--sites must be from 1 to 100."),
                parsed.GetValue(rounds) is >= 1 and <= 1000 and var counted ? counted : throw new BadInputException("--rounds must be from 1 to 1000."),
                parsed.GetValue(encoding),
                TimeProvider.System);
            var result = await bench.RunAsync(parsed.GetValue(work), cancellationToken);
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(result);
            else result.Print();
            return CommandLine.Done;
        });
    }

    private static Command Soak()
    {
        var minutes = new Option<double>("--minutes") { Description = "How long; the run then under way is the last.", DefaultValueFactory = _ => 60 };
        var table = new Option<FileInfo>("--table") { Description = "The table of samples to write, CSV.", Required = true };
        var megabytes = new Option<double>("--megabytes")
        {
            Description = "Size of the model file, 10^6 bytes; every round leaves one on the disk.",
            DefaultValueFactory = _ => 0.1,
        };
        var sites = new Option<int>("--sites") { Description = "Agent processes.", DefaultValueFactory = _ => 2 };
        var work = new Option<DirectoryInfo?>("--work") { Description = WorkDescription };
        var description = "Rounds without end, training left out; what coordinator and agents hold meanwhile: memory, handles, threads. 1 when it grows.";
        return new Command("soak", description) { minutes, table, megabytes, sites, work }.Does(async (parsed, cancellationToken) =>
        {
            var soak = new SoakBenchmark(
                parsed.GetValue(megabytes) is > 0 and <= 1e5 and var size ? size : throw new BadInputException("--megabytes must be above 0 and at most 100000."),
                parsed.GetValue(sites) is >= 1 and <= 100 and var agents ? agents : throw new BadInputException("--sites must be from 1 to 100."),
                parsed.GetValue(minutes) is > 0 and <= 100_000 and var length ? TimeSpan.FromMinutes(length) : throw new BadInputException("--minutes must be above 0 and at most 100000."),
                TimeProvider.System);
            await using var rows = new StreamWriter(parsed.GetRequiredValue(table).FullName);
            var result = await soak.RunAsync(parsed.GetValue(work), rows, cancellationToken);
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(result);
            else result.Print();
            return result.Grows ? CommandLine.No : CommandLine.Done;
        });
    }

    private static Command Mask()
    {
        var parameters = new Option<double[]>("--parameters")
        {
            Description = "Parameters of the model, in millions.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [1, 10, 30],
        };
        var sites = new Option<int[]>("--sites")
        {
            Description = "Sites of the sum.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [5, 10, 30],
        };
        var description = "What secure aggregation costs a site and the coordinator: keys, shares, masks and their removal, in memory, on one thread.";
        return new Command("mask", description) { parameters, sites }.Does((parsed, cancellationToken) =>
        {
            if (parsed.GetValue(parameters)!.Any(millions => millions is not (> 0 and <= 1000))) throw new BadInputException("--parameters must be above 0 and at most 1000.");
            if (parsed.GetValue(sites)!.Any(count => count is < 3 or > 128)) throw new BadInputException("--sites must be from 3 to 128.");
            var results = new List<MaskBenchmarkResult>();
            foreach (var millions in parsed.GetValue(parameters)!)
            {
                foreach (var count in parsed.GetValue(sites)!)
                {
                    results.Add(MaskBenchmark.Run((long)(millions * 1e6), count, cancellationToken));
                    if (!parsed.GetValue(CommandLine.Json)) results[^1].Print();
                }
            }

            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { runs = results });
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static Command Step()
    {
        var steps = new Option<int>("--steps") { Description = "Counted optimiser steps; two more go before them to warm up.", DefaultValueFactory = _ => 10 };
        var preset = new Option<PlannerPresetName?>("--preset") { Description = "plain, resEncM, resEncL, resEncXL or cpu; plain on a GPU and cpu without one when not given." };
        var job = new Option<FileInfo?>("--job") { Description = "Network, patch and recipe of a job file instead of a preset." };
        var description = "The trainer's loop on this device: steps a second, share of the device's peak, memory, waiting for patches.";
        return new Command("step", description) { DeviceSwitch.Option, preset, job, steps }.Computes(async (parsed, cancellationToken) =>
        {
            var counted = parsed.GetValue(steps) is >= 1 and <= 10_000 and var count ? count : throw new BadInputException("--steps must be from 1 to 10000.");
            var asked = parsed.GetValue(job) is { } file ? LocalJob.ReadUnplanned(file) : null;
            if (asked is not null && parsed.GetValue(preset) is not null) throw new BadInputException("--job names the network; leave --preset out.");
            if (asked?.Planning is not null) throw new BadInputException("--job: the network must be named, not planned; 'fedseg plan' makes it of a fingerprint.");
            var device = DeviceSwitch.Choose(parsed);
            var result = await LocalEngine.OnOwnThread(() => asked is null
                ? StepBenchmark.Run(parsed.GetValue(preset), device, counted, cancellationToken)
                : StepBenchmark.Run(asked, device, counted, cancellationToken));
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(result);
            else result.Print();
            return CommandLine.Done;
        });
    }

    /// <summary>What the benchmark's agents start as their trainer.</summary>
    private static Command Trainer() => new Command("trainer", "The agents' stand-in for a trainer.") { Hidden = true }.Does(async (_, cancellationToken) =>
    {
        await new ExchangeTrainer(Console.In, Console.Out, TimeProvider.System).RunAsync(cancellationToken);
        return CommandLine.Done;
    });
}
