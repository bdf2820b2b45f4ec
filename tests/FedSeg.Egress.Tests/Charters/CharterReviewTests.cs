using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Egress.Charters;
using FedSeg.Egress.Notices;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Tests.Review;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Hosting.Certificates;
using FedSeg.SecureAggregation.Server;

namespace FedSeg.Egress.Tests.Charters;

/// <summary>No charter that this hospital accepted, no round and no update.</summary>
public sealed class CharterReviewTests : IDisposable
{
    private const string Bounds = "maximumUpdateBytes: 1000000\nmaximumNorm: 100\n";

    private const string Policy = Bounds + "review: auto-within-bounds\n"
        + "plansWithin: { maximumRounds: 50, maximumStepsPerRound: 500, maximumParameters: 1000000, fingerprints: true }\n";

    private readonly HospitalOnDisk _hospital = new();

    public CharterReviewTests()
    {
        _hospital.WritePolicy(Policy);
        _hospital.Plan = _hospital.Plan with { Study = StudyCharters.Study };
        _hospital.AnswerPlan();
        DeskAccountFile.Write(_hospital.DeskPath, ("anna", DeskRole.PrivacyOfficer), ("ben", DeskRole.PrivacyOfficer), ("olga", DeskRole.SiteOperator));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _hospital.Dispose();

    [Fact]
    public async Task Run_WithoutACharter_TrainsNothingAndNothingLeaves()
    {
        Assert.Equal("no charter of study kidneys-2026 was accepted here", Assert.IsType<PlanOutcome.OutsideCharter>(await AskAsync()).Problem);
        var refused = Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync());
        Assert.Equal(EgressRule.CharterInForce, Assert.Single(refused.Report.Rules, rule => !rule.Passed).Rule);
        Assert.Equal(["planOutsideCharter", "egressRequested", "egressDecided"], _hospital.Actions);
        _hospital.Plan = _hospital.Plan with { Study = null };
        Assert.Equal("it names no study, and runs need a charter here", Assert.IsType<PlanOutcome.OutsideCharter>(await AskAsync()).Problem);
    }

    [Fact]
    public async Task Notice_WithoutACharter_LeavesOnlyWhatPeopleSaid()
    {
        foreach (var reason in new DropReason?[] { null, DropReason.PlanRefused, DropReason.RefusedInReview, DropReason.ReviewExpired, DropReason.SitePaused })
        {
            Assert.IsType<NoticeOutcome.Cleared>(await TellAsync(reason));
        }

        foreach (var reason in Enum.GetValues<DropReason>().Where(reason => reason is not (DropReason.PlanRefused or DropReason.RefusedInReview or DropReason.ReviewExpired or DropReason.SitePaused)))
        {
            Assert.IsType<NoticeOutcome.Refused>(await TellAsync(reason));
        }

        await _hospital.HoldAsync(StudyCharters.New());
        await AskAsync();
        Assert.IsType<NoticeOutcome.Cleared>(await TellAsync(DropReason.TooFewCases));
    }

    [Fact]
    public async Task Charters_OfAnAuthorityThatGotASuccessor_HoldAsTheyWereAcceptedAndNewOnesCountWhileItDoes()
    {
        await _hospital.HoldAsync(StudyCharters.New());
        var byOld = Enumerable.Range(2, 3).Select(version => _hospital.Sign(StudyCharters.New(("version: 1", $"version: {version}")))).ToList();
        var successor = FederationAuthority.Open(_hospital.AuthorityFolder, _hospital.Time).CreateSuccessor(Path.Combine(_hospital.Root, "successor"), TimeSpan.FromDays(30));
        using var certificate = successor.LoadCertificate();
        using var key = certificate.GetECDsaPrivateKey()!;
        var byNew = SignedCharter.Sign(byOld[2].Charter, key);
        Assert.Contains("did not sign", Assert.IsType<OrderOutcome.Refused>(await _hospital.BringAsync(byNew)).Why);

        var trust = new FederationTrust(Path.Combine(_hospital.AuthorityFolder, FederationAuthority.CertificateFile), _hospital.Time);
        Assert.Null(trust.Accept(Succession.Load(Succession.PathBeside(successor.CertificatePath)), MutualTls.Thumbprint(certificate)));

        Assert.IsType<OrderOutcome.Obeyed>(await _hospital.BringAsync(byOld[0]));
        Assert.IsType<OrderOutcome.Obeyed>(await _hospital.AcceptAsync("anna", byOld[0].Hash));
        Assert.IsType<OrderOutcome.Obeyed>(await _hospital.BringAsync(byOld[1]));
        _hospital.Time.Advance(TimeSpan.FromDays(30));
        Assert.Contains("no longer counts", Assert.IsType<OrderOutcome.Refused>(await _hospital.AcceptAsync("anna", byOld[1].Hash)).Why);
        Assert.Contains("did not sign", Assert.IsType<OrderOutcome.Refused>(await _hospital.BringAsync(byOld[2])).Why);
        _hospital.Coordinator = SigningCoordinator.Of(successor, "coordinator.example");
        // What people accepted while its signer counted goes on to hold.
        Assert.IsType<PlanOutcome.Approved>(await AskAsync());

        Assert.IsType<OrderOutcome.Obeyed>(await _hospital.BringAsync(byNew));
        Assert.IsType<OrderOutcome.Obeyed>(await _hospital.AcceptAsync("anna", byNew.Hash));
    }

