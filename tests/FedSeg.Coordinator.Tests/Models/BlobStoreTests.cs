using FedSeg.Coordinator.Models;
using FedSeg.Federation.Identity;

namespace FedSeg.Coordinator.Tests.Models;

public sealed class BlobStoreTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedseg-blobs-");
    private readonly BlobStore _blobs;

    public BlobStoreTests() => _blobs = new BlobStore(_folder.FullName);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Adopt_CompleteFile_IsThereUnderItsDigestAndGoneWhereItCameFrom()
    {
        var incoming = Incoming("a", [1, 2, 3]);
        var digest = Sha256Digest.Of([1, 2, 3]);
        Assert.False(_blobs.Contains(digest));

        var model = _blobs.Adopt(incoming, digest);

        Assert.Equal((digest, 3L), (model.Sha256, model.Bytes));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(_blobs.PathOf(digest)));
        Assert.False(File.Exists(incoming));
    }

    [Fact]
    public void Adopt_SameBytesTwice_IsOneBlob()
    {
        var digest = Sha256Digest.Of([1, 2, 3]);

        var first = _blobs.Adopt(Incoming("a", [1, 2, 3]), digest);
        var second = _blobs.Adopt(Incoming("b", [1, 2, 3]), digest);

        Assert.Equal(first, second);
        Assert.Single(Directory.GetFiles(Path.Combine(_folder.FullName, "blobs"), "*", SearchOption.AllDirectories));
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
    public void IncomingPath_AfterReopening_StillHoldsWhatArrived()
    {
        Incoming("half", [1]);

        Assert.Equal([1], File.ReadAllBytes(new BlobStore(_folder.FullName).IncomingPath("north", "half")));
    }

    private string Incoming(string name, byte[] bytes)
    {
        var path = _blobs.IncomingPath("north", name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
