using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace FedSeg.Desk.Tests.SignIn;

/// <summary>
/// A hospital's provider of OpenID Connect: OpenIddict's server, which speaks the whole protocol, on a port of this machine, with people, groups and a form that asks for
/// a password. It is another site than the page to a browser: <c>localhost</c>, not <c>127.0.0.1</c>.
/// </summary>
internal sealed class HospitalProvider : IAsyncDisposable
{
    public const string Password = "winter in the ward", ClientId = "fedseg-desk", ClientSecret = "a secret that only page and provider know";

    private readonly Dictionary<string, (string Id, string[] Groups)> _people = new()
    {
        ["anna"] = ("s-100", ["ward-3", "fedseg-privacy"]),
        ["ben"] = ("s-200", ["fedseg-privacy", "fedseg-audit"]),
        ["otto"] = ("s-300", ["fedseg-audit"]),
        ["kim"] = ("s-400", ["cardiology", "fedseg"]),
    };

    private WebApplication _app = null!;

    public Uri Authority { get; private set; } = null!;

    /// <summary>What a provider that lies changes in an id token before it is signed.</summary>
    internal Action<OpenIddictServerEvents.GenerateTokenContext>? Lie { get; set; }

    /// <summary>The section <c>Desk:OpenId</c> of a page that trusts this provider.</summary>
    internal object Settings(string secretFile) => new
    {
        Authority = Authority.ToString(),
        ClientId,
        ClientSecretFile = secretFile,
        Roles = new { PrivacyOfficer = new[] { "fedseg-privacy" }, SiteOperator = new[] { "fedseg-operation" }, Auditor = new[] { "fedseg-audit" } },
    };

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var database = Guid.NewGuid().ToString();
        builder.Services.AddDbContext<DbContext>(options => options.UseInMemoryDatabase(database).UseOpenIddict());
        builder.Services.AddOpenIddict()
            .AddCore(core => core.UseEntityFrameworkCore().UseDbContext<DbContext>().DisableBulkOperations())
            .AddServer(server =>
            {
                server.SetAuthorizationEndpointUris("connect/authorize").SetTokenEndpointUris("connect/token");
                server.AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange();
                server.RegisterScopes(Scopes.Profile);
                server.AddEphemeralEncryptionKey().AddEphemeralSigningKey();
                server.UseAspNetCore().EnableAuthorizationEndpointPassthrough().DisableTransportSecurityRequirement();
                server.AddEventHandler<OpenIddictServerEvents.GenerateTokenContext>(handler => handler
                    .UseInlineHandler(context =>
                    {
                        if (context.TokenType == TokenTypeIdentifiers.IdentityToken) Lie?.Invoke(context);
                        return default;
                    })
                    .SetOrder(OpenIddictServerHandlers.Protection.AttachSecurityCredentials.Descriptor.Order + 1));
            });
        builder.Services.AddAuthentication();
        builder.Services.AddAuthorization();
        _app = builder.Build();
        _app.UseAuthentication();
        _app.MapMethods("/connect/authorize", [HttpMethods.Get, HttpMethods.Post], (Delegate)AuthorizeAsync);
        await _app.StartAsync();
        Authority = new Uri(_app.Urls.Single().Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
    }

    /// <summary>Lets a page at this address sign people in here.</summary>
    internal async Task TrustAsync(Uri page)
    {
        await using var scope = _app.Services.CreateAsyncScope();
        var applications = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
        var callback = new Uri(page, "/sign-in/callback");
        if (await applications.FindByClientIdAsync(ClientId) is { } known)
        {
            var present = new OpenIddictApplicationDescriptor();
            await applications.PopulateAsync(present, known);
            present.RedirectUris.Add(callback);
            await applications.UpdateAsync(known, present);
            return;
        }

        await applications.CreateAsync(new OpenIddictApplicationDescriptor
        {
            ClientId = ClientId,
            ClientSecret = ClientSecret,
            RedirectUris = { callback },
            Permissions = { Permissions.Endpoints.Authorization, Permissions.Endpoints.Token, Permissions.GrantTypes.AuthorizationCode, Permissions.ResponseTypes.Code, Permissions.Scopes.Profile },
        });
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task<IResult> AuthorizeAsync(HttpContext context)
    {
        var request = context.GetOpenIddictServerRequest()!;
        var form = HttpMethods.IsPost(context.Request.Method) ? await context.Request.ReadFormAsync() : FormCollection.Empty;
        if (form["user"].ToString() is not { Length: > 0 } user) return AskForPassword(request);
        if (!_people.TryGetValue(user, out var person) || form["password"] != Password) return Results.StatusCode(StatusCodes.Status403Forbidden);

        var identity = new ClaimsIdentity(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme, Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, person.Id).SetClaim(Claims.PreferredUsername, user).SetClaims("groups", [.. person.Groups]);
        identity.SetClaim(Claims.AuthenticationTime, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        identity.SetScopes(request.GetScopes());
        identity.SetDestinations(_ => [Destinations.IdentityToken]);
        return Results.SignIn(new ClaimsPrincipal(identity), properties: null, OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }

    private static IResult AskForPassword(OpenIddictRequest request)
    {
        var encoder = HtmlEncoder.Default;
        var hidden = string.Concat(request.GetParameters().Select(parameter =>
            $"<input type='hidden' name='{encoder.Encode(parameter.Key)}' value='{encoder.Encode((string?)parameter.Value ?? "")}'>"));
        return Results.Text(
            $"""
            <!DOCTYPE html><html lang="en"><title>The hospital's sign-in</title><h1>The hospital's sign-in</h1>
            <form method="post" action="/connect/authorize">{hidden}
            <label>Staff name <input name="user"></label> <label>Staff password <input name="password" type="password"></label>
            <button type="submit">Continue</button></form></html>
            """,
            "text/html");
    }
}
