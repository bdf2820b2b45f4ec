using System.Security.Claims;
using System.Text.Encodings.Web;
using FedSeg.Coordinator.People;
using FedSeg.Coordinator.Sites;
using FedSeg.Hosting.Certificates;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Grpc;

/// <summary>
/// Tells who calls from the client certificate: TLS has checked that the authority signed it, the register says whom it stands for. At the door for people with a token the
/// token tells it (<see cref="TokenSignIn"/>); a token that somebody with a certificate shows is not looked at.
/// </summary>
internal sealed class MemberAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, MemberRegister register, MemberTrust trust, TimeProvider time)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "FedSegMember";
    public const string SitePolicy = "Site";
    public const string KindClaim = "fedseg:kind";
    private const string AnyScheme = "FedSeg";

    /// <summary>
    /// Adds the scheme and the policies: one for sites, and one for each right of a person, which asks for it in any study; in which, the door asks. What names no policy
    /// is refused.
    /// </summary>
    public static void Add(IServiceCollection services)
    {
        services.AddAuthentication(AnyScheme)
            .AddPolicyScheme(AnyScheme, null, any => any.ForwardDefaultSelector = call => TokenSignIn.MayTake(call) ? TokenSignIn.Scheme : SchemeName)
            .AddScheme<AuthenticationSchemeOptions, MemberAuthentication>(SchemeName, null)
            .AddJwtBearer(TokenSignIn.Scheme);
        // After the library's own, which would read settings of another section.
        services.AddSingleton<TokenPeople>().AddTransient<TokenEvents>().AddSingleton<IConfigureOptions<JwtBearerOptions>, TokenSignIn>();
        var policies = services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAssertion(_ => false).Build())
            .AddPolicy(SitePolicy, policy => policy.RequireClaim(KindClaim, nameof(MemberKind.Site)));
        foreach (var right in Enum.GetValues<RunRight>())
        {
            policies.AddPolicy(
                right.ToString(), policy => policy.RequireClaim(KindClaim, nameof(MemberKind.Person)).RequireAssertion(call => call.User.HasSomewhere(right)));
        }
    }

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Context.Connection.ClientCertificate is not { } certificate) return Task.FromResult(AuthenticateResult.NoResult());
        if (register.Current.Find(MutualTls.Thumbprint(certificate)) is not { } member || time.GetUtcNow() > member.NotAfter || !trust.IsTrusted(certificate))
        {
            // Also on a connection that was made while the certificate was good.
            return Task.FromResult(AuthenticateResult.Fail("The certificate is not in the federation's register, was revoked, or has ended, or the authority that signed it has."));
        }

        var grants = member.Kind == MemberKind.Person
            ? (member.Studies ?? []).Select(grant => PersonGrants.ClaimOf(grant.Role, grant.Study)).Append(PersonGrants.ClaimOf(member.Role, study: null))
            : [];
        var identity = new ClaimsIdentity(
            [new Claim(ClaimTypes.Name, member.Name), new Claim(KindClaim, member.Kind.ToString()), .. grants], SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName)));
    }
}
