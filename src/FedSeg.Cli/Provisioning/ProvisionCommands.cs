using System.CommandLine;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Cli.Provisioning;

/// <summary><c>fedseg provision</c>: a federation authority, and members by certificate request so that private keys stay where they are used.</summary>
internal static class ProvisionCommands
{
    private static readonly Option<DirectoryInfo> Authority = new("--authority") { Description = "The authority's folder.", Required = true };
    private static readonly Option<DirectoryInfo[]> Authorities = new("--authority")
    {
        Description = "The authority's folder; once for each folder that may have signed for the member, such as an issuing authority and the one before it.",
        Required = true,
    };

    internal static readonly Option<int> Days = new("--days") { Description = "Days the certificate is valid.", DefaultValueFactory = _ => 90 };
    private static readonly Option<string?> SiteName = new("--site") { Description = "A hospital's name: a-z, 0-9, '-'." };
    private static readonly Option<string?> UserName = new("--user") { Description = "A person's name: a-z, 0-9, '-'." };

    private static readonly Option<string?> Person = new("--person") { Description = "Who the person is to the provider that gives tokens (its sub): with a token they are the same one." };

    public static Command Create()
    {
        var provision = new Command("provision", "Make and keep the federation's certificates.") { Init(), Request(), Site(), User(), Renew(), Revoke(), EnrolCommand.Create() };
        foreach (var command in EnrolmentCommands.Create().Concat(SuccessionCommands.Create())) provision.Subcommands.Add(command);
        return provision;
    }

