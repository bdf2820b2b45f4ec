using System.Diagnostics;
using System.Security.Cryptography;
using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Coordinator.Tests.Models.Bucket;
using FedSeg.Testing;

[assembly: AssemblyFixture(typeof(SwiftServer))]

namespace FedSeg.Coordinator.Tests.Models.Bucket;

/// <summary>
/// A real S3-compatible store, OpenStack Swift from Debian's package, in a folder and a process of its own. It checks signatures and the
/// digests of what is stored. Started when first asked for.
/// </summary>
public sealed class SwiftServer : IAsyncDisposable
{
    private const string Python = "/usr/bin/python3", Package = "/usr/lib/python3/dist-packages/swift", AccessKey = "test:tester",
        SecretKey = "testing";

    private readonly TemporaryFolder _folder = new();
    private readonly SemaphoreSlim _starting = new(1);
    private Process? _server;
    private string _endpoint = "";
    private int _buckets;

    /// <summary>The settings of a new, empty bucket.</summary>
    internal async Task<BucketOptions> CreateBucketAsync(CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken);
        try
        {
            if (_server is null) await StartAsync(cancellationToken);
        }
        finally
        {
            _starting.Release();
        }

        var options = new BucketOptions
        {
            Endpoint = _endpoint,
            Name = $"bucket-{Interlocked.Increment(ref _buckets)}",
            Prefix = "fedseg/",
            Credentials = _folder["credentials"],
        };
        await PutAsync(options, "", [], cancellationToken);
        return options;
    }

    /// <summary>Stores bytes under any name, past what is tested; without a name it makes the bucket.</summary>
    internal static async Task PutAsync(BucketOptions options, string name, byte[] bytes, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{options.Endpoint}/{options.Name}{name}") { Content =
            new ByteArrayContent(bytes) };
        new RequestSignature(options.Region, AccessKey, SecretKey).Sign(request, Convert.ToHexStringLower(SHA256.HashData(bytes)),
            TimeProvider.System.GetUtcNow());
        using var answer = await http.SendAsync(request, cancellationToken);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            _server.Kill();
            await _server.WaitForExitAsync();
            _server.Dispose();
        }

        _starting.Dispose();
        _folder.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        Assert.SkipUnless(Directory.Exists(Package),
            "No S3-compatible store to test with: apt-get install python3-swift. Blobs in a bucket were not tested.");
        File.WriteAllText(_folder["credentials"], $"{AccessKey}\n{SecretKey}\n");
        var script = RepositoryFile.Find("tests", "FedSeg.Coordinator.Tests", "Models", "Bucket", "swift_server.py");
        var server = Process.Start(new ProcessStartInfo(Python, [script, _folder["swift"]])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var complaints = server.StandardError.ReadToEndAsync(CancellationToken.None);
        var line = await server.StandardOutput.ReadLineAsync(cancellationToken);
        Assert.True(line?.StartsWith("port ", StringComparison.Ordinal) == true, line is null ? await complaints : line);
        _endpoint = $"http://127.0.0.1:{line![5..]}";
        _server = server;
    }
}
