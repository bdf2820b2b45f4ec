using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Cli.Programs;
using FedSeg.Hosting.Certificates;
using FedSeg.Ledger.Storage;

namespace FedSeg.Cli.Ledgers.Shipping;

/// <summary><c>fedseg ledger ship</c>: a ledger's entries as audit events, to where a hospital collects them.</summary>
internal static class ShipCommand
{
    private static readonly TimeSpan FollowInterval = TimeSpan.FromSeconds(5);
    private static readonly Argument<DirectoryInfo> LedgerArgument = new("dir") { Description = "The ledger's folder." };
    private static readonly Option<string?> Syslog = new("--syslog") { Description = "HOST:PORT of a collector of syslog over TLS (RFC 5424 and 5425)." };
    private static readonly Option<string?> Fhir = new("--fhir") { Description = "Base URL of a FHIR R4 server that takes AuditEvents." };
    private static readonly Option<FileInfo?> JsonLines = new("--jsonl") { Description = "A file that gets one JSON object a line." };
    private static readonly Option<FileInfo> Cursor = new("--cursor") { Description = "File that remembers how far the target has the entries; one for each target.", Required = true };
    private static readonly Option<FileInfo?> Authority = new("--authority") { Description = "PEM of who signed the target's certificate, where the machine does not know it." };
    private static readonly Option<FileInfo?> Certificate = new("--certificate") { Description = "PEM of the sender's certificate, where the target asks for one." };
    private static readonly Option<FileInfo?> Key = new("--key") { Description = "Its private key, PEM." };
    private static readonly Option<bool> Follow = new("--follow") { Description = "Go on with entries as they come, and try again while the target is away, until stopped." };

    public static Command Create() =>
        new Command("ship", "Send a ledger's entries to a collector of audit events; each at least once, in order.")
        {
            LedgerArgument, Syslog, Fhir, JsonLines, Cursor, Authority, Certificate, Key, Follow,
        }.Does(ShipAsync);

    private static async Task<int> ShipAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var ledger = parsed.GetRequiredValue(LedgerArgument);
        if (!ledger.Exists) throw new BadInputException($"There is no ledger folder '{ledger.FullName}'.");
        var target = Target(parsed);
        using var owned = target as IDisposable;
        var shipping = new AuditShipping(ledger.FullName, parsed.GetRequiredValue(Cursor).FullName, target);
        try
        {
            var shipped = parsed.GetValue(Follow)
                ? await FollowAsync(shipping, TimeProvider.System, cancellationToken)
                : await shipping.ShipAsync(cancellationToken);
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { shipped });
            else Console.WriteLine($"Shipped {shipped} entries.");
            return CommandLine.Done;
        }
        catch (LedgerCorruptException error)
        {
            throw new BadInputException(error.Message);
        }
    }

    private static async Task<long> FollowAsync(AuditShipping shipping, TimeProvider time, CancellationToken cancellationToken)
    {
        var (shipped, away) = (0L, false);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                shipped += await shipping.ShipAsync(cancellationToken);
                away = false;
            }
            catch (IOException error)
            {
                if (!away) await Console.Error.WriteLineAsync(error.Message + " Entries stay in the ledger; trying again.");
                away = true;
            }

            await Task.Delay(FollowInterval, time, cancellationToken).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        return shipped;
    }

    private static IAuditTarget Target(ParseResult parsed)
    {
        var authority = parsed.GetValue(Authority) is { } path ? Read(() => KeyFiles.LoadAuthority(path.FullName)) : null;
        var certificate = (parsed.GetValue(Certificate), parsed.GetValue(Key)) switch
        {
            (null, null) => null,
            ({ } pem, { } key) => Read(() => KeyFiles.LoadCertificate(pem.FullName, key.FullName)),
            _ => throw new BadInputException("--certificate and --key belong together."),
        };
        return (parsed.GetValue(Syslog), parsed.GetValue(Fhir), parsed.GetValue(JsonLines)) switch
        {
            ({ } collector, null, null) => new SyslogTarget(Endpoint(collector), authority, certificate),
            (null, { } address, null) => new FhirTarget(Address(address), authority, certificate),
            (null, null, { } file) => new JsonLinesTarget(file.FullName),
            _ => throw new BadInputException("Give one of --syslog, --fhir and --jsonl."),
        };
    }

    private static DnsEndPoint Endpoint(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? new DnsEndPoint(text[..colon], port)
            : throw new BadInputException($"--syslog is '{text}'; give host and port, such as siem.hospital.example:6514.");
    }

    private static Uri Address(string text) => Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttps || address.IsLoopback)
        ? address
        : throw new BadInputException($"--fhir is '{text}'; give an https URL.");

    private static X509Certificate2 Read(Func<X509Certificate2> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is CryptographicException or InvalidDataException or IOException)
        {
            throw new BadInputException(error.Message);
        }
    }
}
