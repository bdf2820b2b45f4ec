using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FedSeg.Hosting.Certificates;

/// <summary>
/// The federation's private certificate authority: a folder with its certificate, its key and the register of members. It signs requests; members' private
/// keys are made where they are used and never come here.
/// </summary>
public sealed class FederationAuthority
{
    /// <summary>File names in the authority's folder.</summary>
    public const string CertificateFile = "authority.pem", KeyFile = "authority.key", RegisterFile = "register.json", RootFile = "root.pem";

    private static readonly TimeSpan Backdating = TimeSpan.FromMinutes(5), KeptAfterItsEnd = TimeSpan.FromDays(30);

    /// <summary>Of one certificate: an answer may be lost a few times, but nobody fills the register.</summary>
    private const int MostRenewals = 5;

    private readonly string _directory;
    private readonly TimeProvider _time;

    private FederationAuthority(string directory, TimeProvider time)
    {
        _directory = directory;
        _time = time;
    }

    public string CertificatePath => Path.Combine(_directory, CertificateFile);

    /// <summary>The certificate that members trust: the authority's own, or that of the one above it.</summary>
    public string RootPath => File.Exists(Path.Combine(_directory, RootFile)) ? Path.Combine(_directory, RootFile) : CertificatePath;

    public string RegisterPath => Path.Combine(_directory, RegisterFile);

    /// <summary>Makes a new authority. An existing one is never replaced: a new authority would shut out every member.</summary>
    /// <exception cref="InvalidOperationException">The folder already holds an authority.</exception>
    public static FederationAuthority Create(string directory, string federationName, TimeProvider time)
    {
        if (File.Exists(Path.Combine(directory, CertificateFile)))
        {
            throw new InvalidOperationException($"'{directory}' already holds a federation authority; it is never replaced.");
        }

        using var certificate = CreateRoot(directory, new X500DistinguishedName($"CN={federationName} authority, O=FedSeg"), time);
        FederationRegister.Empty.Save(Path.Combine(directory, RegisterFile));
        return new FederationAuthority(directory, time);
    }

    /// <summary>
    /// Makes the authority that follows this one, in a folder of its own with a new key, and beside its certificate the <see cref="Succession"/> that both signed. It takes the
    /// register over, so every member stays one, and who is revoked stays revoked. From then on this authority's folder is not used any more.
    /// </summary>
    /// <param name="directory">A new folder.</param>
    /// <param name="overlap">How long what this authority signed goes on to count.</param>
    /// <exception cref="InvalidOperationException">The folder already holds an authority, or this one is an issuing authority or ends within the overlap.</exception>
    public FederationAuthority CreateSuccessor(string directory, TimeSpan overlap)
    {
        if (File.Exists(Path.Combine(directory, CertificateFile)))
        {
            throw new InvalidOperationException($"'{directory}' already holds an authority; it is never replaced.");
        }

        if (RootPath != CertificatePath) throw new InvalidOperationException($"'{_directory}' holds an issuing authority; another one follows it by 'fedseg provision issuing'.");
        using var former = LoadCertificate();
        var until = _time.GetUtcNow() + overlap;
        if (until > former.NotAfter) throw new InvalidOperationException($"The authority in '{_directory}' ends {former.NotAfter.ToUniversalTime():u}, before the overlap does.");

        using var successor = CreateRoot(directory, former.SubjectName, _time);
        Succession.Announce(former, successor, until).Save(Succession.PathBeside(Path.Combine(directory, CertificateFile)));
        using var turn = FolderTurn.Take(_directory);
        FederationRegister.Load(RegisterPath).Save(Path.Combine(directory, RegisterFile));
        return new FederationAuthority(directory, _time);
    }

