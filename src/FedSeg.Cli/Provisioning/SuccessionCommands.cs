using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FedSeg.Cli.Programs;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Storage;

namespace FedSeg.Cli.Provisioning;

/// <summary>What ends and has to go on: the federation's authority, with a successor that people accept, and the coordinator's own certificate.</summary>
internal static class SuccessionCommands
{
    public static IEnumerable<Command> Create() => [Successor(), Accept(), RenewCoordinator()];

    private static Command Successor()
    {
        var authority = new Option<DirectoryInfo>("--authority") { Description = "The folder of the authority that ends.", Required = true };
        var output = new Option<DirectoryInfo>("--out") { Description = "A new folder, the successor's.", Required = true };
        var days = new Option<int>("--overlap-days") { Description = "Days that both count.", DefaultValueFactory = _ => 90 };
        return new Command("successor", "Make the authority that follows this one, and the announcement that members accept.") { authority, output, days }.Does((parsed, _) =>
        {
            var overlap = parsed.GetValue(days) is var number and >= 1 and <= 400 ? TimeSpan.FromDays(number) : throw new BadInputException("--overlap-days must be from 1 to 400.");
            var successor = FederationAuthority.Open(parsed.GetRequiredValue(authority).FullName, TimeProvider.System)
                .CreateSuccessor(parsed.GetRequiredValue(output).FullName, overlap);
            var path = Succession.PathBeside(successor.CertificatePath);
            using var certificate = KeyFiles.LoadAuthority(successor.CertificatePath);
            var (thumbprint, until) = (MutualTls.Thumbprint(certificate), Succession.Load(path).Until);
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { succession = path, thumbprint, until });
            else Console.WriteLine($"""
                Made the successor in {successor.CertificatePath}; both authorities count until {until:u}. Its thumbprint is {thumbprint}
                Send {path} to everybody who trusts the old authority, the coordinator first: there 'fedseg provision accept', with the thumbprint that you read to them.
                Then sign with the new folder only: renew-coordinator, issuing, site, user, charters. Revoke in the new folder; it has the register.
                """);
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static Command Accept()
    {
        var authority = new Option<FileInfo>("--authority") { Description = "The authority's certificate that the settings or the profile here name, PEM; it is replaced.", Required = true };
        var succession = new Option<FileInfo>("--succession") { Description = "The announcement, authority.succession.json.", Required = true };
        var thumbprint = new Option<string>("--thumbprint") { Description = "The successor's thumbprint, as its operator read it to you.", Required = true };
        return new Command("accept", "At a site, a person's desk or the coordinator: trust the authority that follows the one trusted here.") { authority, succession, thumbprint }
            .Does((parsed, _) =>
            {
                var trust = new FederationTrust(parsed.GetRequiredValue(authority).FullName, TimeProvider.System);
                var announced = Succession.Load(parsed.GetRequiredValue(succession).FullName);
                var given = EnrolmentCommands.ThumbprintOf("--thumbprint", parsed.GetRequiredValue(thumbprint));
                if (trust.Accept(announced, given) is { } problem) throw new BadInputException($"Nothing was changed: {problem}.");
                Console.WriteLine($"The authority {given} is trusted here from now on, the former one until {announced.Until:u}. Running programs notice by themselves.");
                return Task.FromResult(CommandLine.Done);
            });
    }

    private static Command RenewCoordinator()
    {
        var authority = new Option<DirectoryInfo>("--authority") { Description = "The authority's folder.", Required = true };
        var certificate = new Option<FileInfo?>("--certificate") { Description = "The coordinator's certificate, PEM; coordinator.pem in the authority's folder when not given." };
        var output = new Option<FileInfo?>("--out") { Description = "Where the new one goes; in the old one's place when not given." };
        return new Command("renew-coordinator", "Sign the coordinator's certificate again, for the key and the names it has; a running coordinator takes it up by itself.")
            {
                authority, certificate, output, ProvisionCommands.Days,
            }
            .Does((parsed, _) =>
            {
                var folder = parsed.GetRequiredValue(authority).FullName;
                var path = parsed.GetValue(certificate)?.FullName ?? Path.Combine(folder, "coordinator.pem");
                using var current = KeyFiles.LoadAuthority(path);
                var renewed = FederationAuthority.Open(folder, TimeProvider.System).RenewCoordinator(current, ProvisionCommands.Validity(parsed));
                var target = parsed.GetValue(output)?.FullName ?? path;
                DurableFile.Write(target, Encoding.ASCII.GetBytes(renewed));
                using var made = X509Certificate2.CreateFromPem(renewed);
                Console.WriteLine($"Wrote {target}, valid until {made.NotAfter.ToUniversalTime():u}. Copy it over the coordinator's; no restart is needed.");
                return Task.FromResult(CommandLine.Done);
            });
    }
}
