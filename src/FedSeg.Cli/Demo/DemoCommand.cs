using System.CommandLine;
using FedSeg.Cli.Federations;
using FedSeg.Cli.Jobs;
using FedSeg.Cli.Programs;
using FedSeg.Dicom;
using FedSeg.Federation.Identity;
using FedSeg.Imaging.Phantoms;
using FedSeg.Ledger.Verifier;
using FedSeg.Protocol.V1;
using Spectre.Console;

namespace FedSeg.Cli.Demo;

/// <summary><c>fedseg demo</c>: a whole federation on this machine, from DICOM to a better model, with everything real but the distance.</summary>
internal static class DemoCommand
{
    private static readonly Option<int?> Rounds = new("--rounds") { Description = "Training rounds; 6 when not given." };
    private static readonly Option<int> Sites = new("--sites") { Description = "Phantom hospitals.", DefaultValueFactory = _ => 3 };
    private static readonly Option<int?> Steps = new("--steps") { Description = "Optimiser steps per site and round; 25 for phantoms, 30 for --data when not given." };
    private static readonly Option<DirectoryInfo?> Data = new("--data") { Description = "Real hospitals: DIR/<site>/<case>/… with DICOM files; phantoms when not given." };
    private static readonly Option<DirectoryInfo?> Work = new("--work") { Description = "Folder for everything the demo makes; must not exist yet. A new one below the temporary folder when not given." };
    private static readonly Option<bool> Keep = new("--keep") { Description = "Keep the phantoms and the sites' caches too, not just models, logs and ledgers." };

    public static Command Create() => new Command("demo", "Run a whole federation on this machine and show what it gains.") { Rounds, Sites, Steps, Data, Work, Keep }.Computes(RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var started = time.GetTimestamp();
        var work = PrepareWork(parsed.GetValue(Work), time);
        var data = PrepareData(parsed, work, cancellationToken);
        var yaml = DemoRecipe.Propose(
            parsed.GetValue(Data) is { } real ? JobName(real.Name) : "phantoms", data, Check(parsed.GetValue(Rounds) ?? 6, 1, 1000, "--rounds"), Check(parsed.GetValue(Steps) ?? (parsed.GetValue(Data) is null ? 25 : 30), 1, 100_000, "--steps"));
        var job = DemoRecipe.Parse(yaml);
        File.WriteAllText(Path.Combine(work, "job.yaml"), yaml);
        Say($"{data.Sites.Count} hospitals, {data.Cases.Count()} cases, labels {string.Join(", ", job.Labels)}; {job.Rounds} rounds of {job.Recipe.StepsPerRound} steps per site. Everything is in {work}");

        Run run;
        string modelPath;
        IReadOnlyDictionary<string, long> memory;
        var federation = LocalFederation.Provision(work, data.Sites, job.Labels);
        await using (federation)
        {
            await federation.StartCoordinatorAsync(cancellationToken);
            foreach (var site in data.Sites.Keys) federation.StartAgent(site);
            run = await federation.RunAsync(yaml, time, cancellationToken);
            modelPath = Path.Combine(work, "model.safetensors");
            await federation.Connection.DownloadAsync(Sha256Digest.Parse(run.Model.Sha256), modelPath, cancellationToken);
            federation.CheckAlive();
            memory = federation.Processes.ToDictionary(process => process.Name, process => process.PeakMemoryBytes);
        }

        Say("Training each hospital alone, for comparison");
        var alone = await LocalBaselines.TrainAsync(data, job, Path.Combine(work, "local-models"), site => Say($"  {site} alone: done"), cancellationToken);
        var ledgers = data.Sites.Keys.ToDictionary(site => site, site => LedgerVerifier.VerifyFolder(federation.LedgerDirectory(site)));

        if (!parsed.GetValue(Keep)) DropCaches(work, data.Sites.Keys);
        var result = new DemoResult(run, alone, ledgers, memory, work, modelPath, time.GetElapsedTime(started).TotalSeconds);
        if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(result.ToJson());
        else result.Print();
        return ledgers.Values.All(ledger => ledger.Verified) ? CommandLine.Done : CommandLine.No;
    }

    private static string PrepareWork(DirectoryInfo? asked, TimeProvider time)
    {
        var path = asked?.FullName ?? Path.Combine(Path.GetTempPath(), $"fedseg-demo-{time.GetLocalNow():yyyyMMdd-HHmmss}");
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any()) throw new BadInputException($"--work {path} is not empty; name a new folder.");
        return Directory.CreateDirectory(path).FullName;
    }

    private static DemoData PrepareData(ParseResult parsed, string work, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(Data) is { } real) return DemoData.Survey(real.FullName, new DicomLimits(), cancellationToken);
        var hospitals = HospitalsOf(work);
        PhantomHospitals.Write(hospitals, new PhantomOptions { Sites = Check(parsed.GetValue(Sites), 1, 26, "--sites") }, cancellationToken);
        return DemoData.Survey(hospitals, new DicomLimits(), cancellationToken);
    }

    private static void DropCaches(string work, IEnumerable<string> sites)
    {
        if (Directory.Exists(HospitalsOf(work))) Directory.Delete(HospitalsOf(work), recursive: true);
        foreach (var site in sites)
        {
            var models = Path.Combine(work, "sites", site, "data", "models");
            if (Directory.Exists(models)) Directory.Delete(models, recursive: true);
        }
    }

    private static string HospitalsOf(string work) => Path.Combine(work, "hospitals");

    private static string JobName(string folder)
    {
        var name = string.Concat(folder.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');
        return name.Length == 0 ? "demo" : name[..Math.Min(name.Length, 40)];
    }

    private static int Check(int value, int min, int max, string option) =>
        value >= min && value <= max ? value : throw new BadInputException($"{option} is {value}; it must be from {min} to {max}.");

    private static void Say(string line) => Console.Error.WriteLine(line);
}
