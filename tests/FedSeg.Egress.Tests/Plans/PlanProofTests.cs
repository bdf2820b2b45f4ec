using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Tests.Review;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Egress.Tests.Plans;

/// <summary>What the coordinator did not sign for this site, plan and time is neither shown nor approved nor trained.</summary>
public sealed class PlanProofTests : IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(2), Skew = TimeSpan.FromMinutes(5);

    private readonly HospitalOnDisk _hospital = new();

    public void Dispose() => _hospital.Dispose();

    private DateTimeOffset Now => _hospital.Time.GetUtcNow();

    private FederationAuthority Elsewhere => FederationAuthority.Create(Path.Combine(_hospital.Root, Guid.NewGuid().ToString("N")), "test", _hospital.Time);

    [Fact]
    public Task Plan_WithoutASignature_IsRefused() =>
        AssertRefusedAsync(_hospital.Signed(_hospital.Plan) with { Signature = PlanSignature.None }, PlanFlaw.NoSignature, "noSignature");

    [Fact]
    public Task Plan_Altered_IsRefused() =>
        AssertRefusedAsync(_hospital.Signed(_hospital.Plan) with { Plan = _hospital.Plan with { Seed = 2 } }, PlanFlaw.OtherPlan, "otherPlan");

    [Fact]
    public Task Plan_WithTheSignatureOfAnotherRun_IsRefused() => AssertRefusedAsync(
        _hospital.Signed(_hospital.Plan with { Run = RunId.Parse("run-2") }) with { Plan = _hospital.Plan }, PlanFlaw.OtherPlan, "otherPlan");

    [Fact]
    public Task Plan_WithTheSignatureOfTheRoundBefore_IsRefused() => AssertRefusedAsync(
        _hospital.Signed(_hospital.Plan with { Round = 2 }) with { Plan = _hospital.Plan }, PlanFlaw.OtherPlan, "otherPlan");

    [Fact]
    public Task Plan_SignedForAnotherSite_IsRefused() => AssertRefusedAsync(_hospital.Coordinator.Sign(_hospital.Plan, "south", Now), PlanFlaw.OtherPlan, "otherPlan");

    [Fact]
    public Task Plan_WhoseTimeWasProlonged_IsRefused()
    {
        var handedOut = _hospital.Signed(_hospital.Plan);
        return AssertRefusedAsync(handedOut with { Signature = handedOut.Signature with { Expires = handedOut.Signature.Expires + Life } }, PlanFlaw.OtherPlan, "otherPlan");
    }

    [Fact]
    public async Task Plan_SignedByAnotherAuthoritysCoordinator_IsRefused()
    {
        _ = _hospital.Authority;
        using var stranger = SigningCoordinator.Of(Elsewhere, "coordinator.example");
        await AssertRefusedAsync(stranger.Sign(_hospital.Plan, "north", Now), PlanFlaw.OtherAuthority, "otherAuthority");
    }

    [Fact]
    public async Task Plan_SignedByASite_IsRefused()
    {
        using var site = SigningCoordinator.Certified(
            request => _hospital.Authority.SignMember(request, MemberKind.Site, "south", PersonRole.None, TimeSpan.FromDays(1)));
        await AssertRefusedAsync(site.Sign(_hospital.Plan, "north", Now), PlanFlaw.NotTheCoordinator, "notTheCoordinator");
    }

    [Fact]
    public async Task Plan_SignedByACoordinatorThatThisSiteDoesNotDial_IsRefused()
    {
        using var other = SigningCoordinator.Of(_hospital.Authority, "other.example");
        await AssertRefusedAsync(other.Sign(_hospital.Plan, "north", Now), PlanFlaw.NotTheCoordinator, "notTheCoordinator");
    }

    [Fact]
    public async Task Plan_WithSomethingElseThanACertificate_IsRefused()
    {
        var handedOut = _hospital.Signed(_hospital.Plan);
        await AssertRefusedAsync(handedOut with { Signature = handedOut.Signature with { Certificate = new byte[] { 1, 2, 3 } } }, PlanFlaw.OtherAuthority, "otherAuthority");
    }

    [Fact]
    public async Task Plan_WhereNoAuthorityCanBeRead_IsRefused()
    {
        var handedOut = _hospital.Signed(_hospital.Plan);
        File.Delete(Path.Combine(_hospital.AuthorityFolder, FederationAuthority.CertificateFile));
        await AssertRefusedAsync(handedOut, PlanFlaw.OtherAuthority, "otherAuthority");
    }

    [Fact]
    public async Task Plan_Replayed_IsRefusedFromFiveMinutesAfterItsEndOn()
    {
        var old = _hospital.Coordinator.Sign(_hospital.Plan, "north", Now, Life);
        _hospital.Time.Advance(Life + Skew - TimeSpan.FromSeconds(1));
        Assert.Null(await _hospital.Gate.FindFlawAsync(old));
        _hospital.Time.Advance(TimeSpan.FromSeconds(1));
        await AssertRefusedAsync(old, PlanFlaw.Expired, "expired");
    }

    [Fact]
    public async Task Plan_FromTheFuture_IsRefusedBeyondFiveMinutes()
    {
        Assert.Null(await _hospital.Gate.FindFlawAsync(_hospital.Coordinator.Sign(_hospital.Plan, "north", Now + Skew, Life)));
        await AssertRefusedAsync(_hospital.Coordinator.Sign(_hospital.Plan, "north", Now + Skew + TimeSpan.FromSeconds(1), Life), PlanFlaw.NotYet, "notYet");
    }

    [Fact]
    public async Task Plan_ThatWouldCountForLongerThanADay_IsRefused()
    {
        Assert.Null(await _hospital.Gate.FindFlawAsync(_hospital.Coordinator.Sign(_hospital.Plan, "north", Now, SignedPlan.LongestLife)));
        await AssertRefusedAsync(
            _hospital.Coordinator.Sign(_hospital.Plan, "north", Now, SignedPlan.LongestLife + TimeSpan.FromSeconds(1)), PlanFlaw.TooLong, "tooLong");
    }

    /// <summary>A key that was stolen once its certificate had ended signs nothing that counts.</summary>
    [Fact]
    public async Task Plan_BeyondItsSignersCertificate_IsRefused()
    {
        using var brief = SigningCoordinator.Of(_hospital.Authority, "coordinator.example", TimeSpan.FromHours(1));
        Assert.Null(await _hospital.Gate.FindFlawAsync(brief.Sign(_hospital.Plan, "north", Now, TimeSpan.FromHours(1))));
        await AssertRefusedAsync(brief.Sign(_hospital.Plan, "north", Now, Life), PlanFlaw.TooLong, "tooLong");
        _hospital.Time.Advance(TimeSpan.FromHours(2));
        await AssertRefusedAsync(brief.Sign(_hospital.Plan, "north", Now), PlanFlaw.TooLong, "tooLong");
    }

    [Fact]
    public async Task Plan_ThatWaitsForAPerson_NamesWhoOrderedItLast_AlsoInTheApproval()
    {
        DeskAccountFile.Write(_hospital.DeskPath, ("anna", DeskRole.PrivacyOfficer));
        var waiting = Assert.IsType<PlanOutcome.Waiting>(await _hospital.ApprovePlanAsync(_hospital.Plan));
        Assert.Equal((_hospital.Coordinator.Thumbprint, Now + Life), SignerOf("planRequested"));

        // The coordinator has got another certificate, and hands out again what is still open.
        var renewed = SigningCoordinator.Of(_hospital.Authority, "coordinator.example");
        _hospital.Coordinator.Dispose();
        _hospital.Coordinator = renewed;
        _hospital.Time.Advance(TimeSpan.FromDays(1));
        Assert.IsType<PlanOutcome.Waiting>(await _hospital.ApprovePlanAsync(_hospital.Plan));
        Assert.IsType<PlanOutcome.Waiting>(await _hospital.ApprovePlanAsync(_hospital.Plan));
        Assert.Equal(["planRequested", "planSignedAgain"], _hospital.Actions);

        // A signature ends while people think; their word is about the run, and only begins a round with one that counts.
        var last = _hospital.Signed(_hospital.Plan);
        _hospital.Time.Advance(TimeSpan.FromDays(1));
        _hospital.Restart();
        var approve = new DeskOrder.ApprovePlan { Id = new string('a', 32), By = "anna", At = Now, Terms = waiting.Terms };
        Assert.IsType<OrderOutcome.Obeyed>(await _hospital.Gate.Desk.ObeyAsync(approve));
        Assert.Equal((renewed.Thumbprint, Now - TimeSpan.FromDays(1) + Life), SignerOf("planDecided"));
        await AssertRefusedAsync(last, PlanFlaw.Expired, "expired", isKnown: true);
        Assert.IsType<PlanOutcome.Approved>(await _hospital.ApprovePlanAsync(_hospital.Plan));
    }

    /// <summary>Years later, with nothing but the ledger, the kept file and the certificate in it.</summary>
    [Fact]
    public async Task Plan_OfABegunRound_CanBeProvenByWhatTheLedgerNames()
    {
        _hospital.WritePolicy(HospitalOnDisk.ValidPolicy + "plansWithin: { maximumRounds: 5, maximumStepsPerRound: 20, maximumParameters: 100000 }\n");
        Assert.IsType<PlanOutcome.Approved>(await _hospital.ApprovePlanAsync(_hospital.Plan));

        Assert.Equal(["planDecided", "roundOrdered"], _hospital.Actions);
        Assert.Equal(SignerOf("planDecided"), SignerOf("roundOrdered"));
        var facts = _hospital.Entries[^1].Facts;
        var bytes = await File.ReadAllBytesAsync(Path.Combine(_hospital.DeskPath, "plans", "signed", facts["signedPlan"] + ".json"), HospitalOnDisk.Token);
        Assert.Equal(facts["signedPlan"], Sha256Digest.Of(bytes).ToString());
        var kept = SignedPlan.TryRead(bytes)!;
        Assert.Equal(facts["plan"], Sha256Digest.Of(kept.Plan.ToBytes()).ToString());
        using var certificate = X509CertificateLoader.LoadCertificate(kept.Signature.Certificate.Span);
        using var key = certificate.GetECDsaPublicKey()!;
        Assert.Equal(facts["signedBy"], MutualTls.Thumbprint(certificate));
        Assert.True(kept.IsSignedBy(key));
        Assert.Null(SignedPlan.TryRead([.. bytes, (byte)' ']));
    }

    private (Sha256Digest Certificate, DateTimeOffset Until) SignerOf(string action)
    {
        var facts = Assert.Single(_hospital.Entries, entry => entry.Action == action).Facts;
        return (Sha256Digest.Parse(facts["signedBy"]), DateTimeOffset.Parse(facts["signedUntil"], CultureInfo.InvariantCulture));
    }

    private async Task AssertRefusedAsync(SignedPlan handedOut, PlanFlaw flaw, string word, bool isKnown = false)
    {
        Assert.Equal(flaw, await _hospital.Gate.FindFlawAsync(handedOut));
        Assert.Equal(flaw, Assert.IsType<PlanOutcome.Unproven>(await _hospital.Gate.ApprovePlanAsync(handedOut)).Flaw);

        Assert.All(_hospital.Entries[^2..], entry => Assert.Equal(("planUnproven", word), (entry.Action, entry.Facts["why"])));
        Assert.DoesNotContain("roundOrdered", _hospital.Actions);
        Assert.Equal(isKnown, new PlanFiles(_hospital.DeskPath).Find(RunTerms.HashOf(handedOut.Plan)) is not null);
    }
}
