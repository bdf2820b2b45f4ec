using System.Text.Json;
using FedSeg.Cli.Programs;
using FedSeg.Cli.Studies.Records;
using FedSeg.Egress;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Patients;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Tests;
using FedSeg.Egress.Tests.Charters;
using FedSeg.Egress.Tests.Review;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Training;
using FedSeg.Imaging.Phantoms;
using FedSeg.Ledger.Verifier;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Studies;

/// <summary>The records of a hospital that really let something leave: charter, gate, people and ledger are the product's own.</summary>
public sealed class StudyRecordsTests : IDisposable
{
    private const string Policy = "maximumUpdateBytes: 1000000\nmaximumNorm: 100\nminimumReportedCount: 7\n"
        + "plansWithin: { maximumRounds: 50, maximumStepsPerRound: 500, maximumParameters: 1000000 }\n";

    private const string RedTeam = """
        # Red team report

        ## A. Gradient inversion

        | target | defence | defended | verdict |
        |---|---|---|---|
        | LeNet | masked update | 0.019 | held |
        | LeNet | int8 alone | 0.992 | residual risk |
        """;

    private readonly HospitalOnDisk _hospital = new();

    public StudyRecordsTests()
    {
        _hospital.WritePolicy(Policy);
        DeskAccountFile.Write(_hospital.DeskPath, ("anna", DeskRole.PrivacyOfficer), ("olga", DeskRole.SiteOperator));
    }

    private StudyFacts Facts => StudyFacts.Read(
        new SiteSettings("north", "https://coordinator.example:7443", _hospital.Root, _hospital.PolicyPath),
        StudyCharters.Study,
        LedgerVerifier.VerifyFolder(Path.Combine(_hospital.Root, "ledger")),
        _hospital.Time);

    public void Dispose() => _hospital.Dispose();

