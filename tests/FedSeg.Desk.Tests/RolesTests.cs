using System.Net;
using System.Text.RegularExpressions;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Tests;

namespace FedSeg.Desk.Tests;

/// <summary>Every role at every door of the page.</summary>
public sealed partial class RolesTests : IAsyncLifetime
{
    // Digest and terms of nothing: an allowed order reaches the agent, which refuses it.
    private static readonly Dictionary<string, string> Fields = new()
    {
        ["update"] = new string('a', 64), ["terms"] = new string('a', 64), ["policy"] = new string('a', 64), ["charter"] = new string('a', 64), ["reason"] = "Other", ["form"] = "x",
        ["patient"] = new string('a', 64), ["confirm"] = "yes", ["study"] = "kidneys", ["typed"] = "kidneys",
    };

    private DeskOnDisk _desk = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _desk = await DeskOnDisk.StartAsync();

    public ValueTask DisposeAsync() => _desk.DisposeAsync();

    [Fact]
    public async Task Order_EveryRoleAtEveryEndpoint_IsTakenOrForbidden()
    {
        string[] officers = ["approve", "refuse", "approve-plan", "refuse-plan", "accept-charter", "decline-charter", "leave-study"], both = ["withdraw-patient", "pause", "resume", "halt", "lift", "approve-policy", "refuse-policy"];
        var allowed = new Dictionary<string, string[]> { ["anna"] = [.. officers, .. both], ["olga"] = both, ["otto"] = [] };
        foreach (var (account, orders) in allowed)
        {
            using var person = await SignInAsync(account);
            var token = await TokenAsync(person, "/site");
            foreach (var order in officers.Concat(both))
            {
                var status = await PostAsync(person, "/orders/" + order, token);
                Assert.True(status == (orders.Contains(order) ? HttpStatusCode.Redirect : HttpStatusCode.Forbidden), $"{account}, {order}: {status}");
            }
        }
    }

    [Fact]
    public async Task Page_EveryRole_MayLookAtEverything()
    {
        await _desk.WaitForReviewAsync();
        foreach (var account in new[] { "anna", "olga", "otto" })
        {
            using var person = await SignInAsync(account);
            foreach (var page in new[] { "/", "/history", "/ledger", "/site", "/studies", "/studies/kidneys/leave", "/patients", "/patients/" + new string('a', 64), "/ledger/0/proof" })
            {
                using var answer = await person.GetAsync(new Uri(_desk.Address, page), Token);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }
        }
    }

    [Fact]
    public async Task Session_AccountClosedMeanwhile_EndsAtTheNextClick()
    {
        using var person = await SignInAsync("ben");
        await new DeskAccounts(_desk.Hospital.DeskPath, TimeProvider.System).RemoveAsync("ben", Token);
        using var answer = await person.GetAsync(_desk.Address, Token);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.StartsWith("/sign-in", answer.Headers.Location!.PathAndQuery, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SignIn_BackToAnotherSite_StaysHere()
    {
        using var person = await SignInAsync("otto", back: "//attacker.example/");
        using var answer = await person.GetAsync(_desk.Address, Token);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private async Task<HttpClient> SignInAsync(string account, string back = "/")
    {
        var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() });
        var token = await TokenAsync(client, "/sign-in");
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["__RequestVerificationToken"] = token, ["name"] = account, ["password"] = DeskOnDisk.Password, ["back"] = back });
        using var answer = await client.PostAsync(new Uri(_desk.Address, "/sign-in"), form, Token);
        Assert.Equal("/", answer.Headers.Location!.OriginalString);
        return client;
    }

    private async Task<HttpStatusCode> PostAsync(HttpClient person, string path, string token)
    {
        using var form = new FormUrlEncodedContent(Fields.Append(KeyValuePair.Create("__RequestVerificationToken", token)));
        using var answer = await person.PostAsync(new Uri(_desk.Address, path), form, Token);
        return answer.StatusCode;
    }

    private async Task<string> TokenAsync(HttpClient person, string page) =>
        TokenField().Match(await person.GetStringAsync(new Uri(_desk.Address, page), Token)).Groups[1].Value;

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex TokenField();
}
