namespace FedSeg.Ledger.Verifier;

/// <summary>What the verifier found.</summary>
/// <param name="Entries">Entries up to the last checkpoint that holds.</param>
/// <param name="RootHash">Root of those entries, 64 lower-case hexadecimal digits.</param>
/// <param name="FirstBadIndex">
/// The first entry that can't be trusted; the number of entries when the damage lies behind the last; <see langword="null"/> when everything holds.
/// </param>
/// <param name="Problem">What does not hold, in words; <see langword="null"/> when everything does.</param>
/// <param name="CosignedSize">Entries covered by the last cosignature that holds; 0 when there is none.</param>
public sealed record Verdict(long Entries, string RootHash, long? FirstBadIndex, string? Problem, long CosignedSize = 0)
{
    /// <summary>Whether every byte is as it was signed.</summary>
    public bool Verified => Problem is null;
}
