using System.Security.Cryptography;
using System.Text;

namespace FedSeg.Ledger.Storage;

/// <summary>
/// The files of one log. <c>entries</c>: per entry a big-endian uint16 length and its bytes (a C2SP entry bundle without end); <c>leaves</c>: 32 bytes an entry;
/// <c>checkpoints</c>: a signed note for the empty log and one after every append, so that each acknowledged state stays signed for good; <c>key.pem</c>: the public key;
/// <c>lock</c>: empty, held by the writer.
/// </summary>
internal sealed class LedgerFolder(string directory)
{
    public string Directory { get; } = directory;

    public string EntriesPath => Path.Combine(Directory, "entries");

    public string LeavesPath => Path.Combine(Directory, "leaves");

    public string CheckpointsPath => Path.Combine(Directory, "checkpoints");

    public string KeyPath => Path.Combine(Directory, "key.pem");

    public string LockPath => Path.Combine(Directory, "lock");

    /// <summary>The one way a public key is written here, so that any other byte in the file shows.</summary>
    public static byte[] Encode(ECDsa key) => Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem() + "\n");

    /// <summary>The public key beside the log, or <see langword="null"/> when the file is missing or not as <see cref="Encode"/> writes it.</summary>
    public ECDsa? ReadKey()
    {
        if (!File.Exists(KeyPath)) return null;
        var bytes = File.ReadAllBytes(KeyPath);
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(Encoding.ASCII.GetString(bytes));
            if (Encode(key).AsSpan().SequenceEqual(bytes)) return key;
        }
        catch (Exception error) when (error is ArgumentException or CryptographicException or PlatformNotSupportedException)
        {
            // No key, or one on a curve this machine does not know: the null below says so.
        }

        key.Dispose();
        return null;
    }
}
