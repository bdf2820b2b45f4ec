using System.Security.Cryptography.X509Certificates;
using System.Text;
using FedSeg.Hosting.Storage;

namespace FedSeg.Hosting.Certificates;

/// <summary>
/// The authorities that a member's machine believes: the one whose certificate its settings name, and while the overlap lasts the one that this followed, if a
/// <see cref="Succession"/> beside the certificate says so. The files are read again whenever they change, so that an accepted successor counts from the next handshake on.
/// </summary>
/// <param name="authorityPath">The authority's certificate, PEM.</param>
/// <param name="time">Says when an overlap is over.</param>
public sealed class FederationTrust(string authorityPath, TimeProvider time)
{
    private readonly Lock _gate = new();
    private Trusted? _read;

    /// <summary>
    /// The certificates that count now, the newest authority's first: one, or two during an overlap. The same list until something changes.
    /// </summary>
    /// <exception cref="InvalidDataException">A file is missing or is not what it should be: nobody is to be believed.</exception>
    public IReadOnlyList<X509Certificate2> Roots => Read().Roots;

    /// <summary>How the newest authority came to count here; <see langword="null"/> when it is the first one. The former's word of the past can be verified with it.</summary>
    /// <exception cref="InvalidDataException">As for <see cref="Roots"/>.</exception>
    public Succession? Succession => Read().Succession;

    /// <summary>
    /// Lets an announced successor count here, beside its former until the overlap ends. Done by a person at this machine, who knows the successor's thumbprint from another
    /// source than the file.
    /// </summary>
    /// <param name="succession">The announcement.</param>
    /// <param name="thumbprint">SHA-256 of the successor's certificate, 64 lower-case hexadecimal digits.</param>
    /// <returns>Why not; <see langword="null"/> when it counts, on the disk.</returns>
    /// <exception cref="InvalidDataException">As for <see cref="Roots"/>.</exception>
    public string? Accept(Succession succession, string thumbprint)
    {
        using var successor = X509CertificateLoader.LoadCertificate(succession.Successor);
        if (MutualTls.Thumbprint(successor) != thumbprint) return $"the successor's thumbprint is {MutualTls.Thumbprint(successor)} and not the one given";
        var newest = Roots[0];
        if (newest.RawData.AsSpan().SequenceEqual(succession.Successor)) return "this authority is the one that counts here already";
        if (!newest.RawData.AsSpan().SequenceEqual(succession.Former)) return "it follows another authority than the one that counts here";
        if (time.GetUtcNow() >= succession.Until) return $"the former authority's word counted until {succession.Until:u}";
        // The certificate last: until it is there, the succession names none that counts and has no effect.
        succession.Save(Succession.PathBeside(authorityPath));
        DurableFile.Write(authorityPath, Encoding.ASCII.GetBytes(successor.ExportCertificatePem()));
        return null;
    }

    private Trusted Read()
    {
        lock (_gate)
        {
            var version = (StampOf(authorityPath), StampOf(Succession.PathBeside(authorityPath)));
            if (_read is { } read && read.Version == version && time.GetUtcNow() < read.ReadAgainAt) return read;
            // What was read before is not disposed: a handshake may be using it.
            return _read = Load(version);
        }
    }

    private Trusted Load(((DateTime, long), (DateTime, long)) version)
    {
        var root = KeyFiles.LoadAuthority(authorityPath);
        var path = Succession.PathBeside(authorityPath);
        var succession = File.Exists(path) ? Succession.Load(path) : null;
        if (succession is null || !root.RawData.AsSpan().SequenceEqual(succession.Successor)) return new Trusted(version, [root], null, DateTimeOffset.MaxValue);
        if (time.GetUtcNow() >= succession.Until) return new Trusted(version, [root], succession, DateTimeOffset.MaxValue);
        return new Trusted(version, [root, X509CertificateLoader.LoadCertificate(succession.Former)], succession, succession.Until);
    }

    private static (DateTime Written, long Length) StampOf(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
    }

    private sealed record Trusted(
        ((DateTime, long), (DateTime, long)) Version, IReadOnlyList<X509Certificate2> Roots, Succession? Succession, DateTimeOffset ReadAgainAt);
}
