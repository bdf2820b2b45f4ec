using FedSeg.Egress.Review.People;

namespace FedSeg.Desk.SignIn;

/// <summary>The hospital's own sign-in, any provider of OpenID Connect: section <c>Desk:OpenId</c>. Whether it asks for a second factor is the provider's business.</summary>
internal sealed class OpenIdOptions
{
    /// <summary>The provider's issuer, such as <c>https://login.hospital.example/realms/staff</c>; empty: people have accounts of this site only.</summary>
    public string Authority { get; set; } = "";

    /// <summary>By which the provider knows this page. Its redirect address there ends in <c>/sign-in/callback</c>.</summary>
    public string ClientId { get; set; } = "";

    /// <summary>File with the secret the provider gave it; empty for a public client, which has none.</summary>
    public string ClientSecretFile { get; set; } = "";

    /// <summary>Further scopes to ask for, besides <c>openid</c> and <c>profile</c>.</summary>
    public string[] Scopes { get; set; } = [];

    /// <summary>The claim that names a person in the ledger.</summary>
    public string NameClaim { get; set; } = "preferred_username";

    /// <summary>The claim that tells a person from all others for good, and that a local account of the same person names.</summary>
    public string PersonClaim { get; set; } = "sub";

    /// <summary>The claim with a person's groups or roles.</summary>
    public string RoleClaim { get; set; } = "groups";

    /// <summary>Which of its values give which role here. Who has none of them is not let in; of several roles the one that may most counts.</summary>
    public Dictionary<DeskRole, string[]> Roles { get; set; } = [];

    internal bool IsOn => Authority.Length > 0;

    /// <summary>The role of somebody in these groups; <see langword="null"/> when they have none here.</summary>
    internal DeskRole? RoleOf(IEnumerable<string> groups)
    {
        var given = Roles.Where(role => role.Value.Intersect(groups, StringComparer.Ordinal).Any()).Select(role => role.Key).ToList();
        return given.Count == 0 ? null : given.Max();
    }

    internal IEnumerable<string> Problems()
    {
        if (!IsOn) yield break;
        if (!Uri.TryCreate(Authority, UriKind.Absolute, out var issuer) || !(issuer.Scheme == Uri.UriSchemeHttps || IsOnThisMachine(issuer)))
        {
            yield return $"Desk:OpenId:Authority is '{Authority}'; give the provider's issuer, an https address.";
        }

        if (ClientId.Length == 0) yield return "Desk:OpenId:ClientId is missing; the provider gives one to each page it signs people in for.";
        if (NameClaim.Length == 0 || PersonClaim.Length == 0 || RoleClaim.Length == 0) yield return "Desk:OpenId:NameClaim, PersonClaim and RoleClaim can't be empty.";
        if (Roles.Values.All(groups => groups.Length == 0)) yield return "Desk:OpenId:Roles gives nobody a role; name the groups of each, such as \"PrivacyOfficer\": [\"fedseg-privacy\"].";
        if (Roles.Values.Any(groups => groups.Any(string.IsNullOrWhiteSpace))) yield return "Desk:OpenId:Roles names a group without a name.";
    }

    /// <summary>Without TLS only where nobody can listen.</summary>
    internal static bool IsOnThisMachine(Uri address) => address.Scheme == Uri.UriSchemeHttp && address.IsLoopback;
}
