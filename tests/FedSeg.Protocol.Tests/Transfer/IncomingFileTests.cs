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
        await using var file = await IncomingFile.OpenAsync(_folder["model"], Token);
        await file.AppendAsync("abc"u8.ToArray(), Token);
        await file.AppendAsync("def"u8.ToArray(), Token);

        Assert.Equal(6, file.Length);
        Assert.Equal(Sha256Digest.Of("abcdef"u8), file.Digest);
    }

    [Fact]
    public async Task OpenAsync_AfterACut_GoesOnWithBytesAndDigest()
    {
        await using (var first = await IncomingFile.OpenAsync(_folder["model"], Token)) await first.AppendAsync("abc"u8.ToArray(), Token);

        await using (var second = await IncomingFile.OpenAsync(_folder["model"], Token))
        {
            Assert.Equal(3, second.Length);
            await second.AppendAsync("def"u8.ToArray(), Token);
            Assert.Equal(Sha256Digest.Of("abcdef"u8), second.Digest);
            second.Flush();
        }

        Assert.Equal("abcdef"u8.ToArray(), await File.ReadAllBytesAsync(_folder["model"], Token));
    }

    [Fact]
    public async Task Clear_AfterWrongBytes_StartsFromNothing()
    {
        await using var file = await IncomingFile.OpenAsync(_folder["model"], Token);
        await file.AppendAsync("wrong"u8.ToArray(), Token);
        file.Clear();
        await file.AppendAsync("right"u8.ToArray(), Token);

        Assert.Equal(Sha256Digest.Of("right"u8), file.Digest);
        Assert.Equal(5, file.Length);
    }

    [Fact]
    public async Task OpenAsync_Twice_IsRefused()
    {
        await using var file = await IncomingFile.OpenAsync(_folder["model"], Token);

        await Assert.ThrowsAsync<IOException>(() => IncomingFile.OpenAsync(_folder["model"], Token));
    }
}
