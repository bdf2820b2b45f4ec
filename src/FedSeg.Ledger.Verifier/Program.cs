using FedSeg.Ledger.Verifier;
using FedSeg.Ledger.Verifier.Notes;

// FedSeg.Ledger.Verifier FOLDER|PROOF [--key FILE|VKEY] [--witness FILE|VKEY] [--witnessed FILE]
// Exit code: 0 everything holds, 1 it does not, 2 the question makes no sense.
string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at ? args[at + 1] : null;
VerifierKey? Key(string name) => Option(name) is { } value ? VerifierKey.Parse(File.Exists(value) ? File.ReadAllText(value) : value) : null;

try
{
    if (args is not [var path, .. var options] || path.StartsWith('-')) throw new FormatException("Name a ledger's folder or a proof file.");
    // A key that is passed over would leave the folder to vouch for itself.
    string[] known = ["--key", "--witness", "--witnessed"];
    for (var at = 0; at < options.Length; at += 2)
    {
        if (!known.Contains(options[at])) throw new FormatException($"'{options[at]}' is unknown; known are: {string.Join(", ", known)}.");
        if (at + 1 == options.Length || known.Contains(options[at + 1])) throw new FormatException($"{options[at]} needs a value.");
        if (Array.IndexOf(options, options[at]) != at) throw new FormatException($"{options[at]} is given twice.");
    }

    var verdict = Directory.Exists(path)
        ? LedgerVerifier.VerifyFolder(path, Key("--key"), Option("--witnessed"))
        : LedgerVerifier.VerifyProof(File.ReadAllBytes(path), Key("--key") ?? throw new FormatException("A proof is checked against the log's key: --key."), Key("--witness"));
    Console.WriteLine(verdict.Verified
        ? $"Whole: {verdict.Entries} entries, root {verdict.RootHash}, cosigned up to {verdict.CosignedSize}"
        : $"BROKEN at entry {verdict.FirstBadIndex}: {verdict.Problem}");
    return verdict.Verified ? 0 : 1;
}
catch (Exception error) when (error is FormatException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
