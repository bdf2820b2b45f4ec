using System.Collections.Immutable;
using System.Security.Cryptography;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Review;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Masking;
using FedSeg.SecureAggregation.Server;
using FedSeg.SecureAggregation.Sites;

namespace FedSeg.Egress.Tests.Blind;

/// <summary>A blind round's update: judged by every rule before it is masked, and not to be sent in any other form.</summary>
public sealed class BlindGateTests : IDisposable
{
    private readonly HospitalOnDisk _hospital = new();
    private readonly Dictionary<SiteId, SumClient> _clients;
    private readonly SumServer _server;

    public BlindGateTests()
    {
        ImmutableArray<SiteId> sites = [SiteId.Parse("east"), SiteId.Parse("north"), SiteId.Parse("south")];
        _hospital.WritePolicy(HospitalOnDisk.ValidPolicy + "minimumBlindSites: 3\n");
        // 40 of 160 cases: a quarter of a full weight.
        _hospital.Plan = _hospital.Plan with { Blind = new BlindSpec { Sites = sites, MaximumCases = 160, GridExponent = -15 } };
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan);
        var context = SumContext.Of(_hospital.Plan);
        var keys = sites.ToDictionary(site => site, _ => ECDsa.Create(ECCurve.NamedCurves.nistP256));
        ECDsa Check(SiteId site, byte[] certificate)
        {
            var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(certificate, out _);
            return key;
        }

