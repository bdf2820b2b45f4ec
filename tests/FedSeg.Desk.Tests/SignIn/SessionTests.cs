using System.Net;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Tests;

namespace FedSeg.Desk.Tests.SignIn;

/// <summary>How long a signed-in person stays so.</summary>
public sealed class SessionTests : IAsyncLifetime
{
    private DeskHost _desk = null!;

    public async ValueTask InitializeAsync() => _desk = await DeskHost.StartAsync(provider: null);

    public ValueTask DisposeAsync() => _desk.DisposeAsync();

    [Fact]
    public async Task Session_AQuarterOfAnHourWithoutAClick_IsLocked()
    {
        using var anna = await SignedInAsync();
        _desk.Time.Advance(TimeSpan.FromMinutes(14));
        Assert.Equal(HttpStatusCode.OK, await anna.StatusOfAsync("/history"));
        _desk.Time.Advance(TimeSpan.FromMinutes(15) + TimeSpan.FromSeconds(1));

        Assert.Equal(HttpStatusCode.Redirect, await anna.StatusOfAsync("/history"));
    }

    [Fact]
    public async Task Session_BusyForTenHours_EndsAllTheSame()
    {
        using var anna = await SignedInAsync();
        for (var minutes = 0; minutes < 600; minutes += 12)
        {
            Assert.Equal(HttpStatusCode.OK, await anna.StatusOfAsync("/history"));
            _desk.Time.Advance(TimeSpan.FromMinutes(12));
        }

        _desk.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.Redirect, await anna.StatusOfAsync("/history"));
    }

    [Fact]
    public async Task SignOut_CopyOfTheCookie_IsWorthNothing()
    {
        using var anna = await SignedInAsync();
        using var thief = new SignInWalk(_desk.Address);
        thief.Cookies.Add(anna.Cookies.GetCookies(_desk.Address));
        Assert.Equal(HttpStatusCode.OK, await thief.StatusOfAsync("/history"));
        await anna.SignOutAsync();

        Assert.Equal(HttpStatusCode.Redirect, await thief.StatusOfAsync("/history"));
    }

    [Fact]
    public async Task Session_EndedByWhoeverRunsTheAgent_EndsAtTheNextClick()
    {
        using var anna = await SignedInAsync();
        await new DeskAccounts(_desk.Hospital.DeskPath, TimeProvider.System).EndSessionsAsync("anna", HospitalOnDisk.Token);

        Assert.Equal(HttpStatusCode.Redirect, await anna.StatusOfAsync("/history"));
        Assert.Equal("/", await anna.SignInLocallyAsync("anna"));
    }

    [Fact]
    public async Task SignIn_ProviderThatIsNotSetUp_IsNotThere()
    {
        using var anyone = new SignInWalk(_desk.Address);

        Assert.StartsWith("/sign-in?", (await anyone.BeginAsync()).PathAndQuery, StringComparison.Ordinal);
        Assert.DoesNotContain("hospital account", await anyone.ReadAsync("/sign-in"), StringComparison.Ordinal);
    }

    private async Task<SignInWalk> SignedInAsync()
    {
        var anna = new SignInWalk(_desk.Address);
        Assert.Equal("/", await anna.SignInLocallyAsync("anna"));
        return anna;
    }
}
