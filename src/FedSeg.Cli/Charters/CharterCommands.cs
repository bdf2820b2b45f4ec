using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Cli.Charters;

/// <summary><c>fedseg charter</c>: what the hospitals of a study agree on, written by people and signed by the federation's authority.</summary>
internal static class CharterCommands
{
    private static readonly Argument<FileInfo> Source = new("charter.yaml") { Description = "The charter as people wrote it." };
    private static readonly Argument<FileInfo> Any = new("charter") { Description = "A charter: YAML, or signed." };
    private static readonly Argument<FileInfo> Signed = new("charter.json") { Description = "A signed charter." };

    public static Command Create() => new("charter", "The charter of a study: write, sign, read and verify it.") { New(), Schema(), Sign(), Show(), Verify() };

    private static Command New()
    {
        var study = new Argument<string>("study") { Description = "The study's name: a-z, 0-9, '-'." };
        var output = new Option<FileInfo>("--out") { Description = "A new YAML file.", Required = true };
        return new Command("new", "Write a charter to be filled in.") { study, output }.Does((parsed, _) =>
        {
            var name = parsed.GetRequiredValue(study);
            if (!StudyId.TryParse(name, null, out var id)) throw new BadInputException($"'{name}' is not a study's name: use 1 to 40 of a-z, 0-9 and '-'.");
            var file = parsed.GetRequiredValue(output);
            if (file.Exists) throw new BadInputException($"'{file.FullName}' is there already.");
            File.WriteAllText(file.FullName, CharterFile.Template(id));
            Console.WriteLine($"Fill in {file.FullName}, then 'fedseg charter sign'.");
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static Command Schema() => new Command("schema", "The JSON schema of a charter, for editors.").Does((_, _) =>
    {
        Console.WriteLine(CharterFile.Schema);
        return Task.FromResult(CommandLine.Done);
    });

    private static Command Sign()
    {
        var authority = new Option<DirectoryInfo>("--authority") { Description = "The federation authority's folder.", Required = true };
        var output = new Option<FileInfo>("--out") { Description = "The signed charter, for the sites.", Required = true };
        return new Command("sign", "Sign a charter with the authority's key.") { Source, authority, output }.Does((parsed, _) =>
        {
            if (Read(parsed, Source) is not { } charter) return Task.FromResult(CommandLine.BadInput);
            var folder = FederationAuthority.Open(parsed.GetRequiredValue(authority).FullName, TimeProvider.System);
            if (folder.RootPath != folder.CertificatePath)
            {
                throw new BadInputException("This is an issuing authority: sites believe the charters of the federation's authority above it only.");
            }

            using var certificate = folder.LoadCertificate();
            using var key = certificate.GetECDsaPrivateKey()!;
            var signed = SignedCharter.Sign(charter, key);
            File.WriteAllBytes(parsed.GetRequiredValue(output).FullName, signed.ToBytes());
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { charter = signed.Hash, study = charter.Study, version = charter.Version });
            else Console.WriteLine($"Signed charter {signed.Hash} of study {charter.Study}, version {charter.Version}. At each site: review import-charter, then a privacy officer accepts it.");
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static Command Show() => new Command("show", "Say in plain words what a charter says.") { Any }.Does((parsed, _) =>
    {
        if (Read(parsed, Any) is not { } charter) return Task.FromResult(CommandLine.BadInput);
        var lines = CharterExplanation.Of(charter);
        if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { hash = charter.Hash, charter, lines });
        else foreach (var line in lines.Append($"SHA-256 {charter.Hash}")) Console.WriteLine(line);
        return Task.FromResult(CommandLine.Done);
    });

    private static Command Verify()
    {
        var authority = new Option<FileInfo>("--authority") { Description = "The federation authority's certificate, PEM.", Required = true };
        return new Command("verify", "Check that the authority signed a charter, and that it has not expired.") { Signed, authority }.Does((parsed, _) =>
        {
            var signed = SignedCharter.TryRead(ReadBytes(parsed.GetRequiredValue(Signed)));
            var trust = new FederationTrust(parsed.GetRequiredValue(authority).FullName, TimeProvider.System);
            var isFormers = signed is not null && trust.Succession is { } succession && IsSigned(signed, X509CertificateLoader.LoadCertificate(succession.Former));
            var problem = signed is null ? "not a signed charter"
                // The former authority's word of the past stays its word, also when it no longer counts for anything new.
                : !isFormers && !IsSigned(signed, trust.Roots[0]) ? "not signed by this authority"
                : signed.Charter.HasExpired(TimeProvider.System.GetUtcNow()) ? $"expired after {signed.Charter.Expires:yyyy-MM-dd}"
                : null;
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { verified = problem is null, problem, charter = signed?.Hash, study = signed?.Charter.Study, byFormerAuthority = isFormers });
            else Console.WriteLine(problem is null ? $"The {(isFormers ? $"former authority, whose word counts until {trust.Succession!.Until:u}," : "authority")} signed charter {signed!.Hash} of study {signed.Charter.Study}, version {signed.Charter.Version}." : $"No: {problem}.");
            return Task.FromResult(problem is null ? CommandLine.Done : CommandLine.No);
        });
    }

    private static bool IsSigned(SignedCharter charter, X509Certificate2 authority)
    {
        using var key = authority.GetECDsaPublicKey() ?? throw new BadInputException("The authority's key is not an ECDSA key.");
        return charter.IsSignedBy(key);
    }

    /// <summary>Reads a charter of either form; names every problem of the YAML.</summary>
    private static StudyCharter? Read(ParseResult parsed, Argument<FileInfo> argument)
    {
        var file = parsed.GetRequiredValue(argument);
        if (SignedCharter.TryRead(ReadBytes(file)) is { } signed) return signed.Charter;
        switch (CharterFile.Parse(File.ReadAllText(file.FullName)))
        {
            case CharterFileResult.Valid { Charter: var charter }:
                return charter;
            case CharterFileResult.Invalid { Problems: var problems }:
                if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { valid = false, problems = problems.Select(problem => new { line = problem.Line, message = problem.Message }) });
                else foreach (var problem in problems) Console.Error.WriteLine($"{file.Name}: {problem}");
                return null;
            default:
                throw new InvalidOperationException("Neither valid nor not.");
        }
    }

    private static byte[] ReadBytes(FileInfo file) =>
        file.Exists ? File.ReadAllBytes(file.FullName) : throw new BadInputException($"There is no file '{file.FullName}'.");
}
