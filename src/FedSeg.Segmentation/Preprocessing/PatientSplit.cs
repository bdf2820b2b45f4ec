using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>
/// Who is held back: patients in the order of SHA-256(seed as 8 little-endian bytes ‖ UTF-8 of the patient's key), the first ceil(fraction · patients), at least one
/// and never all. A patient's rank depends on the seed and the key alone, so the split of the same patients is the same in any order of files; a run keeps the one it began
/// with (<see cref="RunSplit"/>).
/// </summary>
public static class PatientSplit
{
    /// <summary>The keys of the held-back patients; empty when there are fewer than two patients.</summary>
    public static IReadOnlySet<string> HeldBack(IEnumerable<string> patientKeys, double fraction, ulong seed)
    {
        var patients = patientKeys.Distinct(StringComparer.Ordinal).OrderBy(key => Rank(key, seed), StringComparer.Ordinal).ToArray();
        if (patients.Length < 2) return new HashSet<string>();
        var count = Math.Clamp((int)Math.Ceiling(fraction * patients.Length), 1, patients.Length - 1);
        return patients.Take(count).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Whether a patient is held back whoever else there is: where the hash, as a number from 0 to 1, lies below the fraction.</summary>
    public static bool IsHeldBackAlone(string key, double fraction, ulong seed) => BinaryPrimitives.ReadUInt64BigEndian(Hash(key, seed)) < fraction * Math.Pow(2, 64);

    private static string Rank(string key, ulong seed) => Convert.ToHexString(Hash(key, seed));

    private static byte[] Hash(string key, ulong seed)
    {
        var bytes = new byte[sizeof(ulong) + Encoding.UTF8.GetByteCount(key)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, seed);
        Encoding.UTF8.GetBytes(key, bytes.AsSpan(sizeof(ulong)));
        return SHA256.HashData(bytes);
    }
}
