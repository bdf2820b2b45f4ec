using System.Net;
using System.Security.Cryptography;
using System.Web;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Tests;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server;

namespace FedSeg.Desk.Tests.SignIn;

/// <summary>The page and a real provider of OpenID Connect, and everything in between that can be bent.</summary>
public sealed class ProviderSignInTests : IClassFixture<ProviderSignInTests.Hospital>, IDisposable
{
    private readonly HospitalProvider _provider;
    private readonly DeskHost _desk;

    public ProviderSignInTests(Hospital hospital) => (_provider, _desk) = (hospital.Provider, hospital.Desk);

    public void Dispose() => _provider.Lie = null;

    [Fact]
    public async Task SignIn_InAGroupWithARole_LetsInUnderTheProvidersName()
    {
        using var anna = new SignInWalk(_desk.Address);

        Assert.Equal("/signed-in?back=%2Fhistory", await anna.SignInAsync("anna"));
        Assert.Contains("oidc:anna, privacy officer", await anna.ReadAsync("/history"), StringComparison.Ordinal);
        var account = Accounts().Find("oidc:anna")!;
        Assert.Equal((DeskRole.PrivacyOfficer, "provider:s-100", (string?)null), (account.Role, account.Person.ToString(), account.PasswordHash));
    }

    [Fact]
    public async Task SignIn_InGroupsOfTwoRoles_GivesTheOneThatMayMore()
    {
        using var ben = new SignInWalk(_desk.Address);
        await ben.SignInAsync("ben");

        Assert.Equal(DeskRole.PrivacyOfficer, Accounts().Find("oidc:ben")!.Role);
    }

    [Fact]
    public async Task SignIn_InNoGroupWithARole_GivesNothing()
    {
        using var kim = new SignInWalk(_desk.Address);

        Assert.Equal("/sign-in?problem=role", await kim.SignInAsync("kim"));
        Assert.False(kim.HasSession);
        Assert.Null(Accounts().Find("oidc:kim"));
        Assert.Equal(HttpStatusCode.Redirect, await kim.StatusOfAsync("/history"));
    }

    [Fact]
    public async Task Begin_Request_HasPkceStateAndNonceAndAsksForThePassword()
    {
        using var anna = new SignInWalk(_desk.Address);
        var asked = HttpUtility.ParseQueryString((await anna.BeginAsync()).Query);
        var again = HttpUtility.ParseQueryString((await anna.BeginAsync()).Query);

        Assert.Equal(("code", "S256", "login", "900", "query"), (asked["response_type"], asked["code_challenge_method"], asked["prompt"], asked["max_age"], asked["response_mode"] ?? "query"));
        Assert.All(["code_challenge", "state", "nonce"], name =>
        {
            Assert.True(asked[name]!.Length >= 43, name);
            Assert.NotEqual(asked[name], again[name]);
        });
    }

    [Theory]
    [InlineData("state")]
    [InlineData("code")]
    public async Task Callback_StateOrCodeChanged_IsRefused(string parameter)
    {
        using var anna = new SignInWalk(_desk.Address);
        var callback = await anna.AuthenticateAsync(await anna.BeginAsync(), "anna");

        await AssertRefusedAsync(anna, With(callback, parameter, value => value[..20] + (value[20] == 'A' ? 'B' : 'A') + value[21..]));
    }

    [Fact]
    public async Task Callback_SignInThatAnotherBrowserBegan_IsRefused()
    {
        using var attacker = new SignInWalk(_desk.Address);
        using var victim = new SignInWalk(_desk.Address);
        var callback = await attacker.AuthenticateAsync(await attacker.BeginAsync(), "anna");

        await AssertRefusedAsync(victim, callback);
    }

    /// <summary>A code that somebody else obtained, in a sign-in that this browser began: the proof key is another one.</summary>
    [Fact]
    public async Task Callback_CodeOfAnotherSignIn_IsRefused()
    {
        using var attacker = new SignInWalk(_desk.Address);
        using var victim = new SignInWalk(_desk.Address);
        var stolen = await attacker.AuthenticateAsync(await attacker.BeginAsync(), "otto");
        var own = await victim.AuthenticateAsync(await victim.BeginAsync(), "anna");

        await AssertRefusedAsync(victim, With(own, "code", _ => HttpUtility.ParseQueryString(stolen.Query)["code"]!));
    }

    [Fact]
    public async Task Callback_ASecondTime_IsRefused()
    {
        using var anna = new SignInWalk(_desk.Address);
        var callback = await anna.AuthenticateAsync(await anna.BeginAsync(), "anna");
        await anna.ReturnAsync(callback);
        using var again = new SignInWalk(_desk.Address);

        await AssertRefusedAsync(again, callback);
    }

    [Theory]
    [InlineData("nonce")]
    [InlineData("audience")]
    [InlineData("key")]
    [InlineData("symmetric")]
    public async Task Token_WithALie_IsRefused(string lie)
    {
        _provider.Lie = context => Tell(lie, context);
        using var anna = new SignInWalk(_desk.Address);
        var callback = await anna.AuthenticateAsync(await anna.BeginAsync(), "anna");

        await AssertRefusedAsync(anna, callback);
    }