    [Fact]
    public async Task Run_UnderAnAcceptedCharter_TrainsAndLeaves_AlsoAfterARestart()
    {
        var charter = await _hospital.HoldAsync(StudyCharters.New());
        _hospital.Restart();

        Assert.IsType<PlanOutcome.Approved>(await AskAsync());
        await _hospital.ClearedAsync();
        Assert.Equal(["charterImported", "charterAccepted", "planDecided", "roundOrdered", "egressRequested", "egressDecided"], _hospital.Actions);
        Assert.All([_hospital.Entries[2], _hospital.Entries[4]], entry => Assert.Equal(charter.ToString(), entry.Facts["charter"]));
        Assert.Equal(("anna", "kidneys-2026", "1"), (_hospital.Entries[1].Facts["by"], _hospital.Entries[1].Facts["study"], _hospital.Entries[1].Facts["version"]));
    }

    [Theory]
    [InlineData("maximumRounds: 5", "maximumRounds: 4", "5 rounds; 4 are approved")]
    [InlineData("maximumStepsPerRound: 20", "maximumStepsPerRound: 19", "20 steps in a round; 19 are approved")]
    [InlineData("maximumParameters: 100000", "maximumParameters: 10", "a network of 1257 numbers; 10 are approved")]
    [InlineData("maximumParameters: 100000", "maximumParameters: 100000, labels: [anterior]", "labels beyond the approved ones")]
    [InlineData("maximumParameters: 100000", "maximumParameters: 100000, networks: [resenc-unet]", "a network 'unet3d'; approved: resenc-unet")]
    [InlineData("mode: inspectable", "mode: blind", "an inspectable run; only blind ones are approved")]
    [InlineData("expires:", "privacy: { maximumEpsilon: 8, delta: 0.00001 }\nexpires:", "training without differential privacy; the charter asks for it")]
    public async Task Run_BeyondItsCharter_TrainsNothingAndNothingLeaves(string bound, string tighter, string problem)
    {
        await _hospital.HoldAsync(StudyCharters.New((bound, tighter)));

        Assert.Equal(problem, Assert.IsType<PlanOutcome.OutsideCharter>(await AskAsync()).Problem);
        Assert.Contains(Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync()).Report.Rules, rule => rule.Rule == EgressRule.CharterInForce && rule.Measured == problem);
    }

    [Fact]
    public async Task Run_BlindUnderAnInspectableCharter_OrWithAStranger_IsLeftOut()
    {
        var blind = new BlindSpec { Sites = [SiteId.Parse("east"), SiteId.Parse("north"), SiteId.Parse("west")], MaximumCases = 100, GridExponent = -15 };
        _hospital.Plan = _hospital.Plan with { Blind = blind };
        await _hospital.HoldAsync(StudyCharters.New());
        Assert.StartsWith("a blind run; only inspectable ones are agreed on", Assert.IsType<PlanOutcome.OutsideCharter>(await AskAsync()).Problem, StringComparison.Ordinal);
        await _hospital.HoldAsync(StudyCharters.New(("version: 1", "version: 2"), ("mode: inspectable", "mode: blind")));
        Assert.Equal("a hospital that is not one of the study's", Assert.IsType<PlanOutcome.OutsideCharter>(await AskAsync()).Problem);
        _hospital.Plan = _hospital.Plan with { Blind = blind with { Sites = [SiteId.Parse("east"), SiteId.Parse("north"), SiteId.Parse("south")] } };

        Assert.IsType<PlanOutcome.Approved>(await AskAsync());
    }

    [Fact]
    public async Task Fingerprint_NeedsACharterThatSaysSo()
    {
        _hospital.Plan = FingerprintTests.NewPlan() with { Study = StudyCharters.Study };
        Assert.IsType<PlanOutcome.OutsideCharter>(await AskAsync());
        await _hospital.HoldAsync(StudyCharters.New());
        Assert.Equal("a fingerprint of the cohort; none is approved", Assert.IsType<PlanOutcome.OutsideCharter>(await AskAsync()).Problem);
        await _hospital.HoldAsync(StudyCharters.New(("version: 1", "version: 2"), ("100000", "100000, fingerprints: true")));

        Assert.IsType<PlanOutcome.Approved>(await AskAsync());
    }

    [Fact]
    public async Task BlindStep_LeavesUnderACharterOnly()
    {
        Assert.Null(await _hospital.Gate.Blind.ClearStepAsync(_hospital.Plan, SumStage.Keys, [1]));
        await _hospital.HoldAsync(StudyCharters.New());

        Assert.NotNull(await _hospital.Gate.Blind.ClearStepAsync(_hospital.Plan, SumStage.Keys, [1]));
        Assert.Equal(["blindStepRefused", "charterImported", "charterAccepted", "blindStepCleared"], _hospital.Actions);
    }

    [Fact]
    public async Task Charter_Expired_LetsNothingLeave_NotEvenWhatWasApproved()
    {
        await _hospital.HoldAsync(StudyCharters.New(("2026-06-30", "2026-03-01")));
        await _hospital.ClearedAsync();
        Assert.Single(await _hospital.Gate.PendingAsync(Token));
        _hospital.Time.SetUtcNow(new DateTimeOffset(2026, 3, 2, 0, 0, 1, TimeSpan.Zero));

        Assert.Empty(await _hospital.Gate.PendingAsync(Token));
        Assert.Equal(("egressDiscarded", "the charter of study kidneys-2026 has expired"), (_hospital.Entries[^1].Action, _hospital.Entries[^1].Facts["why"]));
        Assert.IsType<PlanOutcome.OutsideCharter>(await AskAsync());
        Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync());
    }

    [Fact]
    public async Task Decline_WhatWasAccepted_DropsWhatWaitsAndWhatIsUnsent()
    {
        var charter = await _hospital.HoldAsync(StudyCharters.New());
        await _hospital.ClearedAsync();
        _hospital.WritePolicy(Bounds);
        _hospital.Plan = _hospital.Plan with { Round = 4 };
        _hospital.AnswerPlan();
        var waiting = Assert.IsType<EgressOutcome.Waiting>(await _hospital.ClearAsync());
        Assert.IsType<OrderOutcome.Refused>(await _hospital.DeclineAsync("olga", charter));
        Assert.IsType<OrderOutcome.Obeyed>(await _hospital.DeclineAsync("anna", charter));

        Assert.Equal(["charterDeclined", "egressDiscarded", "egressDiscarded"], _hospital.Actions.TakeLast(3));
        Assert.Empty(Directory.EnumerateDirectories(_hospital.OutboxPath));
        Assert.IsType<OrderOutcome.Refused>(await ApproveAsync("anna", waiting.Update));
        Assert.Equal("this hospital declined the charter of study kidneys-2026", Assert.IsType<PlanOutcome.OutsideCharter>(await AskAsync()).Problem);
    }

    [Fact]
    public async Task Update_WhoseCharterExpiredWhileItWaited_IsNotApproved()
    {
        await _hospital.HoldAsync(StudyCharters.New(("2026-06-30", "2026-03-01")));
        _hospital.WritePolicy(Bounds);
        var waiting = Assert.IsType<EgressOutcome.Waiting>(await _hospital.ClearAsync());
        _hospital.Time.Advance(TimeSpan.FromHours(13));

        Assert.Equal("the charter of study kidneys-2026 has expired", Assert.IsType<OrderOutcome.Refused>(await ApproveAsync("anna", waiting.Update)).Why);
    }

    [Fact]
    public async Task FourEyes_TakeTwoPeopleForCharterPlanAndUpdate()
    {
        var charter = StudyCharters.New(("expires:", "fourEyes: true\nexpires:"));
        await _hospital.BringAsync(_hospital.Sign(charter));
        _hospital.WritePolicy(Bounds);
        await _hospital.AcceptAsync("anna", charter.Hash);
        Assert.IsType<PlanOutcome.OutsideCharter>(await AskAsync());
        Assert.IsType<OrderOutcome.Refused>(await _hospital.AcceptAsync("anna", charter.Hash));
        Assert.IsType<OrderOutcome.Refused>(await _hospital.AcceptAsync("olga", charter.Hash));
        Assert.IsType<OrderOutcome.Obeyed>(await _hospital.AcceptAsync("ben", charter.Hash));
        Assert.Equal("anna and ben", _hospital.Entries.Single(entry => entry.Action == "charterAccepted").Facts["by"]);

        var plan = Assert.IsType<PlanOutcome.Waiting>(await AskAsync());
        await ApprovePlanAsync("anna", plan.Terms);
        Assert.IsType<PlanOutcome.Waiting>(await AskAsync());
        await ApprovePlanAsync("ben", plan.Terms);
        Assert.IsType<PlanOutcome.Approved>(await AskAsync());
        var update = Assert.IsType<EgressOutcome.Waiting>(await _hospital.ClearAsync());
        await ApproveAsync("ben", update.Update);
        Assert.Empty(await _hospital.Gate.PendingAsync(Token));
        await ApproveAsync("anna", update.Update);
        Assert.Single(await _hospital.Gate.PendingAsync(Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Policy_ChangedUnderACharterOfFourEyes_TakesTwoPeople(bool fourEyes)
    {
        var charter = StudyCharters.New(("expires:", $"fourEyes: {(fourEyes ? "true" : "false")}\nexpires:"));
        await _hospital.BringAsync(_hospital.Sign(charter));
        await _hospital.AcceptAsync("anna", charter.Hash);
        if (fourEyes) await _hospital.AcceptAsync("ben", charter.Hash);
        _hospital.WritePolicy(Policy + "maximumUpdatesPerDay: 3\n");
        await _hospital.Gate.Desk.ExpireAsync();

        Assert.Equal(fourEyes ? null : 3, _hospital.Gate.Desk.Policy!.MaximumUpdatesPerDay);
        if (!fourEyes) return;
        await AgreeToPolicyAsync("anna");
        Assert.Null(_hospital.Gate.Desk.Policy!.MaximumUpdatesPerDay);
        await AgreeToPolicyAsync("ben");
        Assert.Equal(3, _hospital.Gate.Desk.Policy!.MaximumUpdatesPerDay);
        // The next change does, too, as long as the charter holds.
        Assert.Equal("twoPeople", _hospital.Entries[^1].Facts["changes"]);
    }

    [Fact]
    public async Task Successor_AcceptedAtThisMachine_IsNotedOnceAlsoAcrossARestart()
    {
        _hospital.Sign(StudyCharters.New());
        await _hospital.Gate.Desk.ExpireAsync();
        Assert.Empty(_hospital.Actions);
        using var next = new FedSeg.Testing.TemporaryFolder();
        var successor = FederationAuthority.Open(_hospital.AuthorityFolder, _hospital.Time).CreateSuccessor(next["next"], TimeSpan.FromDays(30));
        var succession = Succession.Load(Succession.PathBeside(successor.CertificatePath));
        var thumbprint = Sha256Digest.Of(succession.Successor).ToString();
        Assert.Null(new FederationTrust(Path.Combine(_hospital.AuthorityFolder, FederationAuthority.CertificateFile), _hospital.Time).Accept(succession, thumbprint));
        await _hospital.Gate.Desk.ExpireAsync();
        _hospital.Restart();
        await _hospital.Gate.Desk.ExpireAsync();

        var noted = Assert.Single(_hospital.Entries);
        Assert.Equal(
            ("authorityFollowed", thumbprint, Sha256Digest.Of(succession.Former).ToString()),
            (noted.Action, noted.Facts["successor"], noted.Facts["former"]));
    }

    [Fact]
    public async Task Import_NotSignedByTheAuthority_IsRefusedAndNoted()
    {
        _hospital.Sign(StudyCharters.New());
        using var stranger = new HospitalOnDisk();

        Assert.Equal("the federation's authority did not sign it", Assert.IsType<OrderOutcome.Refused>(await _hospital.BringAsync(stranger.Sign(StudyCharters.New()))).Why);
        Assert.Equal(["orderRefused"], _hospital.Actions);
    }

    [Theory]
    [InlineData("sites: [south, north, east]", "sites: [south, east]", "it does not name this hospital")]
    [InlineData("version: 1", "version: 1", "version 1 of it is accepted here")]
    public async Task Import_NotForThisHospitalOrNotNewer_IsRefused(string before, string now, string why)
    {
        await _hospital.HoldAsync(StudyCharters.New());

        Assert.Equal(why, Assert.IsType<OrderOutcome.Refused>(await _hospital.BringAsync(_hospital.Sign(StudyCharters.New((before, now), ("to plan operations", "to plan"))))).Why);
    }

    [Theory]
    [InlineData("https://coordinator.example:7443", "https://elsewhere.example:7443", "this hospital sends to https://coordinator.example:7443, which the charter does not name as a recipient")]
    [InlineData("2026-06-30", "2026-02-28", "it has expired")]
    public async Task Accept_OfAnotherRecipientOrTooLate_IsRefused(string before, string now, string why)
    {
        var charter = StudyCharters.New((before, now));
        await _hospital.BringAsync(_hospital.Sign(charter));

        Assert.Equal(why, Assert.IsType<OrderOutcome.Refused>(await _hospital.AcceptAsync("anna", charter.Hash)).Why);
    }

    [Fact]
    public async Task Accept_FileExchangedMeanwhile_IsRefused()
    {
        var charter = StudyCharters.New();
        await _hospital.BringAsync(_hospital.Sign(charter));
        var other = _hospital.Sign(StudyCharters.New(("maximumRounds: 5", "maximumRounds: 5000")));
        File.WriteAllBytes(Path.Combine(_hospital.DeskPath, "charters", charter.Hash + ".json"), other.ToBytes());

        Assert.IsType<OrderOutcome.Refused>(await _hospital.AcceptAsync("anna", charter.Hash));
    }

    [Fact]
    public async Task NewVersion_Accepted_ReplacesTheOneBefore()
    {
        var first = await _hospital.HoldAsync(StudyCharters.New());
        await _hospital.ClearedAsync();
        await _hospital.HoldAsync(StudyCharters.New(("version: 1", "version: 2"), ("maximumRounds: 5", "maximumRounds: 4")));

        Assert.Empty(await _hospital.Gate.PendingAsync(Token));
        Assert.Equal("5 rounds; 4 are approved", Assert.IsType<PlanOutcome.OutsideCharter>(await AskAsync()).Problem);
        Assert.IsType<OrderOutcome.Refused>(await _hospital.AcceptAsync("anna", first));
    }

    /// <summary>Stored, and then refused: the last question is asked after the measuring, and sealed weights are not left lying.</summary>
    [Fact]
    public async Task Clear_CharterThatExpiresWhileTheUpdateIsMeasured_LeavesNothingInTheOutbox()
    {
        await _hospital.HoldAsync(StudyCharters.New());
        _hospital.Time.AutoAdvanceAmount = TimeSpan.FromDays(200);

        var refused = Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync());

        Assert.Contains("passed", _hospital.Entries[^3].Facts["rule.charterInForce"], StringComparison.Ordinal);
        Assert.Equal(EgressRule.CharterInForce, Assert.Single(refused.Report.Rules, rule => !rule.Passed).Rule);
        Assert.Empty(Directory.GetFileSystemEntries(_hospital.OutboxPath));
    }

    [Fact]
    public async Task RunsWithoutCharter_DoNotFreeAStudyThatHasOneHere()
    {
        _hospital.WritePolicy(Policy + "runsWithoutCharter: true\n");
        Assert.IsType<PlanOutcome.Approved>(await AskAsync());
        await _hospital.BringAsync(_hospital.Sign(StudyCharters.New()));

        Assert.Equal("the charter of study kidneys-2026 waits for this hospital's people", Assert.IsType<PlanOutcome.OutsideCharter>(await AskAsync()).Problem);
        _hospital.Plan = _hospital.Plan with { Study = null };
        Assert.IsType<PlanOutcome.Approved>(await AskAsync());
    }

    [Fact]
    public async Task Privacy_OfTheCharter_IsAnUpperBoundOverAllItsRuns()
    {
        await _hospital.HoldAsync(StudyCharters.New(("expires:", "privacy: { maximumEpsilon: 1, delta: 0.00001 }\nexpires:")));
        var privacy = new PatientPrivacy { ClippingNorm = 1, ExpectedBatch = 4, PatchesPerPatient = 1, Delta = 1e-5, NoiseMultiplier = 20 };
        _hospital.Plan = _hospital.Plan with { Recipe = _hospital.Plan.Recipe with { Privacy = privacy } };
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan) with { MeanLoss = null };
        _hospital.Privacy = new PrivacySpent(SamplingRate: 1, NoiseMultiplier: 20, Steps: 20, Delta: 1e-5, Epsilon: 0.897);
        await _hospital.ClearedAsync();
        _hospital.Plan = _hospital.Plan with { Run = RunId.Parse("run-2") };
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan) with { MeanLoss = null };

        var refused = Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync());
        Assert.Equal(EgressRule.PrivacyWithinBudget, Assert.Single(refused.Report.Rules, rule => !rule.Passed).Rule);
    }

    /// <summary>The cohort pays for everything, a study for its own runs only: what others released before does not use up the study's bound.</summary>
    [Fact]
    public async Task Privacy_OfCharterAndPolicy_AreChargedSeparately()
    {
        _hospital.WritePolicy(Policy + "runsWithoutCharter: true\nprivacyBudget: { cohort: kidneys, maximumEpsilon: 1.8, delta: 0.00001 }\n");
        await _hospital.HoldAsync(StudyCharters.New(("expires:", "privacy: { maximumEpsilon: 1, delta: 0.00001 }\nexpires:")));
        await ClearPrivatelyAsync("run-1", study: null);
        await ClearPrivatelyAsync("run-2", StudyCharters.Study);

        // ε 0.820 each, 1.199 together.
        var facts = _hospital.Entries[^1].Facts;
        Assert.Equal(("kidneys", "study-kidneys-2026", "0"), (facts["cohort"], facts["study.cohort"], facts["study.epsilonBefore"]));
        Assert.Equal(("1.199", "0.82"), (Rounded(facts["epsilonAfter"]), Rounded(facts["study.epsilonAfter"])));
        Assert.Equal(("1.8", "1"), (facts["epsilonMaximum"], facts["study.epsilonMaximum"]));

        // The study's is used up, the cohort's not yet.
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => ClearPrivatelyAsync("run-3", StudyCharters.Study));
        Assert.Matches(
            @"\APrivacyWithinBudget: ε 1\.2 spent, 1\.501 with this; ε 0\.82 spent, 1\.2 with this \(allowed: ε at most 1\.8 over all runs, at δ 1E-05; ε at most 1 over all runs of the study, at δ 1E-05\)\z",
            refused.Message);
        await ClearPrivatelyAsync("run-4", study: null);
        Assert.DoesNotContain("study.cohort", _hospital.Entries[^1].Facts.Keys);

        static string Rounded(string epsilon) => Math.Round(double.Parse(epsilon, CultureInfo.InvariantCulture), 3).ToString(CultureInfo.InvariantCulture);
    }

    private async Task ClearPrivatelyAsync(string run, StudyId? study)
    {
        var privacy = new PatientPrivacy { ClippingNorm = 1, ExpectedBatch = 4, PatchesPerPatient = 1, Delta = 1e-5, NoiseMultiplier = 20 };
        _hospital.Plan = _hospital.Plan with { Run = RunId.Parse(run), Study = study, Recipe = _hospital.Plan.Recipe with { Privacy = privacy } };
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan) with { MeanLoss = null };
        _hospital.Privacy = new PrivacySpent(SamplingRate: 1, NoiseMultiplier: 20, Steps: 20, Delta: 1e-5, Epsilon: 0.897);
        await _hospital.ClearedAsync();
    }

    private Task<PlanOutcome> AskAsync() => _hospital.ApprovePlanAsync(_hospital.Plan);

    private Task<NoticeOutcome> TellAsync(DropReason? reason) => _hospital.Gate.ClearNoticeAsync(new OutcomeNotice(_hospital.Plan.Run, 3, reason), Token);

    private Task<OrderOutcome> ApproveAsync(string by, Sha256Digest update) => _hospital.Gate.Desk.ObeyAsync(
        new DeskOrder.Approve { Id = Guid.NewGuid().ToString("N"), By = by, At = _hospital.Time.GetUtcNow(), Update = update });

    private Task<OrderOutcome> AgreeToPolicyAsync(string by) => _hospital.Gate.Desk.ObeyAsync(
        new DeskOrder.ApprovePolicy { Id = Guid.NewGuid().ToString("N"), By = by, At = _hospital.Time.GetUtcNow(), Policy = _hospital.PolicyHash });

    private Task<OrderOutcome> ApprovePlanAsync(string by, Sha256Digest terms) => _hospital.Gate.Desk.ObeyAsync(
        new DeskOrder.ApprovePlan { Id = Guid.NewGuid().ToString("N"), By = by, At = _hospital.Time.GetUtcNow(), Terms = terms });
}
