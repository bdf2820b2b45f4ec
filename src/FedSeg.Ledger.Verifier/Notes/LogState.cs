using System.Globalization;
using FedSeg.Ledger.Verifier.Tree;

namespace FedSeg.Ledger.Verifier.Notes;

/// <summary>What a checkpoint says: a log's name, size and root. Source: C2SP tlog-checkpoint v1, without extension lines.</summary>
internal sealed record LogState(string Origin, long Size, byte[] Root)
{
    public static LogState? Parse(string text)
    {
        if (text.Split('\n') is not [{ Length: > 0 } origin, var digits, var base64, ""]) return null;
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var size) || size.ToString(CultureInfo.InvariantCulture) != digits) return null;
        var root = new byte[TreeHash.Bytes + 2];
        if (!Convert.TryFromBase64String(base64, root, out var length) || length != TreeHash.Bytes) return null;
        return Convert.ToBase64String(root[..length]) == base64 ? new LogState(origin, size, root[..length]) : null;
    }
}