    private static Command Init()
    {
        var name = new Option<string>("--name") { Description = "The federation's name.", DefaultValueFactory = _ => "fedseg" };
        var hosts = new Option<string[]>("--host") { Description = "A name or address that sites dial; may be repeated.", DefaultValueFactory = _ => ["localhost", "127.0.0.1"] };
        return new Command("init", "Make a federation authority and the coordinator's certificate.") { Authority, name, hosts, Days }.Does((parsed, _) =>
        {
            var directory = parsed.GetRequiredValue(Authority).FullName;
            // Checked first: an authority without a coordinator's certificate could not be finished by a second init.
            var validity = Validity(parsed);
            var authority = FederationAuthority.Create(directory, parsed.GetRequiredValue(name), TimeProvider.System);
            var request = KeyFiles.CreateRequest(Path.Combine(directory, "coordinator.key"), "coordinator");
            File.WriteAllText(Path.Combine(directory, "coordinator.pem"), authority.SignCoordinator(request, parsed.GetRequiredValue(hosts), validity));
            var settings = Path.Combine(directory, "coordinator.json");
            File.WriteAllText(settings, KitFiles.CoordinatorSettings("0.0.0.0:7443", "coordinator-data"));
            Console.WriteLine($"Made the authority in {directory}. Keep authority.key off the coordinator; it only needs coordinator.pem, coordinator.key, authority.pem, register.json and coordinator.json.");
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static Command Request()
    {
        var coordinator = new Option<string>("--coordinator") { Description = "The coordinator's address, such as https://coordinator.example.org:7443.", Required = true };
        var output = new Option<DirectoryInfo>("--out") { Description = "A new folder for key, request and settings.", Required = true };
        var cohort = new Option<string>("--cohort") { Description = "Folder with one sub-folder per case (sites).", DefaultValueFactory = _ => "cohort" };
        var labels = new Option<string[]>("--label") { Description = "A label this site has; may be repeated (sites)." };
        return new Command("request", "At a site or a person's desk: make a private key, a certificate request and settings.") { SiteName, UserName, coordinator, output, cohort, labels }.Does((parsed, _) =>
        {
            var (kind, name) = Member(parsed);
            var kit = new KitFiles(Directory.CreateDirectory(parsed.GetRequiredValue(output).FullName).FullName, name);
            kit.WriteRequest();
            if (kind == MemberKind.Site) kit.WriteSiteSettings(parsed.GetRequiredValue(coordinator), parsed.GetRequiredValue(cohort), parsed.GetValue(labels) ?? []);
            else kit.WriteProfile(parsed.GetRequiredValue(coordinator));
            Console.WriteLine($"Send {kit.RequestPath} to the federation's authority; put the {name}.pem and authority.pem that come back beside it. {name}.key stays here.");
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static Command Site() => Sign("site", "Sign a hospital's certificate request.", MemberKind.Site, SiteName, _ => (PersonRole.None, null));

    private static Command User()
    {
        var role = new Option<string?>("--role") { Description = $"Role in every study: {string.Join(", ", PersonRoles.Names)}. Not given, and no --study: data-scientist." };
        var studies = new Option<string[]>("--study") { Description = "STUDY=ROLE: a role in one study; may be repeated." };
        return Sign("user", "Sign a person's certificate request.", MemberKind.Person, UserName, parsed => PersonRoles.Read(parsed.GetValue(role), parsed.GetValue(studies) ?? []), role, studies, Person);
    }

    private static Command Sign(
        string verb, string description, MemberKind kind, Option<string?> nameOption, Func<ParseResult, (PersonRole Role, IReadOnlyList<StudyRole>? Studies)> roles, params Option[] more)
    {
        var request = new Option<FileInfo>("--request") { Description = "The certificate request, PEM.", Required = true };
        var output = new Option<DirectoryInfo?>("--out") { Description = "Where the certificate goes; beside the request when not given." };
        var command = new Command(verb, description) { Authority, nameOption, request, output, Days };
        foreach (var option in more) command.Options.Add(option);
        return command.Does((parsed, _) =>
        {
            var file = parsed.GetRequiredValue(request);
            var name = CheckName(parsed.GetValue(nameOption) ?? Path.GetFileNameWithoutExtension(file.Name));
            var (role, studies) = roles(parsed);
            var directory = parsed.GetValue(output)?.FullName ?? file.DirectoryName!;
            SignInto(parsed, kind, name, role, studies, kind == MemberKind.Person ? parsed.GetValue(Person) : null, file.FullName, directory);
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static Command Renew()
    {
        var request = new Option<FileInfo>("--request") { Description = "The member's certificate request, PEM; the first one may be used again.", Required = true };
        return new Command("renew", "Sign a member's request again; the old certificate stays valid until it ends.") { Authority, SiteName, UserName, request, Days }.Does((parsed, _) =>
        {
            var (kind, name) = Member(parsed);
            var known = FederationRegister.Load(OpenAuthority(parsed).RegisterPath).Members.LastOrDefault(entry => entry.Kind == kind && entry.Name == name && !entry.Revoked)
                ?? throw new BadInputException($"'{name}' has no certificate to renew; sign one with 'fedseg provision {(kind == MemberKind.Site ? "site" : "user")}'.");
            var file = parsed.GetRequiredValue(request);
            SignInto(parsed, kind, name, known.Role, known.Studies, known.Person, file.FullName, file.DirectoryName!);
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static Command Revoke() => new Command("revoke", "Call back every certificate of a member.") { Authorities, SiteName, UserName }.Does((parsed, _) =>
    {
        var (kind, name) = Member(parsed);
        var signers = parsed.GetRequiredValue(Authorities)
            .Select(folder => FederationAuthority.Open(folder.FullName, TimeProvider.System))
            .Where(authority => FederationRegister.Load(authority.RegisterPath).Members.Any(entry => entry.Kind == kind && entry.Name == name && !entry.Revoked))
            .ToList();
        if (signers.Count == 0)
        {
            var folders = string.Join(", ", parsed.GetRequiredValue(Authorities).Select(folder => folder.FullName));
            throw new BadInputException($"'{name}' has no valid certificate in the register of {folders}.");
        }

        foreach (var authority in signers)
        {
            authority.Revoke(kind, name);
            Console.WriteLine($"Revoked {name}: effective at once where the coordinator reads this folder. Otherwise copy {authority.RegisterPath} to the coordinator, which reads it again by itself.");
        }

        return Task.FromResult(CommandLine.Done);
    });

    private static void SignInto(
        ParseResult parsed, MemberKind kind, string name, PersonRole role, IReadOnlyList<StudyRole>? studies, string? person, string requestPath, string directory)
    {
        var authority = OpenAuthority(parsed);
        var certificate = authority.SignMember(File.ReadAllText(requestPath), kind, name, role, Validity(parsed), studies, person);
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, name + ".pem"), certificate);
        var trusted = Path.Combine(directory, FederationAuthority.CertificateFile);
        File.Copy(authority.RootPath, trusted, overwrite: true);
        // A member that has not met the coordinator since goes on to believe what its former authority signed.
        var succession = Succession.PathBeside(authority.RootPath);
        if (File.Exists(succession)) File.Copy(succession, Succession.PathBeside(trusted), overwrite: true);
        Console.WriteLine($"Signed {name} for {parsed.GetValue(Days)} days: {Path.Combine(directory, name + ".pem")}. Copy {authority.RegisterPath} to the coordinator, which reads it again by itself.");
    }

    private static FederationAuthority OpenAuthority(ParseResult parsed) => FederationAuthority.Open(parsed.GetRequiredValue(Authority).FullName, TimeProvider.System);

    internal static TimeSpan Validity(ParseResult parsed) => parsed.GetValue(Days) is var days and >= 1 and <= 3650 ? TimeSpan.FromDays(days) : throw new BadInputException("--days must be from 1 to 3650.");

    private static (MemberKind Kind, string Name) Member(ParseResult parsed) => (parsed.GetValue(SiteName), parsed.GetValue(UserName)) switch
    {
        ({ } site, null) => (MemberKind.Site, CheckName(site)),
        (null, { } user) => (MemberKind.Person, CheckName(user)),
        _ => throw new BadInputException("Name either --site NAME or --user NAME."),
    };

    /// <summary>A member's name as the command line gave it.</summary>
    public static string CheckName(string name) =>
        SiteId.TryParse(name, null, out _) ? name : throw new BadInputException($"'{name}' is not a member's name: use 1 to 32 of a-z, 0-9 and '-'.");
}
