using System.Globalization;
using System.Net.Http;
using System.Security.Claims;
using FedSeg.Desk.Accounts;
using FedSeg.Egress.Review;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace FedSeg.Desk.SignIn;

/// <summary>
/// Signs people in at the hospital's provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9700). Protocol and tokens
/// are the library's work; what a token comes to here is decided in <see cref="ProviderEvents"/>. No token is kept.
/// </summary>
internal sealed class ProviderSignIn(IOptions<DeskOptions> settings) : IConfigureNamedOptions<OpenIdConnectOptions>
{
    public const string Scheme = "provider", CallbackPath = "/sign-in/callback";

    /// <summary>How long ago somebody may have typed their password at the provider: as long as a session lives without a click.</summary>
    public static readonly TimeSpan OldestAuthentication = TimeSpan.FromMinutes(15);

    public void Configure(OpenIdConnectOptions options) => Configure(Scheme, options);

    public void Configure(string? name, OpenIdConnectOptions options)
    {
        var provider = settings.Value.OpenId;
        options.Authority = provider.Authority;
        options.ClientId = provider.ClientId;
        options.ClientSecret = provider.ClientSecretFile.Length == 0 ? null : File.ReadAllText(provider.ClientSecretFile).Trim();
        options.RequireHttpsMetadata = !OpenIdOptions.IsOnThisMachine(new Uri(provider.Authority));
        options.BackchannelHttpHandler = new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(10) };
        options.BackchannelTimeout = TimeSpan.FromSeconds(60);

        options.ResponseType = OpenIdConnectResponseType.Code;
        // The answer comes as a visit, not as another site's form: cookies need not be open to other sites.
        options.ResponseMode = OpenIdConnectResponseMode.Query;
        options.UsePkce = true;
        options.Scope.Clear();
        foreach (var scope in provider.Scopes.Prepend("profile").Prepend("openid")) options.Scope.Add(scope);
        // A session that ended for want of clicks must not come back without the person.
        options.Prompt = OpenIdConnectPrompt.Login;
        options.MaxAge = OldestAuthentication;

        options.MapInboundClaims = false;
        options.DisableTelemetry = true;
        options.SaveTokens = false;
        options.GetClaimsFromUserInfoEndpoint = false;
        options.TokenValidationParameters.ValidAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];
        options.TokenValidationParameters.ClockSkew = TimeSpan.FromMinutes(1);
        options.SignInScheme = Session.Scheme;
        options.CallbackPath = CallbackPath;
        // Doors of the library that nobody needs here; the page signs people out itself.
        (options.RemoteSignOutPath, options.SignedOutCallbackPath) = (PathString.Empty, PathString.Empty);
        options.RemoteAuthenticationTimeout = TimeSpan.FromMinutes(10);
        options.CorrelationCookie.Name = "desk-state.";
        options.NonceCookie.Name = "desk-nonce.";
        foreach (var cookie in new[] { options.CorrelationCookie, options.NonceCookie })
        {
            (cookie.SameSite, cookie.SecurePolicy, cookie.HttpOnly) = (SameSiteMode.Lax, CookieSecurePolicy.SameAsRequest, true);
        }

        options.EventsType = typeof(ProviderEvents);
    }
}

/// <summary>What a provider's word comes to: an account with a role and a session, or nothing.</summary>
internal sealed partial class ProviderEvents(DeskClient desk, IOptions<DeskOptions> settings, TimeProvider time, ILogger<ProviderEvents> logger) : OpenIdConnectEvents
{
    public override async Task TokenValidated(TokenValidatedContext context)
    {
        var (provider, person, now) = (settings.Value.OpenId, context.Principal!, time.GetUtcNow());
        if (IsTooOld(person.FindFirstValue("auth_time"), now))
        {
            Refuse(context, "old");
            return;
        }

        if (provider.RoleOf(person.FindAll(provider.RoleClaim).Select(claim => claim.Value)) is not { } role)
        {
            LogWithoutRole();
            Refuse(context, "role");
            return;
        }

        var (name, id) = (person.FindFirstValue(provider.NameClaim) ?? "", person.FindFirstValue(provider.PersonClaim) ?? "");
        var until = now + Session.Longest;
        if (await desk.Accounts.VouchAsync(name, id, role, until, context.HttpContext.RequestAborted) is not { } account)
        {
            LogNoName(provider.NameClaim, provider.PersonClaim);
            Refuse(context, "name");
            return;
        }

        context.Principal = Session.Of(account, until);
        LogSignedIn(account.Name);
    }

    public override Task RemoteFailure(Microsoft.AspNetCore.Authentication.RemoteFailureContext context)
    {
        // The kind alone: the text may be whatever a stranger put into the address.
        LogRefused(context.Failure?.GetBaseException().GetType().Name ?? "");
        context.Response.Redirect("/sign-in?problem=provider");
        context.HandleResponse();
        return Task.CompletedTask;
    }

    private static void Refuse(TokenValidatedContext context, string problem)
    {
        context.Response.Redirect("/sign-in?problem=" + problem);
        context.HandleResponse();
    }

    /// <summary>A provider that does not say when it asked for the password is believed to have asked now, as it was told to.</summary>
    private static bool IsTooOld(string? authenticatedAt, DateTimeOffset now) =>
        authenticatedAt is not null
        && (!long.TryParse(authenticatedAt, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds < (now - ProviderSignIn.OldestAuthentication - TimeSpan.FromMinutes(1)).ToUnixTimeSeconds());

    [LoggerMessage(610, LogLevel.Information, "{Account} signed in at the hospital's provider")]
    private partial void LogSignedIn(string account);

    [LoggerMessage(611, LogLevel.Warning, "A sign-in at the hospital's provider was refused: the person is in no group that has a role here")]
    private partial void LogWithoutRole();

    [LoggerMessage(612, LogLevel.Warning, "A sign-in at the hospital's provider was refused: {NameClaim} is missing, no name, or was another person's before, or {PersonClaim} is missing")]
    private partial void LogNoName(string nameClaim, string personClaim);

    [LoggerMessage(613, LogLevel.Warning, "A sign-in at the hospital's provider failed: {Kind}")]
    private partial void LogRefused(string kind);
}
