using System.Net;
using System.Text.RegularExpressions;
using System.Web;
using FedSeg.Egress.Tests;

namespace FedSeg.Desk.Tests.SignIn;

/// <summary>A browser's way through a sign-in, one step at a time, so that a test can bend a step.</summary>
internal sealed partial class SignInWalk : IDisposable
{
    private readonly Uri _desk;
    private readonly HttpClient _browser;

    public SignInWalk(Uri desk)
    {
        _desk = desk;
        _browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = Cookies });
    }

    public CookieContainer Cookies { get; } = new();

    public bool HasSession => Cookies.GetCookies(_desk).Any(cookie => cookie.Name == "desk-session" && cookie.Value.Length > 0);

    /// <summary>From the desk to the provider: the address the browser is sent to.</summary>
    public async Task<Uri> BeginAsync()
    {
        using var answer = await _browser.GetAsync(new Uri(_desk, "/sign-in/provider?back=%2Fhistory"), HospitalOnDisk.Token);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return answer.Headers.Location!;
    }

    /// <summary>At the provider, with a password: the address that leads back, with the code.</summary>
    public async Task<Uri> AuthenticateAsync(Uri authorize, string user)
    {
        var page = await _browser.GetStringAsync(authorize, HospitalOnDisk.Token);
        var fields = Hidden().Matches(page).ToDictionary(field => field.Groups[1].Value, field => HttpUtility.HtmlDecode(field.Groups[2].Value));
        (fields["user"], fields["password"]) = (user, HospitalProvider.Password);
        using var form = new FormUrlEncodedContent(fields);
        using var answer = await _browser.PostAsync(new Uri(authorize, "/connect/authorize"), form, HospitalOnDisk.Token);
        return answer.Headers.Location ?? throw new InvalidOperationException($"The provider answered {answer.StatusCode}: {await answer.Content.ReadAsStringAsync(HospitalOnDisk.Token)}");
    }

    /// <summary>Back at the desk: where it sends the browser.</summary>
    public async Task<string> ReturnAsync(Uri callback)
    {
        using var answer = await _browser.GetAsync(callback, HospitalOnDisk.Token);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return answer.Headers.Location!.OriginalString;
    }

    public async Task<string> SignInAsync(string user) => await ReturnAsync(await AuthenticateAsync(await BeginAsync(), user));

    /// <summary>Signs in with a password of this site.</summary>
    public async Task<string> SignInLocallyAsync(string account)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["__RequestVerificationToken"] = await TokenAsync("/sign-in"), ["name"] = account, ["password"] = DeskOnDisk.Password,
        });
        using var answer = await _browser.PostAsync(new Uri(_desk, "/sign-in"), form, HospitalOnDisk.Token);
        return answer.Headers.Location!.OriginalString;
    }

    public async Task SignOutAsync()
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["__RequestVerificationToken"] = await TokenAsync("/"), ["leave"] = "yes" });
        using var answer = await _browser.PostAsync(new Uri(_desk, "/sign-out"), form, HospitalOnDisk.Token);
        Assert.Equal("/sign-in", answer.Headers.Location!.OriginalString);
    }

    public async Task<HttpStatusCode> StatusOfAsync(string page)
    {
        using var answer = await _browser.GetAsync(new Uri(_desk, page), HospitalOnDisk.Token);
        return answer.StatusCode;
    }

    public Task<string> ReadAsync(string page) => _browser.GetStringAsync(new Uri(_desk, page), HospitalOnDisk.Token);

    public void Dispose() => _browser.Dispose();

    private async Task<string> TokenAsync(string page) => Token().Match(await ReadAsync(page)).Groups[1].Value;

    [GeneratedRegex("name='([^']+)' value='([^']*)'")]
    private static partial Regex Hidden();

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
