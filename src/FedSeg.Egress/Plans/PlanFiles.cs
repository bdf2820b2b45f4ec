using System.Text.Json;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Storage;

namespace FedSeg.Egress.Plans;

/// <summary>The terms that were ever put before the desk, and the coordinator's signed plans, each by its hash: for people to read, to compare and to prove.</summary>
public sealed class PlanFiles
{
    private readonly string _directory, _signed;

    /// <param name="deskDirectory">The desk's folder.</param>
    public PlanFiles(string deskDirectory)
    {
        _directory = DurableFile.CreateDirectory(Path.Combine(deskDirectory, "plans"));
        _signed = DurableFile.CreateDirectory(Path.Combine(_directory, "signed"));
    }

    /// <summary>The terms with this hash; <see langword="null"/> when they are gone or are not these.</summary>
    public RoundPlan? Find(Sha256Digest terms)
    {
        try
        {
            var bytes = File.ReadAllBytes(PathOf(terms));
            return Sha256Digest.Of(bytes) == terms ? RoundPlan.FromBytes(bytes) : null;
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Keeps a plan's terms. On the disk when this returns.</summary>
    internal void Keep(RoundPlan plan)
    {
        var path = PathOf(RunTerms.HashOf(plan));
        if (!File.Exists(path)) DurableFile.Write(path, RunTerms.Of(plan).ToBytes());
    }

    /// <summary>Keeps what proves who ordered a plan. On the disk when this returns.</summary>
    internal void Keep(SignedPlan signed) => DurableFile.Write(Path.Combine(_signed, signed.Hash + ".json"), signed.ToBytes());

    private string PathOf(Sha256Digest terms) => Path.Combine(_directory, terms + ".json");
}
