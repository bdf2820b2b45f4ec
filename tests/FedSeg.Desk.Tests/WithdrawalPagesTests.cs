using System.Net;
using FedSeg.Egress;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Patients;
using FedSeg.Egress.Review;
using FedSeg.Egress.Tests;
using FedSeg.Egress.Tests.Charters;
using FedSeg.Federation.Training;
using Microsoft.Playwright;

namespace FedSeg.Desk.Tests;

/// <summary>A patient or the hospital takes part no longer: in a real browser, beside a real gate.</summary>
public sealed class WithdrawalPagesTests(Browser browser) : IAsyncLifetime
{
    private const string Bounds = "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\n";
    private static readonly string Ada = string.Concat(Enumerable.Repeat("0ada", 16)), Bob = string.Concat(Enumerable.Repeat("b0b0", 16));

    private DeskOnDisk _desk = null!;

    private PatientRules Rules => new PatientRecords(_desk.Hospital.DeskPath).Rules([]);

    public async ValueTask InitializeAsync() => _desk = await DeskOnDisk.StartAsync();

    public ValueTask DisposeAsync() => _desk.DisposeAsync();

    [Fact]
    public async Task Officer_LooksUpAPatientAndLeavesThemOut_FromTheKeyboard()
    {
        _desk.Hospital.WritePolicy(Bounds + "review: auto-within-bounds\n");
        for (var round = 1; round <= 4; round++)
        {
            var cleared = Assert.IsType<EgressOutcome.Cleared>(await ClearAsync(round, round == 3 ? [Bob] : [Ada, Bob]));
            await _desk.Hospital.Gate.RecordSentAsync(cleared.Update, SendReceipt.Accepted);
        }

        _desk.Hospital.WritePolicy(Bounds);
        Assert.IsType<EgressOutcome.Waiting>(await ClearAsync(5, [Ada, Bob]));
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "anna");
        await page.GetByRole(AriaRole.Link, new() { Name = "Patients" }).ClickAsync();
        await OfficersPageTests.ShootAsync(page, "17-patients");
        // As people paste it: the browser's own check lets blanks and capitals pass.
        await page.GetByLabel("Patient's key").FillAsync($" {Ada.ToUpperInvariant()} ");
        await page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("What one patient is in");
        Assert.EndsWith($"/patients/{Rules.PseudonymOf(Ada)}", page.Url, StringComparison.Ordinal);
        Assert.Equal(["1 to 2, 4 to 5", "1 to 2, 4", "none"], await page.GetByRole(AriaRole.Definition).AllInnerTextsAsync());
        await Assertions.Expect(page.GetByText("rounds 1 to 4, and any later ones, have to be done again")).ToBeVisibleAsync();
        await OfficersPageTests.ShootAsync(page, "18-patient");
        var leaveOut = page.GetByRole(AriaRole.Button, new() { Name = "Leave this patient out" });
        await leaveOut.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        Assert.DoesNotContain(_desk.Hospital.Entries, entry => entry.Action == "patientWithdrawn");
        await page.GetByRole(AriaRole.Checkbox).FocusAsync();
        await page.Keyboard.PressAsync("Space");
        await leaveOut.FocusAsync();
        await page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(page.GetByText("Done: a patient withdrew and is left out from now on.")).ToBeVisibleAsync();
        // The entry comes before what it leads to, and a page does not change by itself.
        var nothing = page.GetByRole(AriaRole.Heading, new() { Name = "Nothing waits" });
        for (var look = 0; look < 100 && await nothing.CountAsync() == 0; look++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestContext.Current.CancellationToken);
            await page.ReloadAsync();
        }

        await Assertions.Expect(nothing).ToBeVisibleAsync();
        var entry = Assert.Single(_desk.Hospital.Entries, entry => entry.Action == "patientWithdrawn");
        Assert.Equal((Rules.PseudonymOf(Ada).ToString(), "anna"), (entry.Facts["patient"], entry.Facts["by"]));
        await page.GetByRole(AriaRole.Link, new() { Name = "Patients" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = Rules.PseudonymOf(Ada).ToString() }).ClickAsync();
        await Assertions.Expect(page.GetByText("This patient is left out since")).ToBeVisibleAsync();
        Assert.Equal(0, await leaveOut.CountAsync());
        await OfficersPageTests.ShootAsync(page, "19-patient-withdrawn");
    }

    [Fact]
    public async Task Key_ThatFitsNobody_IsSaidSoBeforeAnythingIsConfirmed()
    {
        _desk.Hospital.WritePolicy(Bounds + "review: auto-within-bounds\n");
        await ClearAsync(1, [Ada]);
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "otto");
        await page.GotoAsync("/patients");
        await page.GetByLabel("Patient's key").FillAsync(Bob);
        await page.GetByRole(AriaRole.Button, new() { Name = "Look" }).ClickAsync();

        await Assertions.Expect(page.GetByText("No round here used a patient with this key.")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("A privacy officer or the site's operator does that.")).ToBeVisibleAsync();
        Assert.Equal(HttpStatusCode.OK, (HttpStatusCode)(await PostAsync(page, "/patients/find", ("key", "Ada Lovelace"))).Status);
        await page.GotoAsync("/patients?problem=key");
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("That is not a patient's key");
    }

    [Fact]
    public async Task Officer_LeavesAStudy_ByTypingItsName()
    {
        var charter = StudyCharters.New(("2026-06-30", "2099-12-31"));
        _desk.Hospital.WritePolicy(Bounds + "plansWithin: { maximumRounds: 20, maximumStepsPerRound: 20, maximumParameters: 100000 }\n");
        await _desk.Hospital.HoldAsync(charter);
        _desk.Hospital.Plan = _desk.Hospital.Plan with { Study = StudyCharters.Study };
        await _desk.Hospital.ApprovePlanAsync(_desk.Hospital.Plan);
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "anna");
        await page.GotoAsync($"/studies/{charter.Hash}");
        await page.GetByRole(AriaRole.Link, new() { Name = "What leaving does, and how" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Its one run that was heard of here is over for this hospital.")).ToBeVisibleAsync();
        await OfficersPageTests.ShootAsync(page, "20-leave");
        await page.GetByLabel("Type the study's name, kidneys-2026, to confirm").FillAsync("kidneys");
        await page.Keyboard.PressAsync("Enter");
        Assert.EndsWith("/studies/kidneys-2026/leave", page.Url, StringComparison.Ordinal);
        await page.GetByLabel("Type the study's name, kidneys-2026, to confirm").FillAsync("kidneys-2026");
        await page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(page.GetByText("Done: this hospital left a study.")).ToBeVisibleAsync();
        Assert.Equal([_desk.Hospital.Plan.Run], _desk.Hospital.Gate.Desk.LeftRuns);
        await page.GotoAsync("/studies/kidneys-2026/leave");
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("This hospital has left kidneys-2026");
    }

    /// <summary>A browser that checks no form, or a forged one.</summary>
    [Theory]
    [InlineData("/orders/withdraw-patient", "patient", "confirm", "no")]
    [InlineData("/orders/withdraw-patient", "patient", "confirm", null)]
    [InlineData("/orders/leave-study", "study", "typed", "kidney")]
    [InlineData("/orders/leave-study", "study", "typed", null)]
    public async Task Order_WithoutItsConfirmation_IsNotPlaced(string order, string key, string confirmation, string? said)
    {
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(page, "anna");
        var subject = (key, key == "study" ? "kidneys" : Ada);
        var answer = said is null ? await PostAsync(page, order, subject) : await PostAsync(page, order, subject, (confirmation, said));

        Assert.Equal((int)HttpStatusCode.BadRequest, answer.Status);
        Assert.Empty(_desk.Hospital.Entries);
    }

    private static async Task<IAPIResponse> PostAsync(IPage page, string path, params (string Key, string Value)[] fields)
    {
        await page.GotoAsync("/site");
        var form = page.Context.APIRequest.CreateFormData();
        form.Append("__RequestVerificationToken", await page.Locator("input[name=__RequestVerificationToken]").First.InputValueAsync());
        foreach (var (key, value) in fields) form.Append(key, value);
        return await page.Context.APIRequest.PostAsync(path, new() { Form = form });
    }

    private async Task<EgressOutcome> ClearAsync(int round, string[] trained)
    {
        _desk.Hospital.Plan = _desk.Hospital.Plan with { Round = round };
        File.WriteAllBytes(new PatientRecords(_desk.Hospital.DeskPath).PathOf(_desk.Hospital.Plan.Run, round), PatientUse.Of(Rules, trained, []).ToBytes());
        return await _desk.ClearAsync(round, 0.5f - 0.03f * round);
    }
}
