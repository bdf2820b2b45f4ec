using System.Text;
using FedSeg.Egress.Review;
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

    /// <summary>The policy that holds: the file's, or the one that two people agreed to last while a change of the file waits for them.</summary>
    /// <param name="path">The site's policy file; where it is missing or wrong no policy holds.</param>
    /// <param name="held">The policy that was adopted last.</param>
    /// <returns>The policy, or why there is none: then nothing may leave.</returns>
    internal (EgressPolicy? Policy, string? Problem) InForce(string path, HeldPolicy? held) => EgressPolicyFile.Read(path) switch
    {
        EgressPolicyResult.Valid { Policy: var file } when held is not { ChangesTakeTwo: true } || held.Policy == file.Hash => (file, null),
        EgressPolicyResult.Valid => Find(held!.Policy) is { } agreed
            ? (agreed, null)
            : (null, $"the policy {held.Policy.Abbreviated} that two people agreed to is gone from the desk's folder, and the file was changed since"),
        EgressPolicyResult.Invalid { Problems: var problems } => (null, string.Join("; ", problems)),
        var other => throw new InvalidOperationException($"{other.GetType().Name} is not a policy."),
    };

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
