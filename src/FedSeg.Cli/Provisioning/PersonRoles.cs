using System.Text.Json;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Cli.Provisioning;

/// <summary>Reads a person's roles as the command line names them.</summary>
internal static class PersonRoles
{
    /// <summary>Every role, such as <c>data-scientist</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetValues<PersonRole>().Where(role => role != PersonRole.None).Select(NameOf)];

    /// <param name="role">In every study; <see langword="null"/> when not given.</param>
    /// <param name="studies">Each <c>STUDY=ROLE</c>.</param>
    /// <exception cref="BadInputException">Not a study, or not a role.</exception>
    public static (PersonRole Role, IReadOnlyList<StudyRole>? Studies) Read(string? role, IReadOnlyCollection<string> studies)
    {
        var everywhere = role is not null ? RoleOf(role) : studies.Count == 0 ? PersonRole.DataScientist : PersonRole.None;
        return (everywhere, studies.Count == 0 ? null : [.. studies.Select(InStudy)]);
    }

    private static StudyRole InStudy(string text)
    {
        var parts = text.Split('=');
        if (parts.Length != 2 || !StudyId.TryParse(parts[0], null, out var study)) throw new BadInputException($"--study '{text}' is not STUDY=ROLE, such as kidneys=auditor.");
        var role = RoleOf(parts[1]);
        return role == PersonRole.PlatformAdmin ? throw new BadInputException("A platform admin is one for every study: --role platform-admin.") : new StudyRole(study.ToString(), role);
    }

    private static PersonRole RoleOf(string name) =>
        Names.Contains(name) ? Enum.GetValues<PersonRole>().First(role => NameOf(role) == name) : throw new BadInputException($"'{name}' is not a role; there are: {string.Join(", ", Names)}.");

    private static string NameOf(PersonRole role) => JsonNamingPolicy.KebabCaseLower.ConvertName(role.ToString());
}
