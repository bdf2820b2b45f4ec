using System.CommandLine;
using System.Security.Cryptography;
using FedSeg.Cli.Programs;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verification;
using Spectre.Console;

namespace FedSeg.Cli.Ledgers;

/// <summary><c>fedseg ledger</c>: what left a site, and whether the record of it is whole.</summary>
internal static class LedgerCommands
{
    private static readonly Argument<DirectoryInfo> DirectoryArgument = new("dir") { Description = "The ledger's folder." };

    public static Command Create() => new("ledger", "Read and check an egress ledger.") { Show(), Verify() };

    private static Command Show() => new Command("show", "The entries, oldest first.") { DirectoryArgument }.Does((parsed, _) =>
    {
        var entries = LedgerReader.Open(Existing(parsed)).Entries().ToList();
        if (parsed.GetValue(CommandLine.Json))
        {
            JsonOutput.Write(new { entries = entries.Select(entry => new { seq = entry.Seq, time = entry.Time, action = entry.Action, facts = entry.Facts }) });
            return Task.FromResult(CommandLine.Done);
        }

        var table = new Table().AddColumns("seq", "time", "action", "facts");
        foreach (var entry in entries) table.AddRow(entry.Seq.ToString(), entry.Time.ToString("u"), Markup.Escape(entry.Action), Markup.Escape(string.Join("  ", entry.Facts.Select(fact => $"{fact.Key}={fact.Value}"))));
        AnsiConsole.Write(table);
        return Task.FromResult(CommandLine.Done);
    });

    private static Command Verify()
    {
        var keyOption = new Option<FileInfo?>("--key") { Description = "The public key the ledger is known to be signed with, PEM; without it the folder's own key is believed." };
        return new Command("verify", "Check every byte of the ledger.") { DirectoryArgument, keyOption }.Does((parsed, _) =>
        {
            using var key = parsed.GetValue(keyOption) is { } file ? ReadKey(file) : null;
            var result = LedgerVerifier.Verify(Existing(parsed), key);
            if (parsed.GetValue(CommandLine.Json))
            {
                JsonOutput.Write(new { entries = result.Entries, rootHash = result.RootHash.ToString(), verified = result.Verified, firstBadIndex = result.FirstBadIndex, problem = result.Problem });
            }
            else
            {
                Console.WriteLine(result.Verified
                    ? $"Whole: {result.Entries} entries, root {result.RootHash}"
                    : $"BROKEN at entry {result.FirstBadIndex}: {result.Problem}");
            }

            return Task.FromResult(result.Verified ? CommandLine.Done : CommandLine.No);
        });
    }

    private static string Existing(ParseResult parsed)
    {
        var directory = parsed.GetRequiredValue(DirectoryArgument);
        return directory.Exists ? directory.FullName : throw new BadInputException($"There is no ledger folder '{directory.FullName}'.");
    }

    private static ECDsa ReadKey(FileInfo file)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(file.FullName));
            return key;
        }
        catch (Exception error) when (error is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new BadInputException($"'{file.FullName}' is not a public key in PEM.");
        }
    }
}
