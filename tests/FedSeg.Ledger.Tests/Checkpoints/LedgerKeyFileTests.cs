using System.Security.Cryptography;
using FedSeg.Ledger.Checkpoints;

namespace FedSeg.Ledger.Tests.Checkpoints;

public sealed class LedgerKeyFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("fedseg-key-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void OpenOrCreate_Twice_GivesTheSameKey()
    {
        var path = Path.Combine(_directory, "ledger.key");
        using var first = LedgerKeyFile.OpenOrCreate(path);
        using var second = LedgerKeyFile.OpenOrCreate(path);

        Assert.Equal(first.ExportSubjectPublicKeyInfo(), second.ExportSubjectPublicKeyInfo());
        Assert.Equal(256, first.KeySize);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void OpenOrCreate_NewKey_IsReadableByItsOwnerOnly()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no Unix file mode.");
        var path = Path.Combine(_directory, "ledger.key");
        LedgerKeyFile.OpenOrCreate(path).Dispose();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void OpenOrCreate_DamagedFile_IsRefusedNotReplaced()
    {
        var path = Path.Combine(_directory, "ledger.key");
        File.WriteAllText(path, "gone");

        Assert.Throws<CryptographicException>(() => LedgerKeyFile.OpenOrCreate(path));
        Assert.Equal("gone", File.ReadAllText(path));
    }
}
