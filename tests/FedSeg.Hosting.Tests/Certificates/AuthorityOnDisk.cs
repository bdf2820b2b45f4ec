using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Hosting.Tests.Certificates;

/// <summary>A new federation authority in a folder of its own, with a clock the test sets.</summary>
internal sealed class AuthorityOnDisk : IDisposable
{
    private readonly DirectoryInfo _folder = System.IO.Directory.CreateTempSubdirectory("fedseg-hosting-");

    public AuthorityOnDisk(DateTimeOffset? now = null)
    {
        Time = new FakeTimeProvider(now ?? TimeProvider.System.GetUtcNow());
        Authority = FederationAuthority.Create(Directory, "test", Time);
        Certificate = KeyFiles.LoadAuthority(Authority.CertificatePath);
    }

    public FakeTimeProvider Time { get; }

    public FederationAuthority Authority { get; }

    public X509Certificate2 Certificate { get; }

    public string Directory => Path("authority");

    public FederationRegister Register => FederationRegister.Load(Authority.RegisterPath);

    public string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    /// <summary>Signs a member with a new key.</summary>
    public X509Certificate2 SignMember(string name, MemberKind kind = MemberKind.Site, PersonRole role = PersonRole.None, TimeSpan? validity = null)
    {
        var request = KeyFiles.CreateRequest(Path(Guid.NewGuid() + ".key"), name);
        return X509Certificate2.CreateFromPem(Authority.SignMember(request, kind, name, role, validity ?? TimeSpan.FromDays(30)));
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _folder.Delete(recursive: true);
    }
}
