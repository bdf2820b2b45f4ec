using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Cli.Programs;

namespace FedSeg.Cli.Jobs;

/// <summary>
/// <c>fedseg sign-in</c>: fetches a token from the provider of OpenID Connect that the coordinator trusts. The person signs in with a browser on any machine, by the device
/// authorization grant (RFC 8628); their password never comes near the command line.
/// </summary>
internal static class SignInCommand
{
    /// <summary>RFC 8628, section 3.5: what to add each time the provider asks to be asked less often.</summary>
    private static readonly TimeSpan SlowDown = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(30);

    public static Command Create()
    {
        var provider = new Option<string>("--provider") { Description = "The provider's issuer, such as https://login.example.org/realms/research.", Required = true };
        var client = new Option<string>("--client") { Description = "By which the provider knows this command: a public client that may use the device grant.", Required = true };
        var scope = new Option<string>("--scope") { Description = "What to ask for.", DefaultValueFactory = _ => "openid profile" };
        var idToken = new Option<bool>("--id-token") { Description = "Keep the id token, not the access token: where the coordinator's audience is the client." };
        var output = new Option<FileInfo>("--out") { Description = "Where the token goes, readable by you alone; name it with --token-file afterwards.", Required = true };
        return new Command("sign-in", "Sign in at the provider and keep its token for the coordinator.") { provider, client, scope, idToken, output }
            .Does(async (parsed, cancellationToken) =>
            {
                using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(10) }) { MaxResponseContentBufferSize = 1 << 20 };
                var endpoints = await DiscoverAsync(http, IssuerOf(parsed.GetRequiredValue(provider)), cancellationToken);
                var token = await FetchAsync(http, endpoints, parsed.GetRequiredValue(client), parsed.GetRequiredValue(scope), parsed.GetValue(idToken), cancellationToken);
                var path = parsed.GetRequiredValue(output).FullName;
                Write(path, token);
                Console.WriteLine($"Signed in: {path}.");
                return CommandLine.Done;
            });
    }

    private static async Task<Endpoints> DiscoverAsync(HttpClient http, Uri issuer, CancellationToken cancellationToken)
    {
        var address = new Uri(issuer.AbsoluteUri.TrimEnd('/') + "/.well-known/openid-configuration");
        var found = await ReadAsync<Discovery>(await http.GetAsync(address, cancellationToken), cancellationToken);
        if (found.Issuer?.TrimEnd('/') != issuer.AbsoluteUri.TrimEnd('/')) throw new BadInputException($"{address} speaks for '{found.Issuer}' and not for the provider given.");
        return new Endpoints(
            IssuerOf(found.DeviceAuthorizationEndpoint ?? throw new BadInputException($"{issuer} does not offer the device authorization grant.")),
            IssuerOf(found.TokenEndpoint ?? throw new BadInputException($"{issuer} names no token endpoint.")));
    }

    private static async Task<string> FetchAsync(HttpClient http, Endpoints endpoints, string client, string scope, bool idToken, CancellationToken cancellationToken)
    {
        using var asking = new FormUrlEncodedContent(new Dictionary<string, string> { ["client_id"] = client, ["scope"] = scope });
        var device = await ReadAsync<Device>(await http.PostAsync(endpoints.Device, asking, cancellationToken), cancellationToken);
        if (device.DeviceCode is null || device.UserCode is null || device.VerificationUri is null) throw new BadInputException($"The provider refused: {device.Error ?? "it gave no code"}.");
        Console.Error.WriteLine($"Open {device.VerificationUriComplete ?? device.VerificationUri} in a browser and check that it shows the code {device.UserCode}. This command waits.");

        var time = TimeProvider.System;
        var (started, wait) = (time.GetTimestamp(), TimeSpan.FromSeconds(Math.Clamp(device.Interval ?? 5, 1, 60)));
        var patience = TimeSpan.FromSeconds(Math.Min(device.ExpiresIn, LongestWait.TotalSeconds));
        while (time.GetElapsedTime(started) < patience)
        {
            await Task.Delay(wait, time, cancellationToken);
            using var grant = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "urn:ietf:params:oauth:grant-type:device_code",
                ["device_code"] = device.DeviceCode,
                ["client_id"] = client,
            });
            var answer = await ReadAsync<Tokens>(await http.PostAsync(endpoints.Token, grant, cancellationToken), cancellationToken);
            if ((idToken ? answer.IdToken : answer.AccessToken) is { } token) return token;
            if (answer.Error == "slow_down") wait += SlowDown;
            else if (answer.Error != "authorization_pending") throw new BadInputException($"The provider gave no token: {answer.Error ?? (idToken ? "it sent no id token" : "it sent none")}.");
        }

        throw new BadInputException(string.Create(CultureInfo.InvariantCulture, $"Nobody signed in with the code within {patience.TotalMinutes:0} minutes."));
    }

    /// <summary>The provider's errors are documents, too (RFC 6749, section 5.2).</summary>
    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using (response)
        {
            try
            {
                return await response.Content.ReadFromJsonAsync<T>(cancellationToken) ?? throw new JsonException("null");
            }
            catch (Exception error) when (error is JsonException or NotSupportedException)
            {
                throw new BadInputException($"{response.RequestMessage?.RequestUri} answered {(int)response.StatusCode} and nothing that a provider says.");
            }
        }
    }

    /// <summary>Never group or others, whatever the directory allows.</summary>
    private static void Write(string path, string token)
    {
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(path, options);
        writer.Write(token);
    }

    private static Uri IssuerOf(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? address
            : throw new BadInputException($"'{text}' is not an https address.");

    private sealed record Endpoints(Uri Device, Uri Token);

    private sealed record Discovery(
        [property: JsonPropertyName("issuer")] string? Issuer,
        [property: JsonPropertyName("device_authorization_endpoint")] string? DeviceAuthorizationEndpoint,
        [property: JsonPropertyName("token_endpoint")] string? TokenEndpoint);

    private sealed record Device(
        [property: JsonPropertyName("device_code")] string? DeviceCode,
        [property: JsonPropertyName("user_code")] string? UserCode,
        [property: JsonPropertyName("verification_uri")] string? VerificationUri,
        [property: JsonPropertyName("verification_uri_complete")] string? VerificationUriComplete,
        [property: JsonPropertyName("expires_in")] int ExpiresIn,
        [property: JsonPropertyName("interval")] int? Interval,
        [property: JsonPropertyName("error")] string? Error);

    private sealed record Tokens(
        [property: JsonPropertyName("access_token")] string? AccessToken,
        [property: JsonPropertyName("id_token")] string? IdToken,
        [property: JsonPropertyName("error")] string? Error);
}
