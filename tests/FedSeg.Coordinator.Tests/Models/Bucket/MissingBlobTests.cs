using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Federation.Identity;
using FedSeg.Testing;

namespace FedSeg.Coordinator.Tests.Models.Bucket;

/// <summary>Whom a bucket believes that a blob is not there: a run must not lose an update to a proxy that is set wrong.</summary>
public sealed class MissingBlobTests : IDisposable
{
    private static readonly Sha256Digest Digest = Sha256Digest.Of("blob"u8);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task NotFound_SaidByTheStoreOfTheBlob_MeansThatItIsNotThere()
    {
        await using var store = new AnsweringStore(_ => ("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>"));
        using var bucket = new BlobBucket(store.Options, TimeProvider.System);

        Assert.False(bucket.Fetch(Digest, _folder["fetched"]));
        Assert.False(bucket.Contains(Digest));
        bucket.Delete(Digest);
    }

    [Theory]
    [InlineData("<html>Nothing is served here.</html>")]
    [InlineData("")]
    [InlineData("<Error><Code>NoSuchBucket</Code></Error>")]
    public async Task NotFound_SaidByAProxyOrOfTheWholeBucket_SaysNothingOfTheBlob(string body)
    {
        await using var store = new AnsweringStore(_ => ("404 Not Found", body));
        using var bucket = new BlobBucket(store.Options, TimeProvider.System);

        Assert.Throws<IOException>(() => bucket.Fetch(Digest, _folder["fetched"]));
        Assert.Throws<IOException>(() => bucket.Contains(Digest));
        Assert.Throws<IOException>(() => bucket.Delete(Digest));
        Assert.False(File.Exists(_folder["fetched"]));
    }
}
