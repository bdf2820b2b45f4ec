using FedSeg.Egress.Review.People;
using FedSeg.Egress.Tests;
using FedSeg.Testing;
using Microsoft.Playwright;

namespace FedSeg.Desk.Tests.SignIn;

/// <summary>An officer with a real browser, the hospital's provider, and the page as a process of its own.</summary>
public sealed class ProviderPageTests(Browser browser) : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly HospitalProvider _provider = new();
    private DeskOnDisk _desk = null!;

    public async ValueTask InitializeAsync()
    {
        await _provider.InitializeAsync();
        await File.WriteAllTextAsync(_folder["desk.secret"], HospitalProvider.ClientSecret, HospitalOnDisk.Token);
        _desk = await DeskOnDisk.StartAsync(_provider.Settings(_folder["desk.secret"]));
        await _provider.TrustAsync(_desk.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _desk.DisposeAsync();
        await _provider.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task SignIn_AtTheHospitalsProvider_LetsInWhoHasARoleToWhereSheWantedTo()
    {
        var waiting = await _desk.WaitForReviewAsync();
        var page = await browser.OpenAsync(_desk.Address.ToString());
        await page.GotoAsync($"/updates/{waiting.Update}");
        await OfficersPageTests.ShootAsync(page, "11-sign-in-with-provider");
        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in with your hospital account" }).ClickAsync();
        await SignInAsync(page, "kim");
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("has no role at this desk");
        await OfficersPageTests.ShootAsync(page, "13-no-role");
        await page.GotoAsync($"/updates/{waiting.Update}");
        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in with your hospital account" }).ClickAsync();
        await SignInAsync(page, "anna");

        // Over another site and back: the strict cookie is there at the first page of the desk.
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("May this leave? run-1, round 6 of 20");
        await Assertions.Expect(page.GetByText("oidc:anna, privacy officer")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Done: an update was approved.")).ToBeVisibleAsync();
        await OfficersPageTests.ShootAsync(page, "12-approved-by-provider");
        var decided = _desk.Hospital.Entries[^1];
        Assert.Equal(("egressDecided", "oidc:anna", "provider:s-100"), (decided.Action, decided.Facts["by"], decided.Facts["person"]));
    }

    [Fact]
    public async Task FourEyes_OneHumanByProviderAndByALocalAccount_IsToldThatAnotherPersonHasToAgree()
    {
        var accounts = new DeskAccounts(_desk.Hospital.DeskPath, TimeProvider.System);
        await accounts.SetAsync("ann", DeskRole.PrivacyOfficer, DeskOnDisk.Password, "s-100", HospitalOnDisk.Token);
        var waiting = await _desk.WaitForReviewAsync("approvals: 2\n");
        var first = await browser.OpenAsync(_desk.Address.ToString());
        await first.GotoAsync("/");
        await first.GetByRole(AriaRole.Link, new() { Name = "Sign in with your hospital account" }).ClickAsync();
        await SignInAsync(first, "anna");
        await ApproveAsync(first);
        var second = await browser.OpenAsync(_desk.Address.ToString());
        await DeskOnDisk.SignInAsync(second, "ann");
        await ApproveAsync(second);

        await Assertions.Expect(second.GetByText("another person has to approve as well")).ToBeVisibleAsync();
        var third = await browser.OpenAsync(_desk.Address.ToString());
        await third.GotoAsync("/");
        await third.GetByRole(AriaRole.Link, new() { Name = "Sign in with your hospital account" }).ClickAsync();
        await SignInAsync(third, "ben");
        await ApproveAsync(third);
        await Assertions.Expect(third.GetByText("Done: an update was approved.")).ToBeVisibleAsync();
        Assert.Equal("oidc:anna and oidc:ben", _desk.Hospital.Entries[^1].Facts["by"]);

        async Task ApproveAsync(IPage page)
        {
            await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "History" })).ToBeVisibleAsync();
            await page.GotoAsync($"/updates/{waiting.Update}");
            await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        }
    }

    private static async Task SignInAsync(IPage page, string user)
    {
        await page.GetByLabel("Staff name").FillAsync(user);
        await page.GetByLabel("Staff password").FillAsync(HospitalProvider.Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
    }
}