        _server = new SumServer(context, Check);
        _clients = sites.ToDictionary(
            site => site,
            site => new SumClient(context, site, new SiteCredential(
                keys[site].ExportSubjectPublicKeyInfo(), keys[site]), Check, 3, RandomNumberGenerator.Create()));
        SendAll(SumStage.Keys, (_, client) => client.Advertise());
        SendAll(SumStage.Shares, (site, client) => client.AnswerRoster(_server.MessageAfter(SumStage.Keys, site)));
        foreach (var (site, client) in _clients) client.AcceptShares(_server.MessageAfter(SumStage.Shares, site));
    }

    private SumClient North => _clients[SiteId.Parse("north")];

    private static EgressRule[] FailedIn(EgressOutcome outcome) =>
        outcome is EgressOutcome.Refused { Report: var report } ? [.. report.Rules.Where(rule => !rule.Passed).Select(rule => rule.Rule)] : [];

    public void Dispose()
    {
        foreach (var client in _clients.Values) client.Dispose();
        _hospital.Dispose();
    }

    [Fact]
    public async Task Clear_UpdateOfABlindRound_CanNotBeSentAsItIs()
    {
        var cleared = await _hospital.ClearedAsync();

        Assert.True(cleared.MustBeMasked);
        Assert.Throws<InvalidOperationException>(cleared.OpenPayload);
        _hospital.Restart();
        var pending = Assert.Single(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
        Assert.Throws<InvalidOperationException>(pending.OpenPayload);
    }

    /// <summary>
    /// What the officer approves is what is summed: scaled by the site's weight, clipped at 32 767 steps, on the grid of all sites.
    /// </summary>
    [Fact]
    public async Task Clear_UpdateOfABlindRound_IsScaledAndRoundedBeforeTheRulesSeeIt()
    {
        _hospital.WriteDelta(0.5f + 0.4f / 32768);
        var cleared = await _hospital.ClearedAsync();

        var plain = PlainValues(cleared);

        // A quarter of it is 4096.1 steps: rounded up by chance one time in ten.
        Assert.Subset(new HashSet<float> { 4096f / 32768, 4097f / 32768 }, plain.ToHashSet());
        Assert.InRange(plain.Average(), 4096.0 / 32768, 4096.3 / 32768);
        // The norm is that of the change itself, in the policy's own unit.
        var norm = double.Parse(_hospital.Entries[0].Facts["norm"], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(0.5 * Math.Sqrt(plain.Length), norm, 0.01);
    }

    /// <summary>
    /// The same update meets the same bounds in both modes. The grid of the blind one ends at a change of 4, so that what is far beyond a bound would be cut off to
    /// within it.
    /// </summary>
    [Theory]
    [InlineData(0.5f, 0.6, 0.6, null)]
    [InlineData(0.5f, 0.4, 0.6, EgressRule.NormWithinBound)]
    [InlineData(0.5f, 0.6, 0.4, EgressRule.TensorsWithinRatio)]
    [InlineData(50f, 20, 60, EgressRule.NormWithinBound)]
    [InlineData(50f, 60, 20, EgressRule.TensorsWithinRatio)]
    [InlineData(float.NaN, 60, 60, EgressRule.FiniteValues)]
    public async Task Clear_SameUpdateBlindAndInspectable_MeetsTheSameBounds(float change, double normPerRoot, double ratio, EgressRule? refusedBy)
    {
        var norm = normPerRoot * Math.Sqrt(_hospital.Plan.Manifest().ParameterCount);
        _hospital.WritePolicy(string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: {norm}\nmaximumTensorRatio: {ratio}\nminimumBlindSites: 3\nreview: auto-within-bounds\n"));
        _hospital.WriteBaseModel(1);
        _hospital.WriteDelta(change);
        var blind = await _hospital.ClearAsync();
        _hospital.Plan = _hospital.Plan with { Run = RunId.Parse("run-inspectable"), Blind = null };
        _hospital.AnswerPlan();
        var inspectable = await _hospital.ClearAsync();

        Assert.Equal(FailedIn(inspectable), FailedIn(blind));
        if (refusedBy is { } rule) Assert.Contains(rule, FailedIn(blind));
        else Assert.Empty(FailedIn(blind));
    }

    [Theory]
    [InlineData(3.9f, 0)]
    [InlineData(50f, 1)]
    public async Task Summary_OfABlindUpdate_SaysWhatTheGridCutOff(float change, double share)
    {
        _hospital.WritePolicy("maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100000\nminimumBlindSites: 3\n");
        _hospital.WriteDelta(change);
        var waiting = Assert.IsType<EgressOutcome.Waiting>(await _hospital.ClearAsync());
        var tensors = new DeskClient(_hospital.Root, _hospital.Time).FindSummary(waiting.Update)!.Tensors;

        Assert.All(tensors, tensor => Assert.Equal(share, tensor.ClippedShare));
        Assert.All(tensors, tensor => Assert.Equal(change, tensor.Largest, 0.001));
    }

    [Fact]
    public async Task Clear_NormBeyondThePolicy_IsRefusedBeforeAnythingIsMasked()
    {
        _hospital.WritePolicy("maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 1\nminimumBlindSites: 3\n");

        var refused = Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync());

        Assert.Contains("NormWithinBound", refused.Report.Summary);
        Assert.Empty(Directory.GetFileSystemEntries(_hospital.OutboxPath));
    }

    [Fact]
    public async Task Mask_ApprovedUpdate_IsThePlainOneAndItsMasksAndTheLedgerHasBothDigests()
    {
        var cleared = await _hospital.ClearedAsync();
        var plain = PlainValues(cleared);

        var masked = (await _hospital.Gate.Blind.MaskAsync(_hospital.Plan, cleared, North, HospitalOnDisk.Token))!;

        var entry = _hospital.Entries[^1];
        Assert.Equal("egressMasked", entry.Action);
        Assert.Equal((cleared.Digest.ToString(), masked.Digest.ToString()), (entry.Facts["plainUpdate"], entry.Facts["update"]));
        Assert.Equal((
            cleared.PayloadSha256.ToString(), masked.PayloadSha256.ToString()), (entry.Facts["plainSha256"], entry.Facts["payloadSha256"]));
        Assert.Equal(("masked", "3"), (entry.Facts["form"], entry.Facts["sites"]));
        Assert.Equal(cleared.ReportBytes.ToArray(), masked.ReportBytes.ToArray());
        Assert.Equal(plain.Length * 3, masked.PayloadBytes);
        Assert.False(masked.MustBeMasked);

        // The two others send zeros, so what the server unmasks is this site's update alone.
        Assert.Equal(plain, Unmask(Words(masked), plain.Length));
    }

    [Fact]
    public async Task Mask_AfterARestart_OnlyTheMaskedOneIsLeftToSend()
    {
        var masked = (await _hospital.Gate.Blind.MaskAsync(_hospital.Plan, await _hospital.ClearedAsync(), North, HospitalOnDisk.Token))!;

        _hospital.Restart();
        var pending = Assert.Single(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));

        Assert.Equal(masked.Digest, pending.Digest);
        Assert.Equal(Words(masked), Words(pending));
        await _hospital.Gate.RecordSentAsync(pending, SendReceipt.Accepted);
        Assert.Empty(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_hospital.OutboxPath));
    }

    /// <summary>The difference of two sums of the same round, of which one leaves this site out, is its update.</summary>
    [Fact]
    public async Task ApprovePlan_RoundThatWasMasked_IsNotTrainedAgainWhetherOrNotItArrived()
    {
        var masked = (await _hospital.Gate.Blind.MaskAsync(_hospital.Plan, await _hospital.ClearedAsync(), North, HospitalOnDisk.Token))!;
        _hospital.Restart();

        // What is masked may be sent again, and that is all.
        var recalled = Assert.IsType<EgressOutcome.Cleared>(await _hospital.Gate.RecallAsync(_hospital.Plan, HospitalOnDisk.Token));
        Assert.Equal(masked.Digest, recalled.Update.Digest);
        await _hospital.Gate.RecordSentAsync(recalled.Update, SendReceipt.RefusedByCoordinator);

        Assert.Null(await _hospital.Gate.RecallAsync(_hospital.Plan, HospitalOnDisk.Token));
        var repeated = Assert.IsType<PlanOutcome.Repeated>(await _hospital.ApprovePlanAsync(_hospital.Plan));
        Assert.Equal("this site has answered round 3 of the run", repeated.Problem);
        Assert.Equal(("roundRefused", repeated.Problem), (_hospital.Actions[^1], _hospital.Entries[^1].Facts["why"]));
    }

    /// <summary>A run of another name from the same model, the same sites: the coordinator would leave one out of one of the two sums.</summary>
    [Fact]
    public async Task Mask_SameBaseModelAgain_IsRefusedUnlessPrivacyHidesThePatients()
    {
        await _hospital.Gate.Blind.MaskAsync(_hospital.Plan, await _hospital.ClearedAsync(), North, HospitalOnDisk.Token);
        ImmutableArray<SiteId> more = [.. new[] { "east", "north", "south", "west" }.Select(site => SiteId.Parse(site))];
        var again = _hospital.Plan with { Run = RunId.Parse("run-2"), Blind = _hospital.Plan.Blind! with { Sites = more } };

        Assert.Contains("the same base model in run-1 round 3", Assert.IsType<PlanOutcome.Repeated>(await _hospital.ApprovePlanAsync(again)).Problem, StringComparison.Ordinal);
        Assert.IsType<PlanOutcome.Waiting>(await _hospital.ApprovePlanAsync(again with { BaseModel = Sha256Digest.Of("another"u8) }));
        Assert.IsType<PlanOutcome.Waiting>(await _hospital.ApprovePlanAsync(
            again with { Recipe = again.Recipe with { Privacy = new PatientPrivacy { ClippingNorm = 1, ExpectedBatch = 4, PatchesPerPatient = 1, NoiseMultiplier = 1, Delta = 1e-5 } } }));

        // Also when it was approved before: the masks are where it counts.
        _hospital.Plan = again;
        _hospital.AnswerPlan();
        var cleared = await _hospital.ClearedAsync();
        Assert.Null(await _hospital.Gate.Blind.MaskAsync(again, cleared, North, HospitalOnDisk.Token));
        Assert.Equal("roundRefused", _hospital.Actions[^1]);
        Assert.Equal(1, _hospital.Actions.Count(action => action == "egressMasked"));
    }

    [Fact]
    public async Task Mask_WeightsChangedAfterTheApproval_MasksNothing()
    {
        var cleared = await _hospital.ClearedAsync();
        var path = Assert.Single(Directory.GetFiles(_hospital.OutboxPath, "payload.unmasked", SearchOption.AllDirectories));
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);

        await Assert.ThrowsAsync<PayloadChangedException>(() =>
            _hospital.Gate.Blind.MaskAsync(_hospital.Plan, cleared, North, HospitalOnDisk.Token));
        Assert.DoesNotContain("egressMasked", _hospital.Actions);
    }

    [Fact]
    public async Task Mask_UpdateOfAnInspectableRound_IsRefused()
    {
        _hospital.Plan = HospitalOnDisk.NewPlan(RoundTask.Train);
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan);
        var cleared = await _hospital.ClearedAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            _hospital.Gate.Blind.MaskAsync(_hospital.Plan, cleared, North, HospitalOnDisk.Token));
    }

    [Fact]
    public async Task ClearStep_Message_IsInTheLedgerFirst()
    {
        var step = await _hospital.Gate.Blind.ClearStepAsync(_hospital.Plan, SumStage.Shares, [1, 2, 3]);

        Assert.Equal([1, 2, 3], step!.Message.ToArray());
        var facts = Assert.Single(_hospital.Entries, entry => entry.Action == "blindStepCleared").Facts;
        Assert.Equal(
            ("shares", "3", Sha256Digest.Of([1, 2, 3]).ToString()), (facts["stage"], facts["messageBytes"], facts["messageSha256"]));
    }

    [Fact]
    public async Task ClearStep_WithoutAPolicy_IsRefused()
    {
        File.Delete(_hospital.PolicyPath);

        Assert.Null(_hospital.Gate.Blind.FewestSitesOf(_hospital.Plan));
        Assert.Null(await _hospital.Gate.Blind.ClearStepAsync(_hospital.Plan, SumStage.Keys, [1]));
        Assert.Equal(["blindStepRefused"], _hospital.Actions);
    }

    [Fact]
    public async Task RecordAbort_IsACodeAndASiteInTheLedger()
    {
        await _hospital.Gate.Blind.RecordAbortAsync(_hospital.Plan, new SumAbort(AbortReason.ModelsDiffer, SiteId.Parse("south")));

        var entry = Assert.Single(_hospital.Entries);
        Assert.Equal(("blindAborted", "modelsDiffer", "south"), (entry.Action, entry.Facts["reason"], entry.Facts["about"]));
    }

    [Fact]
    public async Task RecordFailed_ExchangeEnded_ForgetsTheUpdate()
    {
        var cleared = await _hospital.ClearedAsync();

        await _hospital.Gate.RecordFailedAsync(cleared, SendFailure.ExchangeEnded);

        Assert.Equal(["egressFailed", "egressDiscarded"], _hospital.Actions[^2..]);
        Assert.Empty(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
    }

    private static float[] PlainValues(ClearedUpdate cleared)
    {
        using var stream = cleared.OpenApproved();
        using var file = SafetensorsFile.Open(((FileStream)stream).Name);
        return [.. file.Tensors.SelectMany(tensor => file.ReadAll(tensor.Name))];
    }

    private static byte[] Words(ClearedUpdate masked)
    {
        using var stream = masked.OpenPayload();
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private float[] Unmask(byte[] masked, int length)
    {
        var packed = new List<byte[]> { masked };
        foreach (var client in _clients.Values.Where(client => client != North))
        {
            using var masks = client.TakeMasks();
            var zeros = new uint[length];
            masks.Apply(0, zeros);
            packed.Add(new byte[3 * length]);
            Words24.Pack(zeros, packed[^1]);
        }

        _server.Close([.. _clients.Keys]);
        SendAll(SumStage.Confirmations, (site, client) => client.AnswerSurvivors(_server.MessageAfter(SumStage.Masked, site)));
        SendAll(SumStage.Disclosures, (site, client) => client.AnswerConfirmations(_server.MessageAfter(SumStage.Confirmations, site)));
        using var left = _server.Recover().Masks!;
        var chunk = new MaskedChunk(left);
        chunk.Begin(length);
        packed.ForEach(update => chunk.Add(update));
        return [.. chunk.Unmask(0).ToArray().Select(word => (float)(Words24.ToLevel(word) * Math.ScaleB(1, -15)))];
    }

    private void SendAll(SumStage stage, Func<SiteId, SumClient, StepOutcome> answer)
    {
        foreach (var (site, client) in _clients) Assert.Null(
            _server.Accept(stage, site, Assert.IsType<StepOutcome.Reply>(answer(site, client)).Message));
        Assert.Null(_server.Close());
    }
}