    [Fact]
    public async Task Token_OfAPasswordTypedHoursAgo_IsRefused()
    {
        _provider.Lie = context => context.Principal.SetClaim("auth_time", TimeProvider.System.GetUtcNow().AddHours(-2).ToUnixTimeSeconds());
        using var anna = new SignInWalk(_desk.Address);

        Assert.Equal("/sign-in?problem=old", await anna.SignInAsync("anna"));
        Assert.False(anna.HasSession);
    }

    [Fact]
    public async Task SignIn_NameThatWasAnotherHumansBefore_IsRefusedUntilThatAccountIsClosed()
    {
        await Accounts().RemoveAsync("oidc:otto", HospitalOnDisk.Token);
        await Accounts().VouchAsync("otto", "s-before", DeskRole.Auditor, DateTimeOffset.MaxValue, HospitalOnDisk.Token);
        using var otto = new SignInWalk(_desk.Address);
        Assert.Equal("/sign-in?problem=name", await otto.SignInAsync("otto"));
        await Accounts().RemoveAsync("oidc:otto", HospitalOnDisk.Token);

        Assert.StartsWith("/signed-in", await otto.SignInAsync("otto"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SignIn_ProviderThatDoesNotAnswer_SaysSoAndTheDesksOwnAccountsLetIn()
    {
        // Port 1 of this machine: nobody listens.
        await using var desk = await DeskHost.StartAsync(
            provider: null, new { Authority = "http://127.0.0.1:1", HospitalProvider.ClientId, Roles = new { Auditor = new[] { "fedseg-audit" } } });
        using var otto = new SignInWalk(desk.Address);

        Assert.Equal("/sign-in?problem=away", (await otto.BeginAsync()).OriginalString);
        Assert.Equal("/", await otto.SignInLocallyAsync("otto"));
    }

    [Fact]
    public async Task SignOutDoorsOfTheLibrary_AreShut()
    {
        using var anna = new SignInWalk(_desk.Address);
        await anna.SignInAsync("anna");
        Assert.Equal(HttpStatusCode.NotFound, await anna.StatusOfAsync("/signout-oidc"));
        Assert.Equal(HttpStatusCode.NotFound, await anna.StatusOfAsync("/signout-callback-oidc"));

        Assert.Equal(HttpStatusCode.OK, await anna.StatusOfAsync("/history"));
    }

    [Fact]
    public async Task SignIn_LocallyThoughThereIsAProvider_IsInTheLedger()
    {
        using var ben = new SignInWalk(_desk.Address);
        Assert.Equal("/", await ben.SignInLocallyAsync("ben"));

        await WaitForEntriesAsync(1);
        var entry = Assert.Single(_desk.Hospital.Entries);
        Assert.Equal(("localSignIn", "ben", "account:ben"), (entry.Action, entry.Facts["by"], entry.Facts["person"]));
    }

    private static async Task AssertRefusedAsync(SignInWalk browser, Uri callback)
    {
        Assert.Equal("/sign-in?problem=provider", await browser.ReturnAsync(callback));
        Assert.False(browser.HasSession);
        Assert.Equal(HttpStatusCode.Redirect, await browser.StatusOfAsync("/history"));
    }

    private async Task WaitForEntriesAsync(int count)
    {
        while (_desk.Hospital.Entries.Length < count) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, HospitalOnDisk.Token);
    }

    private DeskAccounts Accounts() => new(_desk.Hospital.DeskPath, TimeProvider.System);

    private static void Tell(string lie, OpenIddictServerEvents.GenerateTokenContext context)
    {
        switch (lie)
        {
            case "nonce":
                context.Principal.SetClaim("nonce", "of another sign-in");
                break;
            case "audience":
                context.Principal.SetAudiences("another-page");
                break;
            case "key":
                context.SigningCredentials = new SigningCredentials(new RsaSecurityKey(RSA.Create(2048)), SecurityAlgorithms.RsaSha256);
                break;
            default:
                context.SigningCredentials = new SigningCredentials(new SymmetricSecurityKey(System.Text.Encoding.UTF8.GetBytes(HospitalProvider.ClientSecret)), SecurityAlgorithms.HmacSha256);
                break;
        }
    }

    private static Uri With(Uri address, string parameter, Func<string, string> change)
    {
        var query = HttpUtility.ParseQueryString(address.Query);
        query[parameter] = change(query[parameter]!);
        return new UriBuilder(address) { Query = query.ToString() }.Uri;
    }

    /// <summary>One provider and one page for all of these.</summary>
    public sealed class Hospital : IAsyncLifetime
    {
        internal HospitalProvider Provider { get; } = new();

        internal DeskHost Desk { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            await Provider.InitializeAsync();
            Desk = await DeskHost.StartAsync(Provider);
        }

        public async ValueTask DisposeAsync()
        {
            await Desk.DisposeAsync();
            await Provider.DisposeAsync();
        }
    }
}
