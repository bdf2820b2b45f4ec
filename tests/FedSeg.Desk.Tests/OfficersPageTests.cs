using System.Collections.Immutable;
using System.Net;
using FedSeg.Egress;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Review;
using FedSeg.Egress.Tests;
using FedSeg.Egress.Tests.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Ledger.Verifier;
using FedSeg.Ledger.Verifier.Notes;
using Microsoft.Playwright;

namespace FedSeg.Desk.Tests;

/// <summary>The officer's page in a real browser, beside a real gate.</summary>
public sealed class OfficersPageTests(Browser browser) : IAsyncLifetime
{
    private DeskOnDisk _desk = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _desk = await DeskOnDisk.StartAsync();

    public ValueTask DisposeAsync() => _desk.DisposeAsync();

    [Fact]
    public async Task Officer_ApprovesAnUpdateAndTheNextRounds_FromTheKeyboard()
    {
        var waiting = await _desk.WaitForReviewAsync();
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await page.GotoAsync("/");
        Assert.EndsWith("/sign-in?back=%2F", page.Url, StringComparison.Ordinal);
        await ShootAsync(page, "1-sign-in");
        await DeskOnDisk.SignInAsync(page, "anna");
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "One update waits to leave" })).ToBeVisibleAsync();
        await ShootAsync(page, "2-desk");

        var link = page.GetByRole(AriaRole.Link, new() { Name = "run-1, round 6" });
        await link.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("May this leave? run-1, round 6 of 20");
        await ShootAsync(page, "3-update");
        await page.GetByLabel("Further rounds without asking").FillAsync("2");
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(page.GetByText("Done: an update was approved.")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("2 more rounds, by the word of anna")).ToBeVisibleAsync();
        await ShootAsync(page, "4-approved");
        var decided = _desk.Hospital.Entries[^1];
        Assert.Equal(("egressDecided", "anna", waiting.Update.ToString(), "2"), (decided.Action, decided.Facts["by"], decided.Facts["update"], decided.Facts["nextRounds"]));
        await page.GetByRole(AriaRole.Link, new() { Name = "History" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync("an update was approved");
        await ShootAsync(page, "5-history");
    }

    [Fact]
    public async Task Officer_Refuses_TheReasonIsInTheLedgerAndTheBytesAreGone()
    {
        var waiting = await _desk.WaitForReviewAsync();
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "anna");
        await page.GotoAsync($"/updates/{waiting.Update}");
        await page.GetByLabel("Reason, for the ledger").SelectOptionAsync("SuspiciousValues");
        await page.GetByRole(AriaRole.Button, new() { Name = "Refuse" }).ClickAsync();

        await Assertions.Expect(page.GetByText("Done: an update was refused.")).ToBeVisibleAsync();
        Assert.Equal("suspiciousValues", _desk.Hospital.Entries[^1].Facts["reason"]);
        Assert.False(Directory.Exists(Path.Combine(_desk.Hospital.OutboxPath, waiting.Update.ToString())));
        await page.GotoAsync($"/updates/{waiting.Update}");
        await Assertions.Expect(page.GetByText("This update does not wait any more")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Officer_ReadsWhatARunWillDoAndApprovesIt()
    {
        _desk.Hospital.WritePolicy("maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\nplansWithin: { maximumRounds: 5, maximumStepsPerRound: 20, maximumParameters: 100000 }\n");
        await _desk.Hospital.ApprovePlanAsync(_desk.Hospital.Plan);
        var charter = await _desk.Hospital.HoldAsync(StudyCharters.New(("maximumRounds: 5", "maximumRounds: 60"), ("2026-06-30", "2099-12-31")));
        var plan = _desk.Hospital.Plan with { Run = RunId.Parse("run-kidneys-2"), Study = StudyCharters.Study, TotalRounds = 60, Labels = ["kidney", "tumour"] };
        Assert.IsType<PlanOutcome.Waiting>(await _desk.Hospital.ApprovePlanAsync(plan));
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "anna");
        await page.GetByRole(AriaRole.Link, new() { Name = "run-kidneys-2" }).ClickAsync();

        await Assertions.Expect(page.GetByText("60 rounds; 5 are approved")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText($"The coordinator has ordered and signed it, with its certificate {_desk.Hospital.Coordinator.Thumbprint.Abbreviated}")).ToBeVisibleAsync();
        Assert.Equal($"/studies/{charter}", await page.GetByRole(AriaRole.Link, new() { Name = "charter", Exact = true }).GetAttributeAsync("href"));
        await Assertions.Expect(page.GetByText("It runs for at most 60 rounds.")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Row, new() { Name = "Number of rounds 5 60" })).ToBeVisibleAsync();
        await ShootAsync(page, "9-plan");
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Done: a run may train here.")).ToBeVisibleAsync();
        Assert.IsType<PlanOutcome.Approved>(await _desk.Hospital.ApprovePlanAsync(plan));
    }

    [Fact]
    public async Task Officer_ReadsAStudysCharter_AcceptsIt_AndTakesItBack()
    {
        var charter = StudyCharters.New(
            ("mode: inspectable", "mode: blind"), ("maximumRounds: 5, maximumStepsPerRound: 20", "maximumRounds: 60, maximumStepsPerRound: 500"),
            ("maximumParameters: 100000", "maximumParameters: 50000000, labels: [kidney, tumour]"), ("2026-06-30", "2099-12-31"),
            ("expires:", "privacy: { maximumEpsilon: 8, delta: 0.00001 }\nexpires:"));
        Assert.IsType<OrderOutcome.Obeyed>(await _desk.Hospital.BringAsync(_desk.Hospital.Sign(charter)));
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "anna");
        await page.GetByRole(AriaRole.Link, new() { Name = "The charter of kidneys-2026, version 1" }).ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("May this hospital take part? kidneys-2026");
        await Assertions.Expect(page.GetByRole(AriaRole.Row, new() { Name = "This study Blind" })).ToBeVisibleAsync();
        await ShootAsync(page, "15-charter");
        await page.GetByRole(AriaRole.Button, new() { Name = "Accept" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Done: a study's charter was accepted.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Studies" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync("Accepted by anna on");
        await ShootAsync(page, "16-studies");
        await page.GetByRole(AriaRole.Link, new() { Name = "kidneys-2026" }).ClickAsync();
        await page.GetByLabel("Reason, for the ledger").SelectOptionAsync("OutsidePurpose");
        await page.GetByRole(AriaRole.Button, new() { Name = "Take it back" }).ClickAsync();

        await Assertions.Expect(page.GetByText("Done: a study's charter was declined.")).ToBeVisibleAsync();
        Assert.Equal(("charterDeclined", "outsidePurpose"), (_desk.Hospital.Entries[^1].Action, _desk.Hospital.Entries[^1].Facts["reason"]));
    }

    [Fact]
    public async Task Policy_Changed_IsReadAndAgreedToByTwoPeople()
    {
        const string policy = "# What may leave.\nmaximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\npolicyChanges: twoPeople\n";
        _desk.Hospital.WritePolicy(policy);
        await _desk.Hospital.Gate.Desk.ExpireAsync();
        _desk.Hospital.WritePolicy(policy.Replace("maximumNorm: 100", "maximumNorm: 5000", StringComparison.Ordinal));
        await _desk.Hospital.Gate.Desk.ExpireAsync();
        var anna = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(anna, "anna");
        await anna.GetByRole(AriaRole.Link, new() { Name = "Read what changed" }).ClickAsync();
        await Assertions.Expect(anna.GetByText("maximumNorm: 5000").First).ToBeVisibleAsync();
        await ShootAsync(anna, "14-policy");
        await anna.GetByRole(AriaRole.Button, new() { Name = "Agree" }).ClickAsync();
        await Assertions.Expect(anna.GetByText("anna has agreed; a second person has to.")).ToBeVisibleAsync();
        var olga = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(olga, "olga");
        await olga.GotoAsync("/policy");
        await olga.GetByRole(AriaRole.Button, new() { Name = "Agree" }).ClickAsync();

        await Assertions.Expect(olga.GetByText("Done: a policy holds from now on.")).ToBeVisibleAsync();
        Assert.Equal(5000, _desk.Hospital.Gate.Desk.Policy!.MaximumNorm);
    }

    [Fact]
    public async Task Update_OfABlindRound_SaysThatTheDownloadIsNotYetMasked()
    {
        ImmutableArray<SiteId> sites = [.. new[] { "east", "north", "south" }.Select(name => SiteId.Parse(name))];
        _desk.Hospital.Plan = _desk.Hospital.Plan with { Blind = new BlindSpec { Sites = sites, MaximumCases = 100, GridExponent = -15 } };
        _desk.Hospital.WritePolicy("maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\n");
        var waiting = Assert.IsType<EgressOutcome.Waiting>(await _desk.ClearAsync(1, 0.4f));
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "anna");
        await page.GotoAsync($"/updates/{waiting.Update}");

        await Assertions.Expect(page.GetByText("Download the weights as they are before masking")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("What then leaves is the same change behind masks")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("exact bytes of the weights")).Not.ToBeVisibleAsync();
    }

    [Fact]
    public async Task Update_WithABudget_SaysWhatIsSpentAndLeft()
    {
        _desk.Hospital.Privacy = new PrivacySpent(SamplingRate: 1, NoiseMultiplier: 20, Steps: 20, Delta: 1e-5, Epsilon: 0.897);
        const string policy = "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\nprivacyBudget: { cohort: kidneys-2026, maximumEpsilon: 4, delta: 0.00001 }\n";
        _desk.Hospital.WritePolicy(policy + "review: auto-within-bounds\n");
        for (var round = 1; round <= 4; round++) Assert.IsType<EgressOutcome.Cleared>(await _desk.ClearAsync(round, 0.4f));
        _desk.Hospital.WritePolicy(policy);
        var waiting = Assert.IsType<EgressOutcome.Waiting>(await _desk.ClearAsync(5, 0.41f));
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "anna");
        await page.GotoAsync($"/updates/{waiting.Update}");

        // 80 and 100 noised steps together with everybody in each, rounded up.
        await Assertions.Expect(page.GetByText("from all runs together, came to ε = 1.77.")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("With this update it is ε = 2.00 of at most 4.")).ToBeVisibleAsync();
        await ShootAsync(page, "10-budget");
    }

    [Fact]
    public async Task Update_OfACharteredPrivateRun_SaysAllThatAnOfficerDecidesBy()
    {
        var waiting = await _desk.WaitForPrivateReviewAsync();
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "anna");
        await page.GotoAsync($"/updates/{waiting.Update}");

        // For whom, why, and by whose word.
        await SeeAsync("A model that outlines kidneys and kidney tumours, to plan operations.");
        await SeeAsync("University of Nowhere, Germany");
        await SeeAsync("version 1, accepted by anna on 1 Mar 2026, 12:00; ends after 31 Dec 2099");
        await SeeAsync("by the word of ben on 1 Mar 2026, 12:00");
        await SeeAsync("the coordinator, who signed the plan with its certificate");
        // Of how many people.
        await Assertions.Expect(page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = "patients trained on" })).ToContainTextAsync("31");
        // Privacy: this round, the rounds before, what is allowed, and how it is done.
        await SeeAsync("This round alone costs every patient ε = 0.90 at δ = 0.00001.");
        await SeeAsync("With this update it is ε = 2.21 of at most 4.");
        await SeeAsync("a size of at most C = 1.5 (clipping), and chance noise of σ = 20 times that size");
        // Every number before and after rounding.
        await RowAsync("Overlap with the doctors' outline, mean (Dice): kidney 0.913471 0.913");
        await RowAsync("Overlap with the doctors' outline, mean (Dice): tumour 0.742 does not leave");
        // What leaves, bit for bit.
        var payload = Path.Combine(_desk.Hospital.OutboxPath, waiting.Update.ToString(), "payload.safetensors");
        await SeeAsync((await Sha256Digest.OfFileAsync(payload, Token)).ToString());
        await SeeAsync($"{new FileInfo(payload).Length:N0} bytes of model numbers, of 1,000,000 bytes that may");
        await SeeAsync("this site's agent, version 0.1.0");
        // Part by part, behind a fold.
        await SeeAsync($"1 of its 28 parts changed more than twice as much as ever in this hospital's earlier rounds: {DeskOnDisk.LargerPart}.");
        await Assertions.Expect(page.GetByText("float32", new() { Exact = true }).First).Not.ToBeVisibleAsync();
        await page.GetByText("Part by part: all 28 tensors").ClickAsync();
        await RowAsync($"{DeskOnDisk.LargerPart} 4 × 2 × 3 × 3 × 3 216 float32 864 2.94 Much larger (0.735 to 0.735)");
        await page.GetByText("18 of 18 checks passed: each with what was measured").ClickAsync();
        await RowAsync("The privacy budget of these patients allows it ✓ passed");
        await ShootAsync(page, "17-all-facts");

        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Done: the site was paused.")).ToBeVisibleAsync();
        await page.GotoAsync($"/updates/{waiting.Update}");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "End the pause" })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Approve" })).ToBeVisibleAsync();

        Task SeeAsync(string text) => Assertions.Expect(page.GetByText(text).First).ToBeVisibleAsync();

        Task RowAsync(string name) => Assertions.Expect(page.GetByRole(AriaRole.Row, new() { Name = name })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Update_OfFewPatients_DoesNotShowHowMany()
    {
        _desk.Hospital.NotePatients(round: 6, count: 4);
        var waiting = await _desk.WaitForReviewAsync();
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "otto");
        await page.GotoAsync($"/updates/{waiting.Update}");

        await Assertions.Expect(page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = "patients trained on" })).ToContainTextAsync("Fewer than 5");
        await Assertions.Expect(page.GetByText("nobody has signed what this is for")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Pause" })).ToBeDisabledAsync();
    }

    [Fact]
    public async Task FourEyes_SameOfficerTwice_IsToldThatAnotherPersonHasToAgree()
    {
        var waiting = await _desk.WaitForReviewAsync("approvals: 2\n");
        var anna = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(anna, "anna");
        await ApproveAsync(anna, waiting.Update);
        await Assertions.Expect(anna.GetByText("Approved by anna; a second person has to agree.")).ToBeVisibleAsync();
        await ApproveAsync(anna, waiting.Update);
        await Assertions.Expect(anna.GetByText("another person has to approve as well")).ToBeVisibleAsync();
        var ben = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(ben, "ben");
        await ApproveAsync(ben, waiting.Update);

        await Assertions.Expect(ben.GetByText("Done: an update was approved.")).ToBeVisibleAsync();
        Assert.Equal("anna and ben", _desk.Hospital.Entries[^1].Facts["by"]);
    }

    [Fact]
    public async Task KillSwitch_ThrownByTheOperator_IsLiftedByTwoPeople()
    {
        var olga = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(olga, "olga");
        await olga.GotoAsync("/site");
        await ShootAsync(olga, "6-stop");
        await olga.GetByRole(AriaRole.Button, new() { Name = "Stop everything now" }).ClickAsync();
        await Assertions.Expect(olga.GetByText("olga threw the kill switch")).ToBeVisibleAsync();
        Assert.True(_desk.Hospital.Gate.Desk.Switch.IsThrown);
        await olga.GotoAsync("/site");
        await olga.GetByRole(AriaRole.Button, new() { Name = "Ask to lift it" }).ClickAsync();
        await olga.GotoAsync("/site");
        await Assertions.Expect(olga.GetByText("You have asked; it takes somebody else now.")).ToBeVisibleAsync();
        await ShootAsync(olga, "7-stopped");
        var anna = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(anna, "anna");
        await anna.GotoAsync("/site");
        await anna.GetByRole(AriaRole.Button, new() { Name = "Agree: take up work again" }).ClickAsync();

        await Assertions.Expect(anna.GetByText("In service.")).ToBeVisibleAsync();
        Assert.False(_desk.Hospital.Gate.Desk.Switch.IsThrown);
    }

    [Fact]
    public async Task Pause_AndResume_AreSeenAtOnce()
    {
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "olga");
        await page.GotoAsync("/site");
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Paused.", new() { Exact = true })).ToBeVisibleAsync();
        await page.GotoAsync("/site");
        await page.GetByRole(AriaRole.Button, new() { Name = "End the pause" }).ClickAsync();

        await Assertions.Expect(page.GetByText("In service.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Auditor_SeesEverythingTakesProofsAndDecidesNothing()
    {
        var waiting = await _desk.WaitForReviewAsync();
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "otto");
        await page.GotoAsync($"/updates/{waiting.Update}");
        Assert.Equal(0, await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).CountAsync());
        var weights = await page.RunAndWaitForDownloadAsync(() => page.GetByText("Download the exact bytes of the weights").ClickAsync());
        await using var bytes = File.OpenRead(await weights.PathAsync());
        var sealedPath = Path.Combine(_desk.Hospital.OutboxPath, waiting.Update.ToString(), "payload.safetensors");
        Assert.Equal(await Sha256Digest.OfFileAsync(sealedPath, Token), await Sha256Digest.OfAsync(bytes, Token));

        await page.GotoAsync("/ledger?q=reviewRequested");
        await ShootAsync(page, "8-ledger");
        var proof = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "proof" }).First.ClickAsync());
        var key = await File.ReadAllTextAsync(Path.Combine(_desk.Hospital.Root, "ledger", "key.pem"), Token);
        Assert.Null(LedgerVerifier.VerifyProof(await File.ReadAllBytesAsync(await proof.PathAsync(), Token), VerifierKey.Parse(key)).Problem);
    }

    [Fact]
    public async Task Order_BeyondTheRole_IsForbidden()
    {
        var waiting = await _desk.WaitForReviewAsync();
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "olga");
        await page.GotoAsync("/site");
        var token = await page.Locator("input[name=__RequestVerificationToken]").First.InputValueAsync();
        var form = page.Context.APIRequest.CreateFormData();
        form.Append("__RequestVerificationToken", token);
        form.Append("update", waiting.Update.ToString());
        var answer = await page.Context.APIRequest.PostAsync("/orders/approve", new() { Form = form });

        Assert.Equal((int)HttpStatusCode.Forbidden, answer.Status);
        Assert.DoesNotContain(_desk.Hospital.Entries, entry => entry.Facts.ContainsKey("order"));
    }

    [Fact]
    public async Task Order_FormOfAnotherSite_IsRefused()
    {
        var waiting = await _desk.WaitForReviewAsync();
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "anna");
        var form = page.Context.APIRequest.CreateFormData();
        form.Append("update", waiting.Update.ToString());
        var answer = await page.Context.APIRequest.PostAsync("/orders/approve", new() { Form = form });

        Assert.Equal((int)HttpStatusCode.BadRequest, answer.Status);
        Assert.DoesNotContain(_desk.Hospital.Entries, entry => entry.Facts.ContainsKey("order"));
    }

    [Fact]
    public async Task Anything_WithoutASession_LeadsToTheDoor()
    {
        var digest = new string('a', 64);
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        foreach (var path in new[] { "/", "/history", "/ledger", "/site", "/ledger/0/proof", $"/updates/{digest}", $"/updates/{digest}/weights", $"/updates/{digest}/report", $"/plans/{digest}", "/studies", $"/studies/{digest}", "/studies/kidneys/leave", "/patients", $"/patients/{digest}" })
        {
            using var answer = await client.GetAsync(new Uri(_desk.Address, path), Token);
            Assert.True(answer.StatusCode == HttpStatusCode.Redirect && answer.Headers.Location!.PathAndQuery.StartsWith("/sign-in", StringComparison.Ordinal), $"{path}: {answer.StatusCode}");
        }
    }

    [Fact]
    public async Task Headers_OfEveryPage_AllowNoScriptAndNoFrame()
    {
        using var client = new HttpClient();
        using var answer = await client.GetAsync(new Uri(_desk.Address, "/sign-in"), Token);
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));

        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", await answer.Content.ReadAsStringAsync(Token), StringComparison.OrdinalIgnoreCase);
        Assert.True(answer.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task Host_OfAnotherName_IsRefused()
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_desk.Address, "/sign-in"));
        request.Headers.Host = "attacker.example";
        using var answer = await client.SendAsync(request, Token);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Search_ForAScript_IsShownAndNotRun()
    {
        await _desk.WaitForReviewAsync();
        var page = await browser.OpenAsync(_desk.Address.ToString());
        var dialogs = 0;
        page.Dialog += (_, _) => dialogs++;
        await DeskOnDisk.SignInAsync(page, "otto");
        await page.GotoAsync("/ledger?q=" + Uri.EscapeDataString("\"><script>alert(1)</script>"));

        Assert.Equal("\"><script>alert(1)</script>", await page.GetByRole(AriaRole.Searchbox).InputValueAsync());
        Assert.Equal((0, 0), (dialogs, await page.Locator("script").CountAsync()));
    }

    [Fact]
    public async Task SignIn_FiveWrongPasswords_LocksTheAccount()
    {
        var page = await browser.OpenAsync(_desk.Address.ToString());
        for (var attempt = 0; attempt < 6; attempt++)
        {
            await page.GotoAsync("/sign-in");
            await page.GetByLabel("Account").FillAsync("ben");
            await page.GetByLabel("Password").FillAsync("not the password");
            await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        }

        await Assertions.Expect(page.GetByText("Too many wrong passwords.")).ToBeVisibleAsync();
    }

    private static async Task ApproveAsync(IPage page, Sha256Digest update)
    {
        await page.GotoAsync($"/updates/{update}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
    }

    internal static Task ShootAsync(IPage page, string name)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Parent!.Parent!.CreateSubdirectory("screenshots");
        return page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder.FullName, $"desk-{name}.png"), FullPage = true });
    }
}
