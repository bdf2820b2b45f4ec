using System.Net;
using System.Net.Sockets;
using System.Text;
using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Coordinator.Operations;
using FedSeg.Federation.Identity;
using FedSeg.Testing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Coordinator.Tests.Models.Bucket;

public sealed class BlobBucketTests(SwiftServer server) : IAsyncLifetime
{
    private static readonly byte[] Bytes = [1, 2, 3];
    private static readonly Sha256Digest Digest = Sha256Digest.Of(Bytes);
    private readonly TemporaryFolder _folder = new();
    private BucketOptions _options = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string KeyOf(Sha256Digest digest) => $"/{_options.Prefix}{digest.ToString()[..2]}/{digest}.safetensors";

    public async ValueTask InitializeAsync()
    {
        _options = await server.CreateBucketAsync(Token);
        File.WriteAllBytes(_folder["file"], Bytes);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void Put_BytesOfAnotherDigest_AreRefusedByTheStore()
    {
        using var bucket = Open();
        var other = Sha256Digest.Of("other"u8);

        Assert.Contains("refused (PUT): 400", Assert.Throws<IOException>(() => bucket.Put(other, _folder["file"])).Message,
            StringComparison.Ordinal);
        Assert.False(bucket.Contains(other));
    }

    [Fact]
    public async Task Fetch_BlobThatWasChangedInTheStore_IsNotTaken()
    {
        using var bucket = Open();
        bucket.Put(Digest, _folder["file"]);
        await SwiftServer.PutAsync(_options, KeyOf(Digest), [9, 9, 9], Token);

        Assert.Contains("not what its name says", Assert.Throws<InvalidDataException>(() => bucket.Fetch(Digest, _folder["fetched"])).Message,
            StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => new BlobStore(_folder["data"], bucket).PathOf(Digest));
        Assert.Empty(Directory.GetFiles(_folder["data"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void PutAndFetch_LargerThanAnyBuffer_GiveTheSameBytes()
    {
        using var bucket = Open();
        var large = new byte[3_000_017];
        new Random(1).NextBytes(large);
        File.WriteAllBytes(_folder["large"], large);
        bucket.Put(Sha256Digest.Of(large), _folder["large"]);

        Assert.True(bucket.Fetch(Sha256Digest.Of(large), _folder["fetched"]));
        Assert.Equal(large, File.ReadAllBytes(_folder["fetched"]));
    }

    [Fact]
    public void Put_WithAnotherSecret_NamesTheStoresReasonAndNotTheKey()
    {
        File.WriteAllText(_folder["wrong"], "test:tester\nguessed\n");
        _options.Credentials = _folder["wrong"];
        using var bucket = Open();

        var refused = Assert.Throws<IOException>(() => bucket.Put(Digest, _folder["file"])).Message;
        Assert.Contains("403 SignatureDoesNotMatch", refused, StringComparison.Ordinal);
        Assert.DoesNotContain("guessed", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_BucketThatIsThereMissingOrAway_IsReadyOrNot()
    {
        Assert.Equal(HealthStatus.Healthy, (await ReadinessAsync()).Status);

        _options.Name = "no-such-bucket";
        Assert.Equal(HealthStatus.Unhealthy, (await ReadinessAsync()).Status);

        _options.Endpoint = "http://127.0.0.1:9";
        Assert.Contains("can't be reached", (await ReadinessAsync()).Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nhalf")]
    [InlineData("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 10\r\n\r\nhalf")]
    public async Task Fetch_StoreThatFallsSilent_EndsInTime(string said)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        _options.Endpoint = $"http://{silent.LocalEndpoint}";
        var time = new FakeTimeProvider();
        using var bucket = new BlobBucket(_options, time);
        var fetching = Task.Run(() => bucket.Fetch(Digest, _folder["fetched"]), Token);
        using var connection = await silent.AcceptTcpClientAsync(Token);
        await connection.GetStream().ReadExactlyAsync(new byte[100], Token);
        await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes(said), Token);

        while (!fetching.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Token);
        }

        await Assert.ThrowsAnyAsync<IOException>(() => fetching);
    }

    private async Task<HealthCheckResult> ReadinessAsync()
    {
        using var bucket = Open();
        return await new BucketCheck(new BlobStore(_folder["ready"], bucket)).CheckHealthAsync(new HealthCheckContext(), Token);
    }

    private BlobBucket Open() => new(_options, TimeProvider.System);
}
