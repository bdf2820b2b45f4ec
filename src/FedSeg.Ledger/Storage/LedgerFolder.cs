using System.Security.Cryptography;
using System.Text;

namespace FedSeg.Ledger.Storage;

/// <summary>
/// The files of one log, docs/ledger.md: <c>tile/entries</c> and <c>tile/0</c>, <c>tile/1</c> … (C2SP tlog-tiles), <c>checkpoints</c>: a signed note for the empty log and
/// one after every commit, so that each acknowledged state stays signed for good; <c>cosigned</c>: those of them that a witness cosigned; <c>key.pem</c>: the log's public
/// key; <c>witnesses/</c>: theirs; <c>lock</c>: empty, held by the writer.
/// </summary>
internal sealed class LedgerFolder(string directory)
{
    public string Directory { get; } = directory;

    public string CheckpointsPath => Path.Combine(Directory, "checkpoints");

    public string CosignedPath => Path.Combine(Directory, "cosigned");

    public string KeyPath => Path.Combine(Directory, "key.pem");

    public string LockPath => Path.Combine(Directory, "lock");

    /// <summary>The entries, each with a big-endian uint16 length before it.</summary>
    public TileColumn Entries() => new(Path.Combine(Directory, "tile", "entries"));

    /// <summary>The hashes of one level, 32 bytes each.</summary>
    public TileColumn Hashes(int level) => new(LevelPath(level));

    /// <summary>Whether there ever was a hash of that level.</summary>
    public bool HasLevel(int level) => System.IO.Directory.Exists(LevelPath(level));

    private string LevelPath(int level) => Path.Combine(Directory, "tile", $"{level}");

    public string WitnessKeyPath(string keyId) => Path.Combine(Directory, "witnesses", keyId + ".pem");

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
