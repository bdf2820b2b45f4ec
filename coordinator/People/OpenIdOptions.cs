using System.Net;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.People;

/// <summary>How people sign in with a token of an OpenID Connect provider instead of a certificate, section <c>Coordinator:OpenId</c>; off unless it names a provider.</summary>
internal sealed class OpenIdOptions
{
    /// <summary>The provider's issuer, such as <c>https://login.example.org/realms/research</c>. Its discovery document says whose word counts and with which keys.</summary>
    public string Authority { get; set; } = "";

    /// <summary>Whom a token must be made for: what the provider calls this coordinator.</summary>
    public string Audience { get; set; } = "";

    /// <summary>Address and port for people with a token, such as <c>0.0.0.0:7445</c>. A door of its own: at the members' door a token is not looked at.</summary>
    public string Listen { get; set; } = "";

    /// <summary>The claim that names a person in journal and ledger, as <c>oidc:NAME</c>.</summary>
    public string NameClaim { get; set; } = "preferred_username";

    /// <summary>The claim that tells a person from all others for good, and that <c>fedseg provision user --person</c> names.</summary>
    public string PersonClaim { get; set; } = "sub";

    /// <summary>The claim with a person's groups or roles.</summary>
    public string RoleClaim { get; set; } = "groups";

    /// <summary>What the groups may. Who is in none of them is not let in.</summary>
    public GroupGrant[] Grants { get; set; } = [];

    internal bool IsOn => Authority.Length > 0;

    internal IEnumerable<string> Problems()
    {
        if (!IsOn)
        {
            if (Listen.Length > 0 || Grants.Length > 0) yield return "Coordinator:OpenId:Authority is missing; give the provider's issuer, an https address.";
            yield break;
        }

        if (!Uri.TryCreate(Authority, UriKind.Absolute, out var issuer) || !(issuer.Scheme == Uri.UriSchemeHttps || IsOnThisMachine(issuer)))
        {
            yield return $"Coordinator:OpenId:Authority is '{Authority}'; give the provider's issuer, an https address.";
        }

        if (Audience.Length == 0) yield return "Coordinator:OpenId:Audience is missing; a token made for somebody else must not open this door.";
        if (!IPEndPoint.TryParse(Listen, out _)) yield return $"Coordinator:OpenId:Listen is '{Listen}'; give an address and port, such as 0.0.0.0:7445.";
        if (NameClaim.Length == 0 || PersonClaim.Length == 0 || RoleClaim.Length == 0) yield return "Coordinator:OpenId:NameClaim, PersonClaim and RoleClaim can't be empty.";
        if (Grants.Length == 0) yield return "Coordinator:OpenId:Grants gives nobody a role; name groups, such as { \"Group\": \"fedseg-science\", \"Role\": \"DataScientist\", \"Study\": \"kidneys\" }.";
        for (var i = 0; i < Grants.Length; i++)
        {
            if (Grants[i].Problem is { } problem) yield return $"Coordinator:OpenId:Grants:{i}: {problem}";
        }
    }

    /// <summary>Without TLS only where nobody can listen.</summary>
    internal static bool IsOnThisMachine(Uri address) => address.Scheme == Uri.UriSchemeHttp && address.IsLoopback;
}

/// <summary>A role that everybody in a group of the provider's has.</summary>
internal sealed class GroupGrant
{
    /// <summary>A value of the role claim.</summary>
    public string Group { get; set; } = "";

    /// <summary>What its people are.</summary>
    public PersonRole Role { get; set; }

    /// <summary>In which study; empty for every one.</summary>
    public string Study { get; set; } = "";

    internal string? Problem =>
        string.IsNullOrWhiteSpace(Group) ? "a group without a name."
        : Role == PersonRole.None || !Enum.IsDefined(Role) ? $"group '{Group}' has no role."
        : Study.Length > 0 && !StudyId.TryParse(Study, null, out _) ? $"'{Study}' is not a study's name."
        : Study.Length > 0 && Role == PersonRole.PlatformAdmin ? "a platform admin is one for every study; leave Study empty."
        : null;
}

/// <summary>The checks that attributes can't say.</summary>
internal sealed class OpenIdValidator : IValidateOptions<CoordinatorOptions>
{
    public ValidateOptionsResult Validate(string? name, CoordinatorOptions options)
    {
        var problems = options.OpenId.Problems().ToList();
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