    /// <summary>
    /// Makes an issuing authority in a folder of its own, which has the same files as this one. It signs sites' client certificates and nothing else, so its key may
    /// live on line while this one stays off.
    /// </summary>
    /// <exception cref="InvalidOperationException">The folder already holds an authority, or this one may not have one below it.</exception>
    public FederationAuthority CreateIssuing(string directory, TimeSpan validity)
    {
        if (File.Exists(Path.Combine(directory, CertificateFile)))
        {
            throw new InvalidOperationException($"'{directory}' already holds an authority; it is never replaced.");
        }

        using var issuer = LoadCertificate();
        if (issuer.Extensions.OfType<X509BasicConstraintsExtension>().SingleOrDefault() is not { PathLengthConstraint: >= 1 })
        {
            throw new InvalidOperationException($"The authority in '{_directory}' may not have an issuing authority below it: it is one itself, or older than those.");
        }

        Directory.CreateDirectory(directory);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=sites' issuing authority, O=FedSeg", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        // Holds for whatever it signs: nobody who steals its key can pass for the coordinator.
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([MutualTls.ClientAuthentication], critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var certificate = Issue(request, issuer, validity);

        KeyFiles.WritePrivateKey(Path.Combine(directory, KeyFile), key);
        File.Copy(CertificatePath, Path.Combine(directory, RootFile));
        File.WriteAllText(Path.Combine(directory, CertificateFile), certificate.ExportCertificatePem());
        FederationRegister.Empty.Save(Path.Combine(directory, RegisterFile));
        return new FederationAuthority(directory, _time);
    }

    /// <exception cref="FileNotFoundException">The folder holds no authority.</exception>
    public static FederationAuthority Open(string directory, TimeProvider time) =>
        File.Exists(Path.Combine(directory, CertificateFile)) && File.Exists(Path.Combine(directory, KeyFile))
            ? new FederationAuthority(directory, time)
            : throw new FileNotFoundException($"'{directory}' holds no federation authority; make one with 'fedseg provision init --authority {directory}'.");

    /// <summary>The authority's certificate with its private key.</summary>
    public X509Certificate2 LoadCertificate() => KeyFiles.LoadCertificate(CertificatePath, Path.Combine(_directory, KeyFile));

    /// <summary>Signs the coordinator's server certificate for the names and addresses sites will dial.</summary>
    public string SignCoordinator(string certificateRequestPem, IReadOnlyCollection<string> hosts, TimeSpan validity)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
            else names.AddDnsName(host);
        }

