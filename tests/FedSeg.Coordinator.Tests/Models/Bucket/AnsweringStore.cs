using System.Net;
using System.Net.Sockets;
using System.Text;
using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Testing;

namespace FedSeg.Coordinator.Tests.Models.Bucket;

/// <summary>Answers each request with a status and a body that the test chooses by the request's first line, and closes the line.</summary>
internal sealed class AnsweringStore : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly TemporaryFolder _folder = new();
    private readonly Func<string, (string Status, string Body)> _answer;
    private readonly Task _answering;

    public AnsweringStore(Func<string, (string Status, string Body)> answer)
    {
        _answer = answer;
        _folder.Write("credentials", "key\nsecret\n");
        _listener.Start();
        _answering = AnswerAsync();
    }

    public BucketOptions Options => new()
    {
        Endpoint = $"http://{_listener.LocalEndpoint}",
        Name = "bucket",
        Credentials = _folder["credentials"],
    };

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _answering);
        _listener.Dispose();
        _end.Dispose();
        _folder.Dispose();
    }

    private async Task AnswerAsync()
    {
        while (true)
        {
            using var connection = await _listener.AcceptTcpClientAsync(_end.Token);
            var stream = connection.GetStream();
            using var reader = new StreamReader(stream, leaveOpen: true);
            var request = await reader.ReadLineAsync(_end.Token);
            while (await reader.ReadLineAsync(_end.Token) is { Length: > 0 })
            {
                // Its headers. Nothing that is asked here has a body.
            }

            var (status, body) = _answer(request!);
            var length = status.StartsWith("204", StringComparison.Ordinal) ? "" : $"Content-Length: {body.Length}\r\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nConnection: close\r\n{length}\r\n{body}"), _end.Token);
        }
    }
}
