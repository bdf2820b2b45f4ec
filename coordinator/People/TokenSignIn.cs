using System.Globalization;
using System.Security.Claims;
using FedSeg.Coordinator.Grpc;
using FedSeg.Coordinator.Sites;
using FedSeg.Hosting.Certificates;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace FedSeg.Coordinator.People;

/// <summary>
/// Lets people in with a token of the provider (RFC 6750, RFC 9068; OpenID Connect Discovery 1.0 for issuer and keys). Signature, issuer, audience and time are the library's
/// work; who somebody is here, and what they may, is decided in <see cref="TokenEvents"/>. Only at the door that is there for it.
/// </summary>
internal sealed class TokenSignIn(IOptions<CoordinatorOptions> settings) : IConfigureNamedOptions<JwtBearerOptions>
{
    public const string Scheme = "FedSegToken";

    /// <summary>Marks connections at the door for tokens.</summary>
    private static readonly object Door = new();

    /// <summary>Notes that a connection came through the door for tokens.</summary>
    public static void Mark(IDictionary<object, object?> connection) => connection[Door] = Door;

    /// <summary>Whether a call may show a token: it came through that door, where nobody has a certificate.</summary>
    public static bool MayTake(HttpContext call) => call.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(Door) == true;

    public void Configure(JwtBearerOptions options) => Configure(Scheme, options);

    public void Configure(string? name, JwtBearerOptions options)
    {
        var provider = settings.Value.OpenId;
        options.Authority = provider.Authority;
        options.RequireHttpsMetadata = !OpenIdOptions.IsOnThisMachine(new Uri(provider.Authority));
        options.BackchannelHttpHandler = new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(10) };
        options.BackchannelTimeout = TimeSpan.FromSeconds(30);
        options.MapInboundClaims = false;
        options.IncludeErrorDetails = false;
        options.SaveToken = false;
        // New ones, so that nothing but this and the discovery document says what counts.
        options.TokenValidationParameters = new TokenValidationParameters
        {
            ValidAudience = provider.Audience,
            ValidAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"],
            // Neither a logout token nor anything else that the provider signs for another purpose.
            ValidTypes = ["JWT", "at+jwt", "application/at+jwt"],
            ClockSkew = TimeSpan.FromSeconds(30),
        };
        options.EventsType = typeof(TokenEvents);
    }
}

/// <summary>What a valid token comes to: a person with roles and an end, or nothing.</summary>
internal sealed partial class TokenEvents(TokenPeople people, ILogger<TokenEvents> logger) : JwtBearerEvents
{
    public override Task TokenValidated(TokenValidatedContext context)
    {
        if (people.Judge(context.Principal!, context.SecurityToken.ValidTo) is not { } person)
        {
            LogRefused();
            context.Fail("The token's person has no role here, has no name, or was revoked.");
            return Task.CompletedTask;
        }

        context.Principal = person;
        return Task.CompletedTask;
    }

    public override Task AuthenticationFailed(AuthenticationFailedContext context)
    {
        // The kind alone: the text may be whatever a stranger put into the token.
        LogInvalid(context.Exception.GetType().Name);
        return Task.CompletedTask;
    }

    [LoggerMessage(240, LogLevel.Warning, "Refused a person with a token: they are in no group that has a role here, have no name, or were revoked")]
    private partial void LogRefused();

    [LoggerMessage(241, LogLevel.Warning, "Refused a token: {Kind}")]
    private partial void LogInvalid(string kind);
}

/// <summary>
/// Who the person of a token is here. Somebody whom the register knows, with a certificate and <c>--person</c>, is the same one with a token: of the same name, and revoked
/// when they are.
/// </summary>
internal sealed class TokenPeople(IOptions<CoordinatorOptions> settings, MemberRegister register)
{
    private const string PersonClaim = "fedseg:person", EndsClaim = "fedseg:ends";
    private const int LongestName = 64;

    /// <summary>The caller that a valid token makes.</summary>
    /// <param name="token">The token's claims.</param>
    /// <param name="ends">When it ends, UTC.</param>
    /// <returns><see langword="null"/> when it makes none.</returns>
    public ClaimsPrincipal? Judge(ClaimsPrincipal token, DateTime ends)
    {
        var provider = settings.Value.OpenId;
        var person = token.FindFirstValue(provider.PersonClaim) ?? "";
        if (person.Length == 0 || NameOf(person, token.FindFirstValue(provider.NameClaim) ?? "") is not { } name) return null;
        var groups = token.FindAll(provider.RoleClaim).Select(claim => claim.Value).ToHashSet(StringComparer.Ordinal);
        var grants = provider.Grants.Where(grant => groups.Contains(grant.Group)).ToList();
        if (grants.Count == 0) return null;
        return new ClaimsPrincipal(new ClaimsIdentity(
            [
                new Claim(ClaimTypes.Name, name),
                new Claim(MemberAuthentication.KindClaim, nameof(MemberKind.Person)),
                new Claim(PersonClaim, person),
                new Claim(EndsClaim, new DateTimeOffset(ends, TimeSpan.Zero).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)),
                .. grants.Select(grant => PersonGrants.ClaimOf(grant.Role, grant.Study.Length == 0 ? null : grant.Study)),
            ],
            TokenSignIn.Scheme));
    }

    /// <summary>Whether a caller with a token would be let in still: the token has not ended, and nobody revoked its person.</summary>
    public bool IsGood(ClaimsPrincipal caller, DateTimeOffset now) =>
        long.TryParse(caller.FindFirstValue(EndsClaim), CultureInfo.InvariantCulture, out var ends)
        && now.ToUnixTimeSeconds() <= ends
        && NameOf(caller.FindFirstValue(PersonClaim)!, "known") is not null;

    /// <summary>Whether a caller came with a token.</summary>
    public static bool HasToken(ClaimsPrincipal caller) => caller.HasClaim(claim => claim.Type == EndsClaim);

    /// <summary>The register's name of a person if it knows them, else the provider's; <see langword="null"/> for somebody who has none or is revoked.</summary>
    private string? NameOf(string person, string providersName)
    {
        var known = register.Current.Members.Where(member => member.Kind == MemberKind.Person && member.Person == person).ToList();
        if (known.Count > 0)
        {
            var names = known.Where(member => !member.Revoked).Select(member => member.Name).Distinct().ToList();
            return names.Count == 1 ? names[0] : null;
        }

        return providersName.Length is > 0 and <= LongestName && providersName.All(letter => letter is > ' ' and <= '~') ? $"oidc:{providersName}" : null;
    }
}
