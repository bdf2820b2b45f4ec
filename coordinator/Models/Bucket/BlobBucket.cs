using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Storage;

namespace FedSeg.Coordinator.Models.Bucket;

/// <summary>
/// Models and updates in a bucket of an S3-compatible store, each under its SHA-256. That digest is signed with each request, so the store
/// itself refuses bytes that were damaged on the way, and what is fetched is compared with its name before anybody reads it. Four verbs of
/// the protocol are all it takes, and they block: whoever stores a blob can't go on before it is safe.
/// </summary>
internal sealed partial class BlobBucket : IDisposable
{
    /// <summary>For a request as such; its bytes come on top, at <see cref="LeastBytesPerSecond"/>.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const long LeastBytesPerSecond = 1 << 20;
    private const int LongestComplaint = 4096;
    private const string MissingBlob = "NoSuchKey";
    private static readonly string NoPayload = Convert.ToHexStringLower(SHA256.HashData([]));

    private readonly HttpClient _http = new(
        new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false }) { Timeout = Timeout.InfiniteTimeSpan };
    private readonly RequestSignature _signature;
    private readonly Uri _bucket;
    private readonly string _prefix;
    private readonly TimeProvider _time;

    /// <param name="options">On and valid.</param>
    /// <param name="time">Dates the requests and ends those that take too long.</param>
    public BlobBucket(BucketOptions options, TimeProvider time)
    {
        var (accessKey, secretKey) = options.ReadCredentials()!.Value;
        _signature = new RequestSignature(options.Region, accessKey, secretKey);
        _bucket = new Uri(new Uri(options.Endpoint), options.Name + "/");
        _prefix = options.Prefix;
        _time = time;
    }

    /// <summary>Stores a file under its digest. The store has it, durably, when this returns.</summary>
    /// <exception cref="IOException">It could not be stored.</exception>
    public void Put(Sha256Digest digest, string path)
    {
        using var bytes = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        using var content = new StreamContent(bytes, 1 << 17);
        using var answer = Send(HttpMethod.Put, AddressOf(digest), content, digest.ToString(), bytes.Length, HttpStatusCode.OK);
    }

    /// <summary>Whether the store has it.</summary>
    /// <exception cref="IOException">The store did not say.</exception>
    public bool Contains(Sha256Digest digest)
    {
        // Its bytes are not read; but an answer to HEAD could not say why there are none.
        using var answer = Send(HttpMethod.Get, AddressOf(digest), null, NoPayload, 0, HttpStatusCode.OK, HttpStatusCode.NotFound);
        return answer.StatusCode == HttpStatusCode.OK;
    }

    /// <summary>Fetches it into a new file, whole and on the disk when this returns.</summary>
    /// <returns>Whether the store had it; without, there is no file.</returns>
    /// <exception cref="IOException">It could not be fetched; the file may be unfinished.</exception>
    /// <exception cref="InvalidDataException">It is not what its name says, and will not be the next time.</exception>
    public bool Fetch(Sha256Digest digest, string path)
    {
        using var answer = Send(HttpMethod.Get, AddressOf(digest), null, NoPayload, 0, HttpStatusCode.OK, HttpStatusCode.NotFound);
        if (answer.StatusCode == HttpStatusCode.NotFound) return false;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        // Headers came in time; a body that then stays away would hold everybody who waits for the blob.
        using var patience = PatienceFor(answer.Content.Headers.ContentLength ?? BucketOptions.LargestBlob);
        using var hangUp = patience.Token.Register(answer.Dispose);
        try
        {
            using var bytes = answer.Content.ReadAsStream();
            var buffer = new byte[1 << 17];
            for (int read; (read = bytes.Read(buffer)) > 0;)
            {
                hash.AppendData(buffer, 0, read);
                file.Write(buffer, 0, read);
            }
        }
        catch (ObjectDisposedException error)
        {
            throw new IOException($"The bucket at {_bucket.Authority} fell silent within blob {digest.Abbreviated}.", error);
        }

        if (Sha256Digest.FromHash(hash.GetCurrentHash()) != digest) throw new InvalidDataException(
            $"The bucket's blob {digest.Abbreviated} is not what its name says.");
        DurableFile.Flush(file);
        return true;
    }

    /// <summary>Removes it; nothing happens when it is gone already.</summary>
    /// <exception cref="IOException">It could not be removed.</exception>
    public void Delete(Sha256Digest digest)
    {
        using var answer = Send(HttpMethod.Delete, AddressOf(digest), null, NoPayload, 0, HttpStatusCode.NoContent, HttpStatusCode.OK,
            HttpStatusCode.NotFound);
    }

    /// <summary>Asks for the bucket itself.</summary>
    /// <exception cref="IOException">It can't be reached, is not there, or lets this coordinator do nothing.</exception>
    public void Check()
    {
        using var answer = Send(HttpMethod.Head, new Uri(_bucket.AbsoluteUri.TrimEnd('/')), null, NoPayload, 0, HttpStatusCode.OK);
    }

    public void Dispose() => _http.Dispose();

    private Uri AddressOf(Sha256Digest digest) => new(_bucket, $"{_prefix}{digest.ToString()[..2]}/{digest}.safetensors");

    private HttpResponseMessage Send(HttpMethod method, Uri address, HttpContent? content, string payload, long bytes,
        params ReadOnlySpan<HttpStatusCode> expected)
    {
        using var request = new HttpRequestMessage(method, address) { Content = content };
        _signature.Sign(request, payload, _time.GetUtcNow());
        using var patience = PatienceFor(bytes);
        HttpResponseMessage answer;
        try
        {
            answer = _http.Send(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
        {
            throw new IOException($"The bucket at {_bucket.Authority} can't be reached ({method}): {error.Message.TrimEnd('.')}.", error);
        }

        var isExpected = expected.Contains(answer.StatusCode);
        if (isExpected && answer.StatusCode != HttpStatusCode.NotFound) return answer;
        var complaint = Complaint(answer, patience.Token);
        // A proxy before the store says "not found" too, and the store of the whole bucket.
        if (isExpected && complaint == MissingBlob) return answer;
        using (answer) throw new IOException($"The bucket {_bucket} refused ({method}): {(int)answer.StatusCode} {complaint}.");
    }

    private CancellationTokenSource PatienceFor(long bytes) => new(Patience + TimeSpan.FromSeconds(bytes / LeastBytesPerSecond), _time);

    /// <summary>The code in the store's answer; the rest of it may tell more than a log should hold.</summary>
    private string Complaint(HttpResponseMessage answer, CancellationToken patience)
    {
        var text = new byte[LongestComplaint];
        var read = 0;
        using (patience.Register(answer.Dispose))
        {
            try
            {
                using var body = answer.Content.ReadAsStream(patience);
                read = body.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            }
            catch (Exception error) when (error is ObjectDisposedException or OperationCanceledException)
            {
                throw new IOException($"The bucket at {_bucket.Authority} fell silent within its answer {(int)answer.StatusCode}.", error);
            }
        }

        return Code().Match(System.Text.Encoding.ASCII.GetString(text, 0, read)) is { Success: true } code ? code.Groups[1].Value
            : answer.StatusCode.ToString();
    }

    [GeneratedRegex("<Code>([A-Za-z0-9]{1,60})</Code>")]
    private static partial Regex Code();
}
