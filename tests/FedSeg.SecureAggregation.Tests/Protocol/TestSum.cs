using System.Collections.Immutable;
using System.Security.Cryptography;
using FedSeg.Federation.Identity;
using FedSeg.SecureAggregation.Masking;
using FedSeg.SecureAggregation.Server;
using FedSeg.SecureAggregation.Sites;

namespace FedSeg.SecureAggregation.Tests.Protocol;

/// <summary>One secure sum in memory: a server and its sites, every message as bytes.</summary>
internal sealed class TestSum : IDisposable
{

    public TestSum(int sites, int words = 1000, TestAuthority? authority = null, int round = 1)
    {
        Authority = authority ?? new TestAuthority();
        Context = ContextOf(sites, round);
        Words = words;
        Server = new SumServer(Context, Authority.Check);
        foreach (var site in Context.Sites) Join(site, Context);
    }

    public TestAuthority Authority { get; }

    public SumContext Context { get; }

    public int Words { get; }

    public SumServer Server { get; }

    public Dictionary<SiteId, SumClient> Clients { get; } = [];

    /// <summary>Each site's words before masking.</summary>
    public Dictionary<SiteId, uint[]> Plain { get; } = [];

    public Dictionary<SiteId, uint[]> Masked { get; } = [];

    public static SumContext ContextOf(int sites, int round = 1, string model = "model") => new()
    {
        Run = RunId.Parse("run-test-1"),
        Round = round,
        Plan = Sha256Digest.Of([(byte)round]),
        BaseModel = Sha256Digest.Of(System.Text.Encoding.ASCII.GetBytes(model)),
        Sites = [.. Enumerable.Range(1, sites).Select(number => SiteId.Parse($"site{number:000}")).Order()],
    };

    /// <summary>Puts a new client in a site's place.</summary>
    public SumClient Join(SiteId site, SumContext context, int fewest = SumContext.FewestSites)
    {
        var client = new SumClient(context, site, Authority.Enrol(site), Authority.Check, fewest, RandomNumberGenerator.Create());
        Clients[site] = client;
        Plain[site] = [.. Enumerable.Range(0, Words).Select(_ => Words24.FromLevel(RandomNumberGenerator.GetInt32(-32767, 32768)))];
        return client;
    }

    /// <summary>Whole sum: who is in a set leaves before that step.</summary>
    public uint[] Run(SiteId[] beforeKeys, SiteId[] beforeShares, SiteId[] beforeMasked, SiteId[] beforeDisclosures)
    {
        AdvertiseAll(beforeKeys);
        DealAll([.. beforeKeys, .. beforeShares]);
        SiteId[] gone = [.. beforeKeys, .. beforeShares, .. beforeMasked];
        MaskAll(gone);
        ConfirmAll([.. gone, .. beforeDisclosures]);
        DiscloseAll([.. gone, .. beforeDisclosures]);
        return Unmasked();
    }

    public void AdvertiseAll(params SiteId[] gone)
    {
        foreach (var site in Present(gone)) Send(SumStage.Keys, site, Clients[site].Advertise());
        Assert.Null(Server.Close());
    }

    public void DealAll(params SiteId[] gone)
    {
        foreach (var site in Present(
            gone)) Send(SumStage.Shares, site, Clients[site].AnswerRoster(Server.MessageAfter(SumStage.Keys, site)));
        Assert.Null(Server.Close());
    }

    public void MaskAll(params SiteId[] gone)
    {
        foreach (var site in Present(gone)) Mask(site);
        Assert.Null(Server.Close([.. Masked.Keys]));
    }

    public void Mask(SiteId site)
    {
        Assert.IsType<StepOutcome.ReadyToMask>(Clients[site].AcceptShares(Server.MessageAfter(SumStage.Shares, site)));
        using var masks = Clients[site].TakeMasks();
        Masked[site] = [.. Plain[site]];
        Apply(masks, Masked[site]);
    }

    public void ConfirmAll(params SiteId[] gone)
    {
        foreach (var site in Present(
            gone)) Send(SumStage.Confirmations, site, Clients[site].AnswerSurvivors(Server.MessageAfter(SumStage.Masked, site)));
        Assert.Null(Server.Close());
    }

    public void DiscloseAll(params SiteId[] gone)
    {
        foreach (var site in Present(
            gone)) Send(SumStage.Disclosures, site, Clients[site].AnswerConfirmations(Server.MessageAfter(SumStage.Confirmations, site)));
        Assert.Null(Server.Close());
    }

    public uint[] Unmasked()
    {
        var (masks, abort) = Server.Recover();
        Assert.Null(abort);
        using (masks)
        {
            var sum = Sum(Masked.Values);
            Apply(masks!, sum);
            return sum;
        }
    }

    /// <summary>The plain integer sum of the sites whose masked words arrived.</summary>
    public uint[] PlainSum() => Sum(Masked.Keys.Select(site => Plain[site]));

    public static byte[] Message(StepOutcome outcome) => Assert.IsType<StepOutcome.Reply>(outcome).Message;

    public static SumAbort Abort(StepOutcome outcome) => Assert.IsType<StepOutcome.Aborted>(outcome).Abort;

    public void Dispose()
    {
        foreach (var client in Clients.Values) client.Dispose();
    }

    private void Send(SumStage stage, SiteId site, StepOutcome outcome) => Assert.Null(Server.Accept(stage, site, Message(outcome)));

    private IEnumerable<SiteId> Present(SiteId[] gone) => Context.Sites.Except(gone);

    private static uint[] Sum(IEnumerable<uint[]> vectors)
    {
        uint[]? sum = null;
        foreach (var vector in vectors) sum = sum is null ? [.. vector] : [.. sum.Zip(vector, (left, right) => (left + right) & 0xFFFFFF)];
        return sum!;
    }

    private static void Apply(MaskSet masks, uint[] words)
    {
        for (var start = 0; start < words.Length; start += MaskSet.ChunkWords)
        {
            masks.Apply(start / MaskSet.ChunkWords, words.AsSpan(start, Math.Min(MaskSet.ChunkWords, words.Length - start)));
        }
    }
}
