using System.CommandLine;
using FedSeg.Cli.Ledgers.Shipping;
using FedSeg.Cli.Programs;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;
using FedSeg.Ledger.Verifier.Notes;
using Spectre.Console;

namespace FedSeg.Cli.Ledgers;

/// <summary><c>fedseg ledger</c>: what left a site, whether the record of it is whole, and a proof of one entry to hand to someone else.</summary>
internal static class LedgerCommands
{
    private static readonly Argument<DirectoryInfo> DirectoryArgument = new("dir") { Description = "The ledger's folder." };

    public static Command Create() => new("ledger", "Read, check and export from a ledger.") { Show(), Verify(), Export(), ShipCommand.Create(), Bench() };

    private static Command Show() => new Command("show", "The entries, oldest first.") { DirectoryArgument }.Does((parsed, _) =>
    {
        var directory = Existing(parsed.GetRequiredValue(DirectoryArgument));
        var log = Open(directory);
        var entries = log.Entries().ToList();
        if (parsed.GetValue(CommandLine.Json))
        {
            JsonOutput.Write(LedgerAnswer.Of(LedgerVerifier.VerifyFolder(directory)) with { Entries = entries.Select(LedgerAnswer.Entry) });
            return Task.FromResult(CommandLine.Done);
        }

        var table = new Table().AddColumns("seq", "time", "action", "facts");
        foreach (var entry in entries)
        {
            var facts = string.Join("  ", entry.Facts.Select(fact => $"{fact.Key}={fact.Value}"));
            table.AddRow(entry.Seq.ToString(), entry.Time.ToString("u"), Markup.Escape(entry.Action), Markup.Escape(facts));
        }

        AnsiConsole.Write(table);
        return Task.FromResult(CommandLine.Done);
    });

    private static Command Verify()
    {
        var path = new Argument<string>("path") { Description = "The ledger's folder, or a proof file that 'export' wrote." };
        var key = new Option<string?>("--key") { Description = "The public key the ledger is known to be signed with: a PEM file or a C2SP verifier key. A proof needs it; for a folder its own key is believed without it." };
        var witness = new Option<string?>("--witness") { Description = "A proof must also be cosigned by this key." };
        var witnessed = new Option<FileInfo?>("--witnessed") { Description = "The peer's file of this ledger's checkpoints that it cosigned: finds a folder that was rolled back or rewritten as a whole." };
        return new Command("verify", "Check every byte of a ledger, or an exported proof.") { path, key, witness, witnessed }.Does((parsed, _) =>
        {
            var (target, logKey) = (parsed.GetRequiredValue(path), ReadKey(parsed.GetValue(key)));
            if (parsed.GetValue(witnessed) is { Exists: false } missing) throw new BadInputException($"There is no file '{missing.FullName}'.");
            var verdict = File.Exists(target)
                ? LedgerVerifier.VerifyProof(File.ReadAllBytes(target), logKey ?? throw new BadInputException("A proof is checked against the ledger's key; name it with --key."), ReadKey(parsed.GetValue(witness)))
                : VerifyFolder(Existing(new DirectoryInfo(target)), logKey, parsed.GetValue(witnessed)?.FullName);
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(LedgerAnswer.Of(verdict));
            else Console.WriteLine(verdict.Verified
                ? $"Whole: {verdict.Entries} entries, root {verdict.RootHash}" + (verdict.CosignedSize > 0 ? $", cosigned up to {verdict.CosignedSize}" : "")
                : $"BROKEN at entry {verdict.FirstBadIndex}: {verdict.Problem}");
            return Task.FromResult(verdict.Verified ? CommandLine.Done : CommandLine.No);
        });
    }

    private static Command Export()
    {
        var index = new Option<long>("--index") { Description = "The entry's number, as 'show' gives it.", Required = true };
        var output = new Option<FileInfo>("--out") { Description = "The proof file, usually named .tlog-proof.", Required = true };
        return new Command("export", "Write a proof of one entry that can be checked without the ledger.") { DirectoryArgument, index, output }.Does((parsed, _) =>
        {
            var log = Open(Existing(parsed.GetRequiredValue(DirectoryArgument)));
            var wanted = parsed.GetValue(index);
            if (wanted < 0 || wanted >= log.Count) throw new BadInputException($"--index is {wanted}; the ledger has entries 0 to {log.Count - 1}.");
            var file = parsed.GetRequiredValue(output);
            File.WriteAllText(file.FullName, OfflineProof.Of(log, wanted));
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { entries = log.Count, rootHash = log.Checkpoint.Checkpoint.Root.ToString(), verified = true, firstBadIndex = (long?)null, index = wanted, path = file.FullName });
            else Console.WriteLine($"Wrote the proof of entry {wanted} to {file.FullName}. Check it with: fedseg ledger verify {file.FullName} --key key.pem");
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static Command Bench()
    {
        var entries = new Option<int>("--entries") { Description = "How many.", DefaultValueFactory = _ => 100_000 };
        return new Command("bench", "Measure a new ledger on this machine's disk; its folder is removed.") { entries }.Does(async (parsed, _) =>
        {
            var count = parsed.GetValue(entries);
            if (count is < 1 or > 100_000_000) throw new BadInputException($"--entries is {count}; it must be from 1 to 100000000.");
            var directory = Directory.CreateTempSubdirectory("fedseg-ledger-bench-");
            try
            {
                var bench = await LedgerBench.RunAsync(directory.FullName, count, TimeProvider.System);
                if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(bench);
                else Console.WriteLine($"{bench.Entries} entries: {bench.AppendsPerSecond:F0} appends/s, opened in {bench.OpenSeconds:F1} s, a proof in {bench.ProofMilliseconds:F1} ms, verified in {bench.VerifySeconds:F1} s");
                return bench.Verified ? CommandLine.Done : CommandLine.No;
            }
            finally
            {
                directory.Delete(recursive: true);
            }
        });
    }

    private static Verdict VerifyFolder(string directory, VerifierKey? key, string? witnessedPath)
    {
        try
        {
            return LedgerVerifier.VerifyFolder(directory, key, witnessedPath);
        }
        catch (FormatException error)
        {
            throw new BadInputException(error.Message);
        }
    }

    private static LedgerReader Open(string directory)
    {
        try
        {
            return LedgerReader.Open(directory);
        }
        catch (LedgerCorruptException error)
        {
            throw new BadInputException(error.Message);
        }
    }

    private static string Existing(DirectoryInfo directory) =>
        directory.Exists ? directory.FullName : throw new BadInputException($"There is no ledger folder '{directory.FullName}'.");

    private static VerifierKey? ReadKey(string? value)
    {
        try
        {
            return value is null ? null : VerifierKey.Parse(File.Exists(value) ? File.ReadAllText(value) : value);
        }
        catch (FormatException error)
        {
            throw new BadInputException($"'{value}' is not a key: {error.Message}");
        }
    }
}
