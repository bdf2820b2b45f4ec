using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server;

namespace FedSeg.Coordinator.Tests.People;

/// <summary>
/// A provider of OpenID Connect that research people sign in at: OpenIddict's server, with its discovery document, keys and access tokens (RFC 9068), on a port of this machine.
/// What a provider that lies would sign, it signs with the same key.
/// </summary>
internal sealed class ResearchProvider : IAsyncDisposable
{
    public const string Audience = "fedseg-coordinator";

    private readonly RsaSecurityKey _key = new(RSA.Create(2048)) { KeyId = "research-1" };
    private WebApplication _app = null!;

    public Uri Authority { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddOpenIddict().AddServer(server =>
        {
            // No store: who asks for whom is the test's word.
            server.EnableDegradedMode().AcceptAnonymousClients();
            server.SetTokenEndpointUris("connect/token");
            server.AllowPasswordFlow();
            server.AddEphemeralEncryptionKey().AddSigningKey(_key);
            server.DisableAccessTokenEncryption();
            server.UseAspNetCore().DisableTransportSecurityRequirement();
            server.AddEventHandler<OpenIddictServerEvents.ValidateTokenRequestContext>(handler => handler.UseInlineHandler(_ => default));
            server.AddEventHandler<OpenIddictServerEvents.HandleTokenRequestContext>(handler => handler.UseInlineHandler(context =>
            {
                var identity = new ClaimsIdentity("password");
                identity.SetClaim(OpenIddictConstants.Claims.Subject, "id-of-" + context.Request.Username);
                identity.SetClaim(OpenIddictConstants.Claims.PreferredUsername, context.Request.Username);
                identity.SetClaims("groups", [.. context.Request.Password!.Split(' ')]);
                identity.SetResources(Audience).SetDestinations(_ => [OpenIddictConstants.Destinations.AccessToken]);
                context.SignIn(new ClaimsPrincipal(identity));
                return default;
            }));
        });
        _app = builder.Build();
        _app.UseAuthentication();
        await _app.StartAsync();
        Authority = new Uri(_app.Urls.Single());
    }

    /// <summary>An access token as the provider gives it to somebody in these groups.</summary>
    public async Task<string> SignInAsync(string user, params string[] groups)
    {
        using var http = new HttpClient { BaseAddress = Authority };
        using var asked = new FormUrlEncodedContent(new Dictionary<string, string> { ["grant_type"] = "password", ["username"] = user, ["password"] = string.Join(' ', groups) });
        using var answer = await http.PostAsync("connect/token", asked, TestContext.Current.CancellationToken);
        var document = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        return document.TryGetProperty("access_token", out var token) ? token.GetString()! : throw new InvalidOperationException(document.ToString());
    }

    /// <summary>A token of ada, a data scientist, that a change makes untrue.</summary>
    public string Sign(Action<SecurityTokenDescriptor>? change = null, string type = "at+jwt")
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var descriptor = new SecurityTokenDescriptor
        {
            Issuer = Authority.AbsoluteUri,
            Audience = Audience,
            NotBefore = now.AddMinutes(-1),
            IssuedAt = now.AddMinutes(-1),
            Expires = now.AddMinutes(5),
            TokenType = type,
            Claims = new Dictionary<string, object> { ["sub"] = "id-of-ada", ["preferred_username"] = "ada", ["groups"] = new[] { "group-DataScientist" } },
            SigningCredentials = new SigningCredentials(_key, SecurityAlgorithms.RsaSha256),
        };
        change?.Invoke(descriptor);
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(descriptor);
    }

    /// <summary>The public key as bytes that somebody may take for a shared secret.</summary>
    public byte[] PublicKey => _key.Rsa.ExportSubjectPublicKeyInfo();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Rsa.Dispose();
    }
}
