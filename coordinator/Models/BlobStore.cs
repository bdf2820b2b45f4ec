using FedSeg.Coordinator.Blind;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Storage;

namespace FedSeg.Coordinator.Models;

/// <summary>Models and updates as files named by their SHA-256. A blob never changes; storing the same bytes twice is one blob.</summary>
internal sealed class BlobStore
{
    private readonly string _blobs;
    private readonly string _incoming;
    private readonly string _data;

    public BlobStore(string dataDirectory)
    {
        _data = dataDirectory;
        _blobs = DurableFile.CreateDirectory(Path.Combine(dataDirectory, "blobs"));
        _incoming = Directory.CreateDirectory(Path.Combine(dataDirectory, "incoming")).FullName;
    }

    /// <summary>Where a blob's bytes are, whether or not they are there.</summary>
    public string PathOf(Sha256Digest digest) => Path.Combine(_blobs, digest.ToString()[..2], digest + ".safetensors");

    /// <summary>Removes a blob; nothing happens when it is gone already.</summary>
    public void Delete(Sha256Digest digest) => File.Delete(PathOf(digest));

    public bool Contains(Sha256Digest digest) => File.Exists(PathOf(digest));

    /// <summary>A place for bytes that are still on their way; it survives a restart under the same name.</summary>
    public string IncomingPath(string folder, string name) =>
        Path.Combine(Directory.CreateDirectory(Path.Combine(_incoming, folder)).FullName, name);

    /// <summary>The messages that unmask a blind round's updates, which are of no use without them.</summary>
    public ExchangeFiles ExchangeOf(RoundPlan plan) => new(_data, plan);

    /// <summary>Drops everything in an incoming folder; what is still being written there ends nowhere.</summary>
    public void DropIncoming(string folder)
    {
        var directory = Path.Combine(_incoming, folder);
        try
        {
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        }
        catch (IOException)
        {
            // Something arrived while it was dropped: it goes with the next drop, and nothing depends on it.
        }
    }

    /// <summary>Adopts a complete, flushed file under its digest. Durable when this returns; the incoming file is gone.</summary>
    public ModelRef Adopt(string incomingPath, Sha256Digest digest)
    {
        var path = PathOf(digest);
        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableFile.Publish(incomingPath, path);
        return new ModelRef(digest, new FileInfo(path).Length);
    }
}
