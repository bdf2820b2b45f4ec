using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.SecureAggregation;

/// <summary>
/// What every party of one secure sum must agree on. Its digest salts every key and stands in every signature, so parties that were told
/// different things never unmask each other.
/// </summary>
public sealed record SumContext
{
    /// <summary>A sum of two is no secret to either of them.</summary>
    public const int FewestSites = BlindSpec.FewestSites;

    /// <summary>Largest complete graph of pairwise masks; beyond it a random graph is cheaper (Bell et al. 2020).</summary>
    public const int MostSites = BlindSpec.MostSites;

    private static readonly byte[] Domain = "fedseg secure sum 1"u8.ToArray();

    public required RunId Run { get; init; }

    public required int Round { get; init; }

    /// <summary>SHA-256 of the round plan's canonical bytes.</summary>
    public required Sha256Digest Plan { get; init; }

    /// <summary>The global model that the updates start from.</summary>
    public required Sha256Digest BaseModel { get; init; }

    /// <summary>Every site that may take part, in ordinal order; a site is named by its place in it.</summary>
    public required ImmutableArray<SiteId> Sites { get; init; }

    /// <summary>
    /// Sites that must be there to the end, ⌊2n/3⌋ + 1: with more than two thirds, no server can gather both kinds of shares of a site from
    /// two halves that each believe another story (Bonawitz et al. 2017, section 6.2). Counted over all sites of the plan, not over those
    /// that came.
    /// </summary>
    public int Threshold => ThresholdOf(Sites.Length);

    /// <summary>The threshold of a number of sites.</summary>
    public static int ThresholdOf(int sites) => BlindSpec.ThresholdOf(sites);

    /// <summary>The context of a blind round.</summary>
    /// <exception cref="ArgumentException">The round is not blind.</exception>
    public static SumContext Of(RoundPlan plan) => new()
    {
        Run = plan.Run,
        Round = plan.Round,
        Plan = Sha256Digest.Of(plan.ToBytes()),
        BaseModel = plan.BaseModel,
        Sites = (plan.Blind ?? throw new ArgumentException("The round is not blind.")).Sites,
    };

    /// <summary>The site's place; negative when it is not in the plan.</summary>
    public int IndexOf(SiteId site) => Sites.BinarySearch(site);

    /// <summary>SHA-256 over all of it.</summary>
    public byte[] Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Domain);
        AppendText(hash, Run.ToString());
        AppendNumber(hash, Round);
        hash.AppendData(Plan.ToBytes());
        hash.AppendData(BaseModel.ToBytes());
        AppendNumber(hash, Sites.Length);
        foreach (var site in Sites) AppendText(hash, site.ToString());
        return hash.GetHashAndReset();
    }

    private static void AppendText(IncrementalHash hash, string text)
    {
        AppendNumber(hash, text.Length);
        hash.AppendData(Encoding.ASCII.GetBytes(text));
    }

    private static void AppendNumber(IncrementalHash hash, int number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
