using System.Security.Cryptography;
using FedSeg.Hosting.Storage;

namespace FedSeg.Ledger.Checkpoints;

/// <summary>
/// The key that signs a ledger's checkpoints, as a PKCS#8 PEM file that only its owner may read. It outlives the site's short-lived TLS certificate, so that old
/// checkpoints stay verifiable with one public key.
/// </summary>
public static class LedgerKeyFile
{
    /// <summary>Reads the key, or makes a new P-256 one where there is none. The caller disposes it.</summary>
    /// <exception cref="CryptographicException">The file is no P-256 key.</exception>
    public static ECDsa OpenOrCreate(string path)
    {
        if (!File.Exists(path)) Create(path);

        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(path));
        }
        catch (ArgumentException error)
        {
            key.Dispose();
            throw new CryptographicException($"{path} holds no private key in PEM; restore it from a backup, a new key can't continue the old ledger.", error);
        }

        return key;
    }

    private static void Create(string path)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

        // Written under another name first: a half-written key would look like a lost one.
        var partial = path + ".new";
        File.Delete(partial);
        using (var stream = new FileStream(partial, options))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
            DurableFile.Flush(stream);
        }

        DurableFile.PublishFirst(partial, path);
    }
}
