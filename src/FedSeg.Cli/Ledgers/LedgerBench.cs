using System.Security.Cryptography;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;

namespace FedSeg.Cli.Ledgers;

/// <summary>How quick a ledger of a given length is on this machine's disk: appends, opening, a proof, verification.</summary>
internal sealed record LedgerBench(
    long Entries, double AppendsPerSecond, double OpenSeconds, double ProofMilliseconds, double VerifySeconds, string RootHash, bool Verified, long? FirstBadIndex)
{
    private const int Writers = 1024, Proofs = 100;

    /// <summary>Writes, with many callers at once as the group commit is made for, then reads.</summary>
    public static async Task<LedgerBench> RunAsync(string directory, int entries, TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var started = time.GetTimestamp();
        using (var writer = LedgerWriter.Open(directory, "fedseg/bench", key, time))
        {
            var next = -1;
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(async _ =>
            {
                for (var i = Interlocked.Increment(ref next); i < entries; i = Interlocked.Increment(ref next)) await writer.AppendAsync("benched", Facts(i));
            }));
        }

        var appended = time.GetElapsedTime(started).TotalSeconds;
        started = time.GetTimestamp();
        LedgerWriter.Open(directory, "fedseg/bench", key, time).Dispose();
        var opened = time.GetElapsedTime(started).TotalSeconds;

        started = time.GetTimestamp();
        for (var i = 0; i < Proofs; i++) OfflineProof.Of(LedgerReader.Open(directory), i * 7919L % entries);
        var proven = time.GetElapsedTime(started).TotalMilliseconds / Proofs;

        started = time.GetTimestamp();
        var verdict = LedgerVerifier.VerifyFolder(directory);
        var verified = time.GetElapsedTime(started).TotalSeconds;
        return new LedgerBench(verdict.Entries, entries / appended, opened, proven, verified, verdict.RootHash, verdict.Verified, verdict.FirstBadIndex);
    }

    /// <summary>Facts of the length of a real entry's.</summary>
    private static Dictionary<string, string> Facts(int number) => new()
    {
        ["site"] = "bench",
        ["run"] = "bench-00000000-1",
        ["round"] = $"{number}",
        ["update"] = Convert.ToHexStringLower(SHA256.HashData(BitConverter.GetBytes(number))),
        ["decision"] = "approved",
    };
}
