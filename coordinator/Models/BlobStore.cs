using FedSeg.Coordinator.Blind;
using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Storage;

namespace FedSeg.Coordinator.Models;

/// <summary>
/// Models and updates as files named by their SHA-256. A blob never changes; storing the same bytes twice is one blob. With a bucket, that
/// is where they are safe, and the folder holds copies to work on: one that is missing is fetched.
/// </summary>
internal sealed class BlobStore
{
    private const string FetchFolder = "bucket";

    private readonly string _blobs;
    private readonly string _copies;
    private readonly string _incoming;
    private readonly string _data;
    private readonly BlobBucket? _bucket;
    private readonly Lock _fetching = new();

    /// <param name="dataDirectory">Holds blobs and what is on its way to become one.</param>
    /// <param name="bucket">Where blobs are safe; <see langword="null"/> when that is the folder itself.</param>
    public BlobStore(string dataDirectory, BlobBucket? bucket = null)
        : this(dataDirectory, bucket, copies: dataDirectory)
    {
        DurableFile.CreateDirectory(_blobs);
        // What a crash left of it is fetched anew.
        if (bucket is not null) DropIncoming(FetchFolder);
    }

    private BlobStore(string dataDirectory, BlobBucket? bucket, string copies)
    {
        (_data, _bucket) = (dataDirectory, bucket);
        (_blobs, _copies) = (Path.Combine(dataDirectory, "blobs"), Path.Combine(copies, "blobs"));
        _incoming = Directory.CreateDirectory(Path.Combine(copies, "incoming")).FullName;
    }

    /// <summary>Reads a data folder, which a coordinator may be at work in, and changes nothing there.</summary>
    /// <param name="dataDirectory">As above.</param>
    /// <param name="bucket">As above.</param>
    /// <param name="copies">Where blobs go that have to be fetched; the caller's to delete.</param>
    public static BlobStore OpenReadOnly(string dataDirectory, BlobBucket? bucket, string copies) => new(dataDirectory, bucket, copies);

    /// <summary>
    /// Where a blob's bytes are to be read; no file is there when it is not stored. With a bucket it may have to be fetched.
    /// </summary>
    /// <exception cref="IOException">It could not be fetched.</exception>
    /// <exception cref="InvalidDataException">The bucket's is not what its name says.</exception>
    public string PathOf(Sha256Digest digest)
    {
        var path = LocalPath(digest);
        if (_bucket is null || File.Exists(path)) return path;
        // Once for all who need it.
        lock (_fetching)
        {
            if (!File.Exists(path)) Fetch(_bucket, digest, path);
        }

        return path;
    }

    /// <summary>Removes a blob; nothing happens when it is gone already.</summary>
    /// <exception cref="IOException">It could not be removed; it is still stored.</exception>
    public void Delete(Sha256Digest digest)
    {
        // The copy last: as long as it is here, whoever tries again finds out that there is something to remove.
        _bucket?.Delete(digest);
        // Without its folder the system would call it an error.
        if (File.Exists(LocalPath(digest))) File.Delete(LocalPath(digest));
    }

    /// <summary>Whether a blob is stored.</summary>
    /// <exception cref="IOException">The bucket did not say.</exception>
    public bool Contains(Sha256Digest digest) => File.Exists(LocalPath(digest)) || _bucket?.Contains(digest) == true;

    /// <summary>Asks the bucket, if there is one, whether it could store anything.</summary>
    /// <exception cref="IOException">It can't be reached, or refuses.</exception>
    public void CheckBucket() => _bucket?.Check();

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

    /// <summary>
    /// Adopts a complete, flushed file under its digest. Durable when this returns, in the bucket if there is one; the incoming file is
    /// gone.
    /// </summary>
    /// <exception cref="IOException">It could not be stored; the incoming file is still there.</exception>
    public ModelRef Adopt(string incomingPath, Sha256Digest digest)
    {
        // First, so that a copy here never stands for a blob that is not safe.
        _bucket?.Put(digest, incomingPath);
        var path = LocalPath(digest);
        Publish(incomingPath, path);
        return new ModelRef(digest, new FileInfo(path).Length);
    }

    private string LocalPath(Sha256Digest digest)
    {
        var name = Path.Combine(digest.ToString()[..2], digest + ".safetensors");
        var stored = Path.Combine(_blobs, name);
        return File.Exists(stored) ? stored : Path.Combine(_copies, name);
    }

    private void Fetch(BlobBucket bucket, Sha256Digest digest, string path)
    {
        var arriving = IncomingPath(FetchFolder, digest.ToString());
        try
        {
            if (bucket.Fetch(digest, arriving)) Publish(arriving, path);
        }
        finally
        {
            File.Delete(arriving);
        }
    }

    private static void Publish(string arrived, string path)
    {
        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableFile.Publish(arrived, path);
    }
}
