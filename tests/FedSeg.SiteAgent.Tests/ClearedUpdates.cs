using System.Security.Cryptography;
using FedSeg.Egress;
using FedSeg.Egress.Outbox;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Hosting.Faults;
using FedSeg.Ledger.Storage;
using FedSeg.Testing;

namespace FedSeg.SiteAgent.Tests;

/// <summary>Updates as a gate clears them: nothing else can be sent.</summary>
internal static class ClearedUpdates
{
    /// <summary>What a trainer might have made of a plan: every weight changed by a hundredth.</summary>
    /// <param name="plan">The round.</param>
    /// <param name="path">Where the change is written.</param>
    public static ModelUpdate Make(RoundPlan plan, string path)
    {
        using (var writer = SafetensorsWriter.Create(path, plan.Manifest()))
        {
            writer.Write(Enumerable.Repeat(0.01f, (int)plan.Manifest().ParameterCount).ToArray());
            writer.Complete();
        }

        var report = new SiteReport
        {
            Run = plan.Run,
            Round = plan.Round,
            Task = plan.Task,
            Site = SiteId.Parse("north"),
            Plan = Sha256Digest.Of(plan.ToBytes()),
            BaseModel = plan.BaseModel,
            TrainingCases = 40,
            HeldBackCases = 10,
            Steps = plan.Recipe.StepsPerRound,
            MeanLoss = 0.5,
            Scores = [],
        };
        return new ModelUpdate(report, path) { Similarity = new ImageSimilarity(0.1, Pieces: 8, Sha256Digest.Of(File.ReadAllBytes(path))) };
    }

    /// <summary>An update of some megabytes at most, cleared for a coordinator.</summary>
    /// <param name="folder">Of the site.</param>
    /// <param name="settings">The site's.</param>
    /// <param name="baseFeatures">Of the network; 40 make an update of 0.8 MB, 60 one of nearly 2 MB.</param>
    public static async Task<ClearedUpdate> OfAsync(TemporaryFolder folder, AgentOptions settings, int baseFeatures)
    {
        var good = Plans.Good();
        var plan = good with { Architecture = good.Architecture with { BaseFeatures = baseFeatures } };
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var ledger = LedgerWriter.Open(folder["ledger"], "fedseg/site/north", key, TimeProvider.System);
        const string policy = "maximumUpdateBytes: 10000000\nrunsWithoutCharter: true\nmaximumNorm: 1000\nreview: auto-within-bounds\n";
        var options = new EgressOptions
        {
            Site = SiteId.Parse("north"),
            Recipient = settings.Coordinator,
            PolicyPath = folder.Write("policy.yaml", policy),
            OutboxDirectory = folder["outbox"],
            DeskDirectory = folder["desk"],
            AuthorityPath = settings.Authority,
        };
        using var gate = new EgressGate(options, ledger, TimeProvider.System, RandomNumberGenerator.Create(), Failpoints.None);
        var outcome = await gate.ClearAsync(plan, Make(plan, folder["delta"]), TestContext.Current.CancellationToken);
        return Assert.IsType<EgressOutcome.Cleared>(outcome).Update;
    }
}
