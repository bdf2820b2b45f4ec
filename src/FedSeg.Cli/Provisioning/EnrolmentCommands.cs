using System.CommandLine;
using FedSeg.Cli.Programs;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Enrolment;

namespace FedSeg.Cli.Provisioning;

/// <summary>The operator's side of enrolment by token: an issuing authority at the coordinator, tokens, and the word that lets a key in.</summary>
internal static class EnrolmentCommands
{
    private static readonly Option<string> SiteName = new("--site") { Description = "A hospital's name: a-z, 0-9, '-'.", Required = true };
    private static readonly Option<DirectoryInfo> Folder = new("--authority") { Description = "The issuing authority's folder.", Required = true };

    public static IEnumerable<Command> Create() => [Issuing(), Token(), Waiting(), Confirm()];

    private static Command Issuing()
    {
        var authority = new Option<DirectoryInfo>("--authority") { Description = "The federation authority's folder.", Required = true };
        var output = new Option<DirectoryInfo>("--out") { Description = "A new folder, for the coordinator's machine.", Required = true };
        var days = new Option<int>("--days") { Description = "Days the issuing authority is valid.", DefaultValueFactory = _ => 365 };
        return new Command("issuing", "Make an issuing authority, which signs sites' certificates at the coordinator while the authority's key stays off line.") { authority, output, days }
            .Does((parsed, _) =>
            {
                var directory = parsed.GetRequiredValue(output).FullName;
                var valid = parsed.GetValue(days) is var number and >= 1 and <= 3650 ? TimeSpan.FromDays(number) : throw new BadInputException("--days must be from 1 to 3650.");
                FederationAuthority.Open(parsed.GetRequiredValue(authority).FullName, TimeProvider.System).CreateIssuing(directory, valid);
                Console.WriteLine($"Made the issuing authority in {directory}. Name it in the coordinator's settings: \"Enrolment\": {{ \"Issuing\": \"{directory}\", \"Listen\": \"0.0.0.0:7444\" }}.");
                return Task.FromResult(CommandLine.Done);
            });
    }

    private static Command Token()
    {
        var key = new Option<string?>("--key") { Description = "Thumbprint of the site's key, when it is known: the token is good for no other." };
        return new Command("token", "Make a single-use token with which one site can ask for a certificate, valid 15 minutes.") { Folder, SiteName, key }.Does((parsed, _) =>
        {
            var site = ProvisionCommands.CheckName(parsed.GetRequiredValue(SiteName));
            var bound = parsed.GetValue(key) is { } text ? ThumbprintOf("--key", text) : null;
            var authority = Open(parsed);
            using var root = KeyFiles.LoadAuthority(authority.RootPath);
            Console.WriteLine(new EnrolmentToken(Book(parsed).MakeToken(site, bound), MutualTls.Thumbprint(root)));
            Console.Error.WriteLine($"Good for {site}, once, for {EnrolmentBook.TokenLife.TotalMinutes} minutes. At the site: fedseg provision enrol --site {site} --token TOKEN …");
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static Command Waiting() => new Command("waiting", "List the sites that ask for a certificate, with the thumbprints of their keys.") { Folder }.Does((parsed, _) =>
    {
        foreach (var ticket in Book(parsed).Waiting) Console.WriteLine($"{ticket.Site}  {ticket.Key}  since {ticket.PresentedAt:u}");
        return Task.FromResult(CommandLine.Done);
    });

    private static Command Confirm()
    {
        var key = new Option<string>("--key") { Description = "The thumbprint that the site shows, as its operator read it to you.", Required = true };
        var hours = new Option<int>("--hours") { Description = "Hours the certificate is valid.", DefaultValueFactory = _ => 720 };
        return new Command("confirm", "Give a waiting site its certificate, after the thumbprints were compared.") { Folder, SiteName, key, hours }.Does((parsed, _) =>
        {
            var site = ProvisionCommands.CheckName(parsed.GetRequiredValue(SiteName));
            var valid = parsed.GetValue(hours) is var number and >= 1 and <= 24 * 90 ? TimeSpan.FromHours(number) : throw new BadInputException("--hours must be from 1 to 2160.");
            if (!Book(parsed).Confirm(Open(parsed), site, ThumbprintOf("--key", parsed.GetRequiredValue(key)), valid))
            {
                throw new BadInputException($"No request of '{site}' with that key waits. If the site shows another key than 'fedseg provision waiting', somebody else used its token: make a new one.");
            }

            Console.WriteLine($"Confirmed {site}: it gets its certificate now.");
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static FederationAuthority Open(ParseResult parsed) => FederationAuthority.Open(parsed.GetRequiredValue(Folder).FullName, TimeProvider.System);

    private static EnrolmentBook Book(ParseResult parsed) => new(parsed.GetRequiredValue(Folder).FullName, TimeProvider.System);

    /// <summary>A thumbprint as people write it: in groups, with colons, in capitals.</summary>
    public static string ThumbprintOf(string option, string text)
    {
        var digits = string.Concat(text.Where(char.IsAsciiHexDigit)).ToLowerInvariant();
        return digits.Length == 64 && text.All(letter => char.IsAsciiHexDigit(letter) || letter is ' ' or ':' or '-')
            ? digits
            : throw new BadInputException($"{option} is not a thumbprint of 64 hexadecimal digits.");
    }
}
