using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Coordinator.Tests.Models.Bucket;
using FedSeg.Federation.Identity;

namespace FedSeg.Coordinator.Tests.Models;

/// <summary>What every place for blobs keeps to.</summary>
public abstract class BlobStoreTests : IAsyncLifetime
{
    private static readonly byte[] Bytes = [1, 2, 3];
    private static readonly Sha256Digest Digest = Sha256Digest.Of(Bytes);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedseg-blobs-");
    private BlobStore _blobs = null!;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected string Folder => _folder.FullName;

    private protected abstract Task<BlobStore> OpenAsync();

    public async ValueTask InitializeAsync() => _blobs = await OpenAsync();

    public virtual ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void Adopt_CompleteFile_IsThereUnderItsDigestAndGoneWhereItCameFrom()
    {
        var incoming = Incoming("a", Bytes);
        Assert.False(_blobs.Contains(Digest));

        var model = _blobs.Adopt(incoming, Digest);

        Assert.Equal((Digest, 3L), (model.Sha256, model.Bytes));
        Assert.True(_blobs.Contains(Digest));
        Assert.Equal(Bytes, File.ReadAllBytes(_blobs.PathOf(Digest)));
        Assert.False(File.Exists(incoming));
    }

    [Fact]
    public void Adopt_SameBytesTwice_IsOneBlob()
    {
        var first = _blobs.Adopt(Incoming("a", Bytes), Digest);
        var second = _blobs.Adopt(Incoming("b", Bytes), Digest);

        Assert.Equal(first, second);
        Assert.Single(Directory.GetFiles(Path.Combine(Folder, "blobs"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Adopt_BeforeARestart_IsThereAfterIt()
    {
        _blobs.Adopt(Incoming("a", Bytes), Digest);

        Assert.Equal(Bytes, await File.ReadAllBytesAsync((await OpenAsync()).PathOf(Digest), Token));
    }

    [Fact]
    public void Delete_Blob_IsGoneAndNothingHappensTheSecondTime()
    {
        _blobs.Adopt(Incoming("a", Bytes), Digest);

        _blobs.Delete(Digest);
        _blobs.Delete(Digest);

        Assert.False(_blobs.Contains(Digest));
        Assert.False(File.Exists(_blobs.PathOf(Digest)));
    }

    [Fact]
    public void PathOf_BlobThatIsNotStored_HasNoFile()
    {
        Assert.False(_blobs.Contains(Digest));
        Assert.False(File.Exists(_blobs.PathOf(Digest)));
    }

    [Fact]
    public void DropIncoming_FolderWithUnfinishedFiles_RemovesThemAndNoOthers()
    {
        File.WriteAllBytes(_blobs.IncomingPath(Path.Combine("run-1", "1", "north"), "half"), [1]);
        File.WriteAllBytes(_blobs.IncomingPath(Path.Combine("run-1", "2", "north"), "half"), [1]);

        _blobs.DropIncoming(Path.Combine("run-1", "1"));
        _blobs.DropIncoming("run-never-seen");

        Assert.False(File.Exists(_blobs.IncomingPath(Path.Combine("run-1", "1", "north"), "half")));
        Assert.True(File.Exists(_blobs.IncomingPath(Path.Combine("run-1", "2", "north"), "half")));
    }

    [Fact]
    public async Task IncomingPath_AfterReopening_StillHoldsWhatArrived()
    {
        Incoming("half", [1]);

        Assert.Equal([1], await File.ReadAllBytesAsync((await OpenAsync()).IncomingPath("north", "half"), Token));
    }

    private string Incoming(string name, byte[] bytes)
    {
        var path = _blobs.IncomingPath("north", name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}

/// <summary>In the data folder.</summary>
public sealed class FolderBlobStoreTests : BlobStoreTests
{
    private protected override Task<BlobStore> OpenAsync() => Task.FromResult(new BlobStore(Folder));
}

/// <summary>In a bucket, with the data folder as it was.</summary>
public class BucketBlobStoreTests(SwiftServer server) : BlobStoreTests
{
    private BlobBucket? _bucket;

    private protected override async Task<BlobStore> OpenAsync() =>
        new(Folder, _bucket ??= new BlobBucket(await server.CreateBucketAsync(Token), TimeProvider.System));

    public override ValueTask DisposeAsync()
    {
        _bucket?.Dispose();
        GC.SuppressFinalize(this);
        return base.DisposeAsync();
    }
}

/// <summary>In a bucket, with nothing left of the data folder's copies after a restart, as on a new machine.</summary>
public sealed class EmptiedBucketBlobStoreTests(SwiftServer server) : BucketBlobStoreTests(server)
{
    private protected override Task<BlobStore> OpenAsync()
    {
        var copies = Path.Combine(Folder, "blobs");
        if (Directory.Exists(copies)) Directory.Delete(copies, recursive: true);
        return base.OpenAsync();
    }
}
