using System.Security.Claims;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Coordinator.People;

/// <summary>
/// The roles of whoever calls: each in one study, or in all of them. Written into the caller's identity when it is authenticated and read from there by the doors.
/// </summary>
internal static class PersonGrants
{
    private const string Claim = "fedseg:grant";

    /// <summary>The claim of a role in a study; in every study when none is named.</summary>
    public static Claim ClaimOf(PersonRole role, string? study) => new(Claim, study is null ? role.ToString() : $"{role}@{study}");

    /// <summary>Whether somebody has a right in at least one study.</summary>
    public static bool HasSomewhere(this ClaimsPrincipal person, RunRight right) => Of(person).Any(grant => RoleRights.Allows(grant.Role, right));

    /// <summary>Whether somebody has a right in a study. Runs of no study are for those whose role holds in every one.</summary>
    public static bool Has(this ClaimsPrincipal person, RunRight right, StudyId? study) =>
        Of(person).Any(grant => RoleRights.Allows(grant.Role, right) && (grant.Study is null || grant.Study == study?.ToString()));

    private static IEnumerable<(PersonRole Role, string? Study)> Of(ClaimsPrincipal person)
    {
        foreach (var claim in person.FindAll(Claim))
        {
            var at = claim.Value.IndexOf('@', StringComparison.Ordinal);
            if (Enum.TryParse<PersonRole>(at < 0 ? claim.Value : claim.Value[..at], out var role)) yield return (role, at < 0 ? null : claim.Value[(at + 1)..]);
        }
    }
}
