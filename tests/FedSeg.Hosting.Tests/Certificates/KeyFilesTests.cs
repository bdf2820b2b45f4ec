using FedSeg.Hosting.Certificates;

namespace FedSeg.Hosting.Tests.Certificates;

public sealed class KeyFilesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedseg-keys-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void CreateRequest_PrivateKey_IsForItsOwnerOnly()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("File modes are a Unix matter.");
        else
        {
            KeyFiles.CreateRequest(PathOf("site.key"), "north");

            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PathOf("site.key")));
        }
    }

    [Fact]
    public void CreateRequest_KeyIsThere_IsNeverOverwritten()
    {
        KeyFiles.CreateRequest(PathOf("site.key"), "north");
        var before = File.ReadAllText(PathOf("site.key"));

        Assert.Throws<IOException>(() => KeyFiles.CreateRequest(PathOf("site.key"), "north"));

        Assert.Equal(before, File.ReadAllText(PathOf("site.key")));
    }

    [Fact]
    public void CreateRequest_Request_HoldsNoPrivateKey() =>
        Assert.DoesNotContain("PRIVATE", KeyFiles.CreateRequest(PathOf("site.key"), "north"));

    [Fact]
    public void LoadCertificate_KeyOfAnother_NamesBothFiles()
    {
        using var authority = new AuthorityOnDisk();
        using var certificate = authority.SignMember("north");
        File.WriteAllText(PathOf("north.pem"), certificate.ExportCertificatePem());
        KeyFiles.CreateRequest(PathOf("other.key"), "other");

        var error = Assert.Throws<InvalidDataException>(() => KeyFiles.LoadCertificate(PathOf("north.pem"), PathOf("other.key")));

        Assert.Contains("north.pem", error.Message);
        Assert.Contains("other.key", error.Message);
    }

    [Fact]
    public void LoadAuthority_MissingFile_NamesIt() =>
        Assert.Contains("authority.pem", Assert.Throws<InvalidDataException>(() => KeyFiles.LoadAuthority(PathOf("authority.pem"))).Message);

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
