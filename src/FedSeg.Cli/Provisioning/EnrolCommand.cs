using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Cli.Programs;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace FedSeg.Cli.Provisioning;

/// <summary><c>fedseg provision enrol</c>: at a site, a key, a request sent with a token, and a certificate when a person at the coordinator has confirmed the key.</summary>
internal static class EnrolCommand
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);

    public static Command Create()
    {
        var site = new Option<string>("--site") { Description = "The hospital's name: a-z, 0-9, '-'.", Required = true };
        var enrolment = new Option<string>("--enrolment") { Description = "Where the coordinator takes enrolments, such as https://coordinator.example.org:7444.", Required = true };
        var coordinator = new Option<string>("--coordinator") { Description = "The coordinator's address, such as https://coordinator.example.org:7443.", Required = true };
        var token = new Option<string>("--token") { Description = "What 'fedseg provision token' printed.", Required = true };
        var output = new Option<DirectoryInfo>("--out") { Description = "Folder for key, certificate and settings; one that waits goes on there.", Required = true };
        var cohort = new Option<string>("--cohort") { Description = "Folder with one sub-folder per case.", DefaultValueFactory = _ => "cohort" };
        var labels = new Option<string[]>("--label") { Description = "A label this site has; may be repeated." };
        return new Command("enrol", "At a site: make a private key and get a certificate for it with a token.") { site, enrolment, coordinator, token, output, cohort, labels }.Does(async (parsed, cancellationToken) =>
        {
            var name = ProvisionCommands.CheckName(parsed.GetRequiredValue(site));
            var given = EnrolmentToken.Parse(parsed.GetRequiredValue(token));
            var address = AddressOf(parsed.GetRequiredValue(enrolment));
            var directory = parsed.GetRequiredValue(output).FullName;
            var kit = new KitFiles(directory, name);
            if (File.Exists(kit.CertificatePath)) throw new BadInputException($"'{kit.CertificatePath}' is there already: this site is enrolled.");
            using var authority = await FetchAuthorityAsync(address, given.Authority, cancellationToken);

            Directory.CreateDirectory(directory);
            kit.WriteRequestAgain();
            var request = await File.ReadAllTextAsync(kit.RequestPath, cancellationToken);
            var key = KeyFiles.Thumbprint(KeyFiles.ReadRequest(request).PublicKey);
            Console.WriteLine($"This site's key is {key}");
            Console.WriteLine("Read it to the coordinator's operator, who compares it and confirms; this command waits for that.");
            var certificate = await WaitAsync(address, authority, new EnrolRequest { Site = name, Token = given.Secret, CertificateRequest = request }, cancellationToken);

            await File.WriteAllTextAsync(kit.AuthorityPath, authority.ExportCertificatePem(), cancellationToken);
            kit.WriteSiteSettings(parsed.GetRequiredValue(coordinator), parsed.GetRequiredValue(cohort), parsed.GetValue(labels) ?? []);
            // Last: it says that this site is enrolled.
            await File.WriteAllTextAsync(kit.CertificatePath, certificate, cancellationToken);
            Console.WriteLine($"Enrolled: {kit.CertificatePath}. {name}.key stays here. Start the agent with {kit.SettingsPath}.");
            return CommandLine.Done;
        });
    }

    /// <summary>The authority's certificate, believed by its thumbprint and not by who sent it.</summary>
    private static async Task<X509Certificate2> FetchAuthorityAsync(Uri address, string thumbprint, CancellationToken cancellationToken)
    {
        using var channel = Dial(address, authority: null);
        var reply = await new Enrolment.EnrolmentClient(channel).GetAuthorityAsync(new AuthorityQuery(), cancellationToken: cancellationToken);
        // Two, while one authority follows another.
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(reply.Certificate);
        return authorities.FirstOrDefault(authority => MutualTls.Thumbprint(authority) == thumbprint)
            ?? throw new InvalidDataException($"{address} belongs to another authority than the token names. Nothing was sent to it; ask the operator for address and token again.");
    }

    private static async Task<string> WaitAsync(Uri address, X509Certificate2 authority, EnrolRequest request, CancellationToken cancellationToken)
    {
        using var channel = Dial(address, authority);
        var client = new Enrolment.EnrolmentClient(channel);
        while (true)
        {
            var reply = await client.EnrolAsync(request, cancellationToken: cancellationToken);
            switch (reply.OutcomeCase)
            {
                case EnrolReply.OutcomeOneofCase.Certificate:
                    return reply.Certificate;
                case EnrolReply.OutcomeOneofCase.Refusal:
                    throw new BadInputException($"The coordinator refused the token: {reply.Refusal}. Ask its operator for a new one; each is good for one site, once, for 15 minutes.");
            }

            await Task.Delay(Poll, TimeProvider.System, cancellationToken);
        }
    }

    private static GrpcChannel Dial(Uri address, X509Certificate2? authority) =>
        GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = MutualTls.CreateNewcomersHandler(authority), DisposeHttpClient = true, CompressionProviders = [] });

    private static Uri AddressOf(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps
            ? address
            : throw new BadInputException($"--enrolment is '{text}'; give an address, such as https://coordinator.example.org:7444.");
}
