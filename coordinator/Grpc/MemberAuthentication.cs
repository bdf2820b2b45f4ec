using System.Security.Claims;
using System.Text.Encodings.Web;
using FedSeg.Coordinator.Sites;
using FedSeg.Hosting.Certificates;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Grpc;

/// <summary>Tells who calls from the client certificate: TLS has checked that the authority signed it, the register says whom it stands for.</summary>
internal sealed class MemberAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, MemberRegister register)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "FedSegMember";
    public const string SitePolicy = "Site", ReaderPolicy = "Reader", DataScientistPolicy = "DataScientist";
    private const string KindClaim = "fedseg:kind";

    /// <summary>Adds the scheme and the policies; what names no policy is refused.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddAuthentication(SchemeName).AddScheme<AuthenticationSchemeOptions, MemberAuthentication>(SchemeName, null);
        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new Microsoft.AspNetCore.Authorization.AuthorizationPolicyBuilder().RequireAssertion(_ => false).Build())
            .AddPolicy(SitePolicy, policy => policy.RequireClaim(KindClaim, nameof(MemberKind.Site)))
            .AddPolicy(ReaderPolicy, policy => policy.RequireClaim(KindClaim, nameof(MemberKind.Person)).RequireRole(nameof(PersonRole.Auditor), nameof(PersonRole.DataScientist)))
            .AddPolicy(DataScientistPolicy, policy => policy.RequireClaim(KindClaim, nameof(MemberKind.Person)).RequireRole(nameof(PersonRole.DataScientist)));
    }

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Context.Connection.ClientCertificate is not { } certificate) return Task.FromResult(AuthenticateResult.NoResult());
        if (register.Current.Find(MutualTls.Thumbprint(certificate)) is not { } member)
        {
            return Task.FromResult(AuthenticateResult.Fail("The certificate is not in the federation's register, or was revoked."));
        }

        var identity = new ClaimsIdentity(
            [
                new Claim(ClaimTypes.Name, member.Name),
                new Claim(KindClaim, member.Kind.ToString()),
                new Claim(ClaimTypes.Role, member.Role.ToString()),
            ],
            SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName)));
    }
}
