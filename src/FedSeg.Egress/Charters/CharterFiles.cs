using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Storage;

namespace FedSeg.Egress.Charters;

/// <summary>The signed charters that were brought to this site, by the charter's hash. What lies here counts nothing until the ledger says that people accepted it.</summary>
public sealed class CharterFiles
{
    private readonly string _directory;

    /// <param name="deskDirectory">The desk's folder.</param>
    public CharterFiles(string deskDirectory) => _directory = DurableFile.CreateDirectory(Path.Combine(deskDirectory, "charters"));

    /// <summary>The charter with this hash; <see langword="null"/> when it is gone or is not this one.</summary>
    public SignedCharter? Find(Sha256Digest charter)
    {
        try
        {
            return SignedCharter.TryRead(File.ReadAllBytes(PathOf(charter))) is { } found && found.Hash == charter ? found : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Keeps a charter. On the disk when this returns.</summary>
    public void Keep(SignedCharter charter) => DurableFile.Write(PathOf(charter.Hash), charter.ToBytes());

    private string PathOf(Sha256Digest charter) => Path.Combine(_directory, charter + ".json");
}
