using FedSeg.Federation.Identity;
using FedSeg.Protocol.Transfer;
using FedSeg.Testing;

namespace FedSeg.Protocol.Tests.Transfer;

public sealed class IncomingFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Digest_OfPieces_IsThatOfTheWhole()
    {
        using var file = await IncomingFile.OpenAsync(_folder["model"], Token);
        file.Append("abc"u8);
        file.Append("def"u8);

        Assert.Equal(6, file.Length);
        Assert.Equal(Sha256Digest.Of("abcdef"u8), file.Digest);
    }

    [Fact]
    public async Task OpenAsync_AfterACut_GoesOnWithBytesAndDigest()
    {
        using (var first = await IncomingFile.OpenAsync(_folder["model"], Token)) first.Append("abc"u8);

        using (var second = await IncomingFile.OpenAsync(_folder["model"], Token))
        {
            Assert.Equal(3, second.Length);
            second.Append("def"u8);
            Assert.Equal(Sha256Digest.Of("abcdef"u8), second.Digest);
            second.Flush();
        }

        Assert.Equal("abcdef"u8.ToArray(), await File.ReadAllBytesAsync(_folder["model"], Token));
    }

    [Fact]
    public async Task Clear_AfterWrongBytes_StartsFromNothing()
    {
        using var file = await IncomingFile.OpenAsync(_folder["model"], Token);
        file.Append("wrong"u8);
        file.Clear();
        file.Append("right"u8);

        Assert.Equal(Sha256Digest.Of("right"u8), file.Digest);
        Assert.Equal(5, file.Length);
    }

    [Fact]
    public async Task OpenAsync_Twice_IsRefused()
    {
        using var file = await IncomingFile.OpenAsync(_folder["model"], Token);

        await Assert.ThrowsAsync<IOException>(() => IncomingFile.OpenAsync(_folder["model"], Token));
    }
}