    [Fact]
    public async Task ProcessingRecord_OfARunThatSent_SaysWhatCharterPolicyAndLedgerSay()
    {
        var bytes = await SendAsync();
        var record = MarkdownRecord.Write(ProcessingRecord.Of(Facts));

        string[] said =
        [
            "A model that outlines kidneys and kidney tumours, to plan operations.", "Consent, Art. 6(1)(a) and 9(2)(a) GDPR", "University of Nowhere, Germany, at https://coordinator.example:7443",
            "accepted by anna on 1 March 2026, 12:00 UTC", "outlines of anterior and posterior", "used 2 different patients", "counts below 7 are not told",
            "Inspectable: the recipients see each hospital's change by itself.", $"| run-1 | 3 | {StudyFacts.Bytes(bytes)} |", "| anna |", $"{_hospital.Entries.Length} entries, whole, root ",
        ];
        Assert.All(said, words => Assert.Contains(words, record, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Gaps_AreWhatNobodyToldTheProgram_AndNothingElse()
    {
        await SendAsync();
        var open = ProcessingRecord.Of(Facts);
        Assert.Equal(
            [
                "legal name and address of 'north'", "controller, joint controllers and how they are reached", "name and contact", "whose data", "which data",
                "transfers to third countries and their safeguards, or that there are none", "time limits for erasure",
            ],
            open.Gaps);
        Assert.Contains("**[TO BE FILLED IN: time limits for erasure]**", MarkdownRecord.Write(open), StringComparison.Ordinal);
        Assert.Contains("<span class=\"gap\">To be filled in: time limits for erasure</span>", HtmlRecord.Write(open), StringComparison.Ordinal);

        await _hospital.HoldAsync(StudyCharters.New(
            ("version: 1", "version: 2"),
            ("expires:", "records: { controllers: 'C', dataSubjects: 'S', dataCategories: 'D', retention: 'Ten years.', transfers: 'None.' }\nexpires:")));
        Assert.Equal(["legal name and address of 'north'", "name and contact"], ProcessingRecord.Of(Facts).Gaps);
        Assert.Contains("Ten years.", MarkdownRecord.Write(ProcessingRecord.Of(Facts)), StringComparison.Ordinal);
        Assert.Contains("Ten years.", MarkdownRecord.Write(TransparencyText.Of(Facts)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_WithoutACharterOrAValidPolicy_InventNothing()
    {
        _hospital.WritePolicy(Policy + "runsWithoutCharter: true\nreview: auto-within-bounds\n");
        _hospital.Plan = _hospital.Plan with { Study = StudyCharters.Study };
        _hospital.AnswerPlan();
        await _hospital.ClearedAsync();
        File.Delete(_hospital.PolicyPath);
        var facts = Facts;

        Assert.Contains("no charter of the study is known here", ProcessingRecord.Of(facts).Gaps);
        Assert.Contains("why the data are processed", ProcessingRecord.Of(facts).Gaps);
        Assert.Contains("the policy file is missing or wrong; nothing leaves", ProcessingRecord.Of(facts).Gaps);
        Assert.Contains("the hospital's bounds on what leaves; the policy file is missing or wrong", DpiaAnnex.Of(facts, attacks: null).Gaps);
        Assert.Contains("number of patients; no round's record is kept here yet", DpiaAnnex.Of(facts, attacks: null).Gaps);
        Assert.Contains("what the study is for, in plain words", TransparencyText.Of(facts).Gaps);
        Assert.Contains("whether recipients see this hospital's change or only the sum of all", TransparencyText.Of(facts).Gaps);
        Assert.DoesNotContain("University", MarkdownRecord.Write(ProcessingRecord.Of(facts)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DpiaAnnex_WithTheRedTeamsReport_HasItsTableAndElseAGap()
    {
        await SendAsync();
        Assert.Contains("the red team's report; give its file with --red-team", DpiaAnnex.Of(Facts, attacks: null).Gaps);
        var path = Path.Combine(_hospital.Root, "report.md");
        await File.WriteAllTextAsync(path, RedTeam, HospitalOnDisk.Token);
        var annex = MarkdownRecord.Write(DpiaAnnex.Of(Facts, AttackReport.Read(path)));

        Assert.Contains("A. Gradient inversion", annex, StringComparison.Ordinal);
        Assert.Contains("| LeNet | int8 alone | 0.992 | residual risk |", annex, StringComparison.Ordinal);
        Assert.Contains(Sha256Digest.Of(File.ReadAllBytes(path)).ToString(), annex, StringComparison.Ordinal);
        Assert.Contains("It runs for at most 5 rounds.", annex, StringComparison.Ordinal);
        Assert.Contains("averaging only; no differential privacy is asked for | **[TO BE FILLED IN: likelihood and severity that remain]**", annex, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, "no table", HospitalOnDisk.Token);
        Assert.Throws<BadInputException>(() => AttackReport.Read(path));
    }

    [Fact]
    public async Task LedgerExtract_HasTheStudysEntriesAndNoOthers()
    {
        await SendAsync();
        _hospital.WritePolicy(Policy + "runsWithoutCharter: true\nreview: auto-within-bounds\n");
        _hospital.Plan = _hospital.Plan with { Run = RunId.Parse("run-other"), Study = null };
        _hospital.AnswerPlan();
        await _hospital.ClearedAsync();
        var extract = MarkdownRecord.Write(LedgerExtract.Of(Facts));

        Assert.Equal(
            ["charterImported", "charterAccepted", "planDecided", "roundOrdered", "egressRequested", "reviewRequested", "egressDecided", "egressSent"],
            extract.Split('\n').Where(line => line.Contains(" UTC | ", StringComparison.Ordinal)).Select(line => line.Split('|')[3].Trim()));
        Assert.DoesNotContain("run-other", extract, StringComparison.Ordinal);
        Assert.Contains("receipt accepted", extract, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatPeopleWrote_IsNoMarkup()
    {
        await _hospital.HoldAsync(StudyCharters.New(("title: Outlining kidneys and tumours on CT", "title: \"<script>alert(1)</script> | *x*\"")));
        var text = TransparencyText.Of(Facts);

        Assert.DoesNotContain("<script", HtmlRecord.Write(text), StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;", HtmlRecord.Write(text), StringComparison.Ordinal);
        Assert.Contains(@"\<script\>alert(1)\</script\> \| \*x\*", MarkdownRecord.Write(text), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_WritesEachRecordTwice_AndNamesThePatientsOfACohort()
    {
        await SendAsync();
        var settings = Path.Combine(_hospital.Root, "agent.json");
        await File.WriteAllTextAsync(settings, """{ "Agent": { "Site": "north", "Coordinator": "https://coordinator.example:7443", "DataDirectory": ".", "EgressPolicy": "egress.yaml" } }""", HospitalOnDisk.Token);
        using var folder = new TemporaryFolder();
        var ended = await FedsegProcess.RunAsync("study", "records", "--settings", settings, "--study", "kidneys-2026", "--out", folder["records"], "--json");

        Assert.Equal((0, ""), (ended.ExitCode, ended.Errors));
        Assert.Equal(
            ["dpia-annex.html", "dpia-annex.md", "ledger-extract.html", "ledger-extract.md", "processing-record.html", "processing-record.md", "transparency.html", "transparency.md"],
            Directory.GetFiles(folder["records"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        using var document = JsonDocument.Parse(ended.Output);
        Assert.Equal(7, document.RootElement.GetProperty("documents")[0].GetProperty("gaps").GetArrayLength());

        var site = PhantomHospitals.Write(folder["data"], new PhantomOptions { Sites = 1, CasesPerSite = 2 }, HospitalOnDisk.Token).Single().Site;
        var patients = await FedsegProcess.RunAsync("study", "patients", folder["data", site]);
        Assert.Matches("^case-001 +[0-9a-f]{64}\ncase-002 +[0-9a-f]{64}\n$", patients.Output);
        var unknown = await FedsegProcess.RunAsync("study", "records", "--settings", settings, "--study", "lungs", "--out", folder["more"]);
        Assert.Equal((2, "The ledger of north knows no study 'lungs'."), (unknown.ExitCode, unknown.ErrorLine));

        BreakTheLedger();
        var broken = await FedsegProcess.RunAsync("study", "records", "--settings", settings, "--study", "kidneys-2026", "--out", folder["broken"]);
        Assert.Equal(1, broken.ExitCode);
        Assert.StartsWith("The ledger is BROKEN at entry 7", broken.ErrorLine, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["broken"]));
    }

    private void BreakTheLedger()
    {
        var receipt = "\"receipt\":\"accepted"u8.ToArray();
        var file = Directory.GetFiles(Path.Combine(_hospital.Root, "ledger"), "*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) != "lock")
            .Single(path => File.ReadAllBytes(path).AsSpan().IndexOf(receipt) >= 0);
        var bytes = File.ReadAllBytes(file);
        bytes[bytes.AsSpan().IndexOf(receipt) + receipt.Length - 1] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    /// <summary>A charter that anna accepts, a run that trains on two patients, an update that she lets leave.</summary>
    /// <returns>Bytes that left.</returns>
    private async Task<long> SendAsync()
    {
        await _hospital.HoldAsync(StudyCharters.New());
        _hospital.Plan = _hospital.Plan with { Study = StudyCharters.Study };
        _hospital.AnswerPlan();
        await _hospital.ApprovePlanAsync(_hospital.Plan);
        var patients = new PatientRecords(_hospital.DeskPath);
        var use = PatientUse.Of(patients.Rules([]), trained: [new('a', 64)], scored: [new('b', 64)]);
        File.WriteAllBytes(patients.PathOf(_hospital.Plan.Run, _hospital.Plan.Round), use.ToBytes());
        var waiting = Assert.IsType<EgressOutcome.Waiting>(await _hospital.ClearAsync());
        await _hospital.Gate.Desk.ObeyAsync(new DeskOrder.Approve { Id = Guid.NewGuid().ToString("N"), By = "anna", At = _hospital.Time.GetUtcNow(), Update = waiting.Update });
        var cleared = Assert.Single(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
        var bytes = cleared.PayloadBytes;
        await _hospital.Gate.RecordSentAsync(cleared, SendReceipt.Accepted);
        return bytes;
    }
}