        return SignServer(KeyFiles.ReadRequest(certificateRequestPem).PublicKey, names.Build(), validity);
    }

    /// <summary>Signs the coordinator's certificate again: for the key and the names it has. One that has ended is renewed, too.</summary>
    /// <param name="current">What this authority, or the one it follows, signed.</param>
    /// <param name="validity">Of the new one.</param>
    /// <exception cref="InvalidOperationException">Neither of them signed it for a coordinator.</exception>
    public string RenewCoordinator(X509Certificate2 current, TimeSpan validity)
    {
        // In its last moment: whose word it was does not change when it ends.
        if (!MutualTls.IsTrusted(current, new FederationTrust(CertificatePath, _time).Roots, MutualTls.ServerAuthentication, at: current.NotAfter.AddSeconds(-1)))
        {
            throw new InvalidOperationException($"The authority in '{_directory}' did not sign {current.Subject} for a coordinator, and neither did one that it follows and that still counts.");
        }

        return SignServer(current.PublicKey, current.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single(), validity);
    }

    /// <summary>Signs a member's client certificate and enters it in the register. The subject is the authority's word, not the request's.</summary>
    /// <param name="certificateRequestPem">With the member's own key and signature.</param>
    /// <param name="kind">Site or person.</param>
    /// <param name="name">The member's name.</param>
    /// <param name="role">A person's role in every study.</param>
    /// <param name="validity">Of the certificate.</param>
    /// <param name="studies">A person's roles in single studies.</param>
    /// <param name="person">Who a person is to the provider that gives tokens.</param>
    /// <exception cref="InvalidOperationException">That is somebody of another name.</exception>
    public string SignMember(
        string certificateRequestPem, MemberKind kind, string name, PersonRole role, TimeSpan validity, IReadOnlyList<StudyRole>? studies = null, string? person = null)
    {
        using var certificate = CreateMember(KeyFiles.ReadRequest(certificateRequestPem).PublicKey, kind, name, validity);
        ChangeRegister(register =>
        {
            if (person is not null && register.Members.FirstOrDefault(other => other.Person == person && other.Name != name && !other.Revoked) is { } namesake)
            {
                throw new InvalidOperationException($"'{person}' is '{namesake.Name}' here: one human has one name.");
            }

            return Enter(register, certificate, kind, name, role, studies, person);
        });
        return certificate.ExportCertificatePem();
    }

    /// <summary>
    /// Signs a site's certificate again: for the key it has, and as long as it was valid. The old one stays good until its own end, so nothing under way is cut. Neither a
    /// revoked certificate nor one that has ended is renewed, whoever revokes meanwhile.
    /// </summary>
    /// <param name="current">The certificate the site has.</param>
    /// <param name="former">Folders of authorities that this one follows: what they signed is renewed by this one.</param>
    public CertificateRenewal Renew(X509Certificate2 current, params IEnumerable<string> former)
    {
        var (thumbprint, now) = (MutualTls.Thumbprint(current), _time.GetUtcNow());
        // The site counts its thirds from the date in the certificate, so is half of it counted here.
        var dated = current.NotAfter - current.NotBefore;
        using var turn = FolderTurn.Take(_directory);
        var register = FederationRegister.Load(RegisterPath);
        foreach (var signer in former.Prepend(_directory))
        {
            using var signersTurn = signer == _directory ? null : FolderTurn.Take(signer);
            var signed = signer == _directory ? register : FederationRegister.Load(Path.Combine(signer, RegisterFile));
            if (signed.Find(thumbprint) is not { Kind: MemberKind.Site } member || now > member.NotAfter) continue;
            if (member.NotAfter - now > dated / 2) return new CertificateRenewal.Refused(RenewalRefusal.TooEarly);
            if (register.Members.Count(other => other.Kind == member.Kind && other.Name == member.Name && other.NotAfter > member.NotAfter) >= MostRenewals)
            {
                return new CertificateRenewal.Refused(RenewalRefusal.TooOften);
            }

            using var renewed = CreateMember(current.PublicKey, member.Kind, member.Name, dated - Backdating);
            // An authority signs nothing that outlives it.
            if (renewed.NotAfter <= current.NotAfter) return new CertificateRenewal.Refused(RenewalRefusal.AuthorityEnds);
            Enter(register, renewed, member.Kind, member.Name, member.Role, member.Studies, member.Person).Save(RegisterPath);
            return new CertificateRenewal.Renewed(member.Name, renewed.ExportCertificatePem(), File.ReadAllText(CertificatePath));
        }

        return new CertificateRenewal.Refused(RenewalRefusal.SignedElsewhere);
    }

    /// <summary>Calls back every certificate of a member. Effective at the coordinator when it next reads the register.</summary>
    public void Revoke(MemberKind kind, string name) => ChangeRegister(register => register.Revoke(kind, name));

    /// <summary>The coordinator renews while a person revokes: neither may undo the other.</summary>
    private void ChangeRegister(Func<FederationRegister, FederationRegister> change)
    {
        using var turn = FolderTurn.Take(_directory);
        change(FederationRegister.Load(RegisterPath)).Save(RegisterPath);
    }

    /// <summary>A key and the certificate it signs itself, with the key, in a folder.</summary>
    private static X509Certificate2 CreateRoot(string directory, X500DistinguishedName name, TimeProvider time)
    {
        Directory.CreateDirectory(directory);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        // One level below it: issuing authorities, which sign members on line and no further authority.
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 1, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = time.GetUtcNow();
        var certificate = request.CreateSelfSigned(now - Backdating, now.AddYears(10));
        KeyFiles.WritePrivateKey(Path.Combine(directory, KeyFile), key);
        File.WriteAllText(Path.Combine(directory, CertificateFile), certificate.ExportCertificatePem());
        return certificate;
    }

    private FederationRegister Enter(
        FederationRegister register, X509Certificate2 certificate, MemberKind kind, string name, PersonRole role, IReadOnlyList<StudyRole>? studies, string? person)
    {
        var entry = new RegisterEntry(kind, name, role, MutualTls.Thumbprint(certificate), certificate.NotAfter.ToUniversalTime(), Studies: studies, Person: person);
        return register.Without(kind, name, endedBefore: _time.GetUtcNow() - KeptAfterItsEnd).With(entry);
    }

    private string SignServer(PublicKey key, X509Extension names, TimeSpan validity)
    {
        using var certificate = Sign(key, "CN=coordinator", names, MutualTls.ServerAuthentication, validity);
        return certificate.ExportCertificatePem();
    }

    private X509Certificate2 CreateMember(PublicKey key, MemberKind kind, string name, TimeSpan validity)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri($"urn:fedseg:{(kind == MemberKind.Site ? "site" : "person")}:{name}"));
        return Sign(key, $"CN={name}", names.Build(), MutualTls.ClientAuthentication, validity);
    }

    private X509Certificate2 Sign(PublicKey key, string subject, X509Extension names, Oid usage, TimeSpan validity)
    {
        using var issuer = LoadCertificate();
        var request = new CertificateRequest(new X500DistinguishedName(subject + ", O=FedSeg"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([usage], critical: true));
        request.CertificateExtensions.Add(names);
        return Issue(request, issuer, validity);
    }

    private X509Certificate2 Issue(CertificateRequest request, X509Certificate2 issuer, TimeSpan validity)
    {
        var now = _time.GetUtcNow();
        var notAfter = now + validity;
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        if (notAfter > issuer.NotAfter) notAfter = issuer.NotAfter;
        return request.Create(issuer, now - Backdating, notAfter, RandomNumberGenerator.GetBytes(16));
    }
}
