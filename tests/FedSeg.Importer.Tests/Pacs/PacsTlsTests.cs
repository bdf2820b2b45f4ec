using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;
using FedSeg.Importer.Pacs;
using FedSeg.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace FedSeg.Importer.Tests.Pacs;

/// <summary>TLS with an authority of the hospital's own and a client certificate.</summary>
public sealed class PacsTlsTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private FederationAuthority _authority = null!;
    private X509Certificate2 _server = null!;
    private FakePacs _pacs = null!;

    public async ValueTask InitializeAsync()
    {
        _authority = FederationAuthority.Create(_folder["authority"], "hospital", TimeProvider.System);
        var request = KeyFiles.CreateRequest(_folder["pacs.key"], "pacs");
        _server = KeyFiles.LoadCertificate(
            _folder.Write("pacs.pem", _authority.SignCoordinator(request, ["127.0.0.1"], TimeSpan.FromDays(1))), _folder["pacs.key"]);
        _pacs = await FakePacs.StartAsync(listen => listen.UseHttps(_server, https =>
        {
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (certificate, _, _) =>
                MutualTls.IsTrusted(certificate, [KeyFiles.LoadAuthority(_authority.CertificatePath)], MutualTls.ClientAuthentication);
        }));
    }

    public async ValueTask DisposeAsync()
    {
        await _pacs.DisposeAsync();
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Find_TrustedAuthorityAndClientCertificate_Succeeds() =>
        Assert.Empty(await FindAsync(_authority.CertificatePath, withCertificate: true));

    [Fact]
    public async Task Find_AnotherAuthority_IsUntrusted()
    {
        var other = FederationAuthority.Create(_folder["other"], "hospital", TimeProvider.System);

        Assert.Equal(
            PacsFault.Untrusted,
            (await Assert.ThrowsAsync<PacsException>(() => FindAsync(other.CertificatePath, withCertificate: true))).Fault);
    }

    [Fact]
    public async Task Find_MachinesOwnTrust_IsUntrusted() =>
        Assert.Equal(PacsFault.Untrusted, (await Assert.ThrowsAsync<PacsException>(() => FindAsync("", withCertificate: true))).Fault);

    [Fact]
    public async Task Find_WithoutClientCertificate_Fails() =>
        await Assert.ThrowsAsync<PacsException>(() => FindAsync(_authority.CertificatePath, withCertificate: false));

    private async Task<IReadOnlyList<StudyMatch>> FindAsync(string authority, bool withCertificate)
    {
        var options = new PacsOptions { Address = _pacs.Address, Authority = authority, Retries = 1, RetryDelaySeconds = 0.01 };
        if (withCertificate)
        {
            options.PrivateKey = _folder["importer.key"];
            var request = KeyFiles.CreateRequest(options.PrivateKey, "importer");
            var certificate = _authority.SignMember(request, MemberKind.Site, "importer", PersonRole.None, TimeSpan.FromDays(1));
            options.Certificate = _folder.Write("importer.pem", certificate);
        }

        var client = new PacsClient(PacsConnection.Create(options), options, TimeProvider.System);
        return await client.FindStudiesAsync([], TestContext.Current.CancellationToken);
    }
}
