using System.Text;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Storage;

namespace FedSeg.Egress.Policy;

/// <summary>The policies that were ever put before two people, by their hash: what they agreed to, whatever became of the file.</summary>
public sealed class PolicyFiles
{
    private readonly string _directory;

    /// <param name="deskDirectory">The desk's folder.</param>
    public PolicyFiles(string deskDirectory) => _directory = DurableFile.CreateDirectory(Path.Combine(deskDirectory, "policies"));

    /// <summary>The policy with this hash; <see langword="null"/> when it is gone or is not this one.</summary>
    public EgressPolicy? Find(Sha256Digest policy) =>
        EgressPolicyFile.Read(PathOf(policy)) is EgressPolicyResult.Valid { Policy: var found } && found.Hash == policy ? found : null;

    /// <summary>Its text, for people to read and compare; empty when it is gone or is not this one.</summary>
    public IReadOnlyList<string> Lines(Sha256Digest policy)
    {
        try
        {
            var bytes = File.ReadAllBytes(PathOf(policy));
            return Sha256Digest.Of(bytes) == policy ? Encoding.UTF8.GetString(bytes).ReplaceLineEndings("\n").Split('\n') : [];
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>Keeps a policy file. On the disk when this returns.</summary>
    internal void Keep(Sha256Digest policy, ReadOnlyMemory<byte> yaml)
    {
        if (Find(policy) is null) DurableFile.Write(PathOf(policy), yaml.Span);
    }

    private string PathOf(Sha256Digest policy) => Path.Combine(_directory, policy + ".yaml");
}
