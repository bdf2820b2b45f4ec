using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Jobs;

/// <summary>The device authorization grant of RFC 8628 against a provider that answers as its sections 3.2 and 3.5 say.</summary>
public sealed class SignInCommandTests : IAsyncDisposable
{
    private const string Jwt = "eyJ0eXAiOiJhdCtqd3QifQ.e30.c2ln";

    private readonly TemporaryFolder _folder = new();
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<string> _asked = [];
    private readonly ConcurrentQueue<string> _answers = [];
    private readonly string _issuer;
    private readonly Task _serving;

    public SignInCommandTests()
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            _issuer = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}";
        }

        _listener.Prefixes.Add(_issuer + "/");
        _listener.Start();
        Issuer = _issuer;
        _serving = ServeAsync();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Issuer { get; set; }

    public async ValueTask DisposeAsync()
    {
        // Closed, not stopped first: after a stop, closing binds the port once more, which another test may have by then.
        _listener.Close();
        await _serving;
        _folder.Dispose();
    }

    [Fact]
    public async Task SignIn_PersonTypesTheCode_TheTokenIsInAFileOfTheirOwn()
    {
        _answers.Enqueue("""{ "error": "authorization_pending" }""");
        _answers.Enqueue($$"""{ "access_token": "{{Jwt}}", "id_token": "e30.e30.aWQ", "token_type": "Bearer" }""");

        var ended = await RunAsync();

        Assert.True(ended.ExitCode == 0, ended.Errors);
        Assert.Contains("WDJB-MJHT", ended.Errors);
        Assert.Equal(Jwt, await File.ReadAllTextAsync(_folder["token.jwt"], Token));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["token.jwt"]));
        Assert.Equal(["client_id=fedseg-cli&scope=openid+profile", .. Enumerable.Repeat("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=d-1&client_id=fedseg-cli", 2)], _asked);
        Assert.DoesNotContain(Jwt, ended.Output + ended.Errors);
    }

    [Fact]
    public async Task SignIn_PersonDeclines_SaysSoAndKeepsNothing()
    {
        _answers.Enqueue("""{ "error": "access_denied" }""");

        var ended = await RunAsync();

        Assert.Equal(2, ended.ExitCode);
        // Behind the line that says which code to type.
        Assert.Contains("access_denied", ended.Errors);
        Assert.False(File.Exists(_folder["token.jwt"]));
    }

    [Fact]
    public async Task SignIn_DiscoveryOfAnotherIssuer_IsNotBelieved()
    {
        Issuer = "https://login.elsewhere.example";

        var ended = await RunAsync();

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("speaks for 'https://login.elsewhere.example'", ended.ErrorLine);
        Assert.Empty(_asked);
    }

    [Theory]
    [InlineData(null, "names no certificate and key")]
    [InlineData("missing.jwt", "There is no token in")]
    [InlineData("profile.json", "has no token")]
    public async Task List_ProfileWithoutACertificate_AsksForAToken(string? tokenFile, string problem)
    {
        Hosting.Certificates.FederationAuthority.Create(_folder["authority"], "test", TimeProvider.System);
        var profile = _folder.Write("profile.json", """{ "coordinator": "https://127.0.0.1:1", "authority": "authority/authority.pem" }""");
        string[] token = tokenFile is null ? [] : ["--token-file", _folder[tokenFile]];

        var ended = await FedsegProcess.RunAsync(["job", "list", "--profile", profile, .. token]);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(problem, ended.ErrorLine);
    }

    private Task<FedsegProcess> RunAsync() => FedsegProcess.RunAsync("sign-in", "--provider", _issuer, "--client", "fedseg-cli", "--out", _folder["token.jwt"]);

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext call;
            try
            {
                call = await _listener.GetContextAsync();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            if (call.Request.HttpMethod == "POST")
            {
                using var reader = new StreamReader(call.Request.InputStream);
                _asked.Enqueue(await reader.ReadToEndAsync());
            }

            var answer = call.Request.Url!.AbsolutePath switch
            {
                "/.well-known/openid-configuration" => $$"""{ "issuer": "{{Issuer}}", "device_authorization_endpoint": "{{_issuer}}/device", "token_endpoint": "{{_issuer}}/token" }""",
                "/device" => $$"""{ "device_code": "d-1", "user_code": "WDJB-MJHT", "verification_uri": "{{_issuer}}/code", "expires_in": 60, "interval": 1 }""",
                _ => _answers.TryDequeue(out var next) ? next : """{ "error": "expired_token" }""",
            };
            // RFC 6749, section 5.2: errors are 400.
            call.Response.StatusCode = answer.Contains("\"error\"", StringComparison.Ordinal) ? 400 : 200;
            call.Response.ContentType = "application/json";
            call.Response.Close(Encoding.UTF8.GetBytes(answer), willBlock: false);
        }
    }
}
