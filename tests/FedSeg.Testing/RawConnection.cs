using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace FedSeg.Testing;

/// <summary>A connection whose every byte the test chooses: what no decent client library would send.</summary>
public sealed class RawConnection : IDisposable
{
    private const byte Headers = 1, ResetStream = 3, Settings = 4, Cancel = 8;

    private readonly Socket _socket;
    private Stream _stream;

    private RawConnection(Socket socket) => (_socket, _stream) = (socket, new NetworkStream(socket));

    /// <summary>Connects and says nothing.</summary>
    /// <param name="door">Where to.</param>
    /// <param name="from">The address to come from; all of 127.0.0.0/8 is this machine.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<RawConnection> OpenAsync(Uri door, string from, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(IPAddress.Parse(door.Host), door.Port, cancellationToken);
        return new RawConnection(socket);
    }

    /// <summary>Connects and shakes hands. In TLS 1.3 that succeeds here before the other side has judged the certificate.</summary>
    public static async Task<RawConnection> OpenSecureAsync(
        Uri door, SslStreamCertificateContext? certificate, string from, CancellationToken cancellationToken)
    {
        var connection = await OpenAsync(door, from, cancellationToken);
        await connection.SecureAsync(certificate, cancellationToken);
        return connection;
    }

    /// <summary>Connects and goes on to HTTP/2's preface and settings.</summary>
    public static async Task<RawConnection> OpenHttp2Async(
        Uri door, SslStreamCertificateContext? certificate, string from, CancellationToken cancellationToken)
    {
        var connection = await OpenSecureAsync(door, certificate, from, cancellationToken);
        await connection.SendAsync((byte[])[.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(Settings, 0, 0, [])], cancellationToken);
        return connection;
    }

    /// <summary>A frame of HTTP/2, RFC 9113 section 4.1.</summary>
    public static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8 | type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>The headers of a call, whole.</summary>
    public static byte[] Call(int stream, string path) => Frame(Headers, 4, stream, HeaderBlock(path));

    /// <summary>Calls that are each taken back as soon as they are made.</summary>
    public static IEnumerable<byte[]> CallsTakenBack(int count, string path) => Enumerable.Range(0, count).Select(call => 2 * call + 1)
        .Select(stream => (byte[])[.. Call(stream, path), .. Frame(ResetStream, 0, stream, [0, 0, 0, Cancel])]);

    /// <summary>A call's headers in HPACK (RFC 7541), nothing compressed and nothing indexed but static names.</summary>
    public static byte[] HeaderBlock(string path, params IEnumerable<(string Name, string Value)> more)
    {
        var block = new MemoryStream();
        block.Write([0x83, 0x87]);
        block.WriteByte(0x04);
        Text(path);
        block.WriteByte(0x01);
        Text("localhost");
        foreach (var (name, value) in more.Prepend(("te", "trailers")).Prepend(("content-type", "application/grpc")))
        {
            block.WriteByte(0);
            Text(name);
            Text(value);
        }

        return block.ToArray();

        void Text(string text)
        {
            // 7-bit prefix; longer ones go on in groups of seven bits.
            if (text.Length < 127)
            {
                block.WriteByte((byte)text.Length);
            }
            else
            {
                block.WriteByte(127);
                var rest = text.Length - 127;
                for (; rest >= 128; rest >>= 7) block.WriteByte((byte)(rest & 127 | 128));
                block.WriteByte((byte)rest);
            }

            block.Write(Encoding.ASCII.GetBytes(text));
        }
    }

    public Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _stream.WriteAsync(bytes, cancellationToken).AsTask();

    /// <summary>Sends piece after piece until the coordinator has cut the connection.</summary>
    /// <returns>How many pieces it took.</returns>
    public async Task<int> SendUntilCutAsync(IEnumerable<byte[]> pieces, TimeSpan pause, CancellationToken cancellationToken)
    {
        var cut = CutAsync(cancellationToken);
        var sent = 0;
        foreach (var piece in pieces)
        {
            if (cut.IsCompleted) break;
            try
            {
                await SendAsync(piece, cancellationToken);
            }
            catch (IOException)
            {
                break;
            }

            sent++;
            if (pause > TimeSpan.Zero) await Task.WhenAny(cut, Task.Delay(pause, TimeProvider.System, cancellationToken));
        }

        await cut;
        return sent;
    }

    /// <summary>Completes when the coordinator has cut the connection; what it says before that is passed over.</summary>
    public async Task CutAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[16 << 10];
        try
        {
            while (await _stream.ReadAsync(buffer, cancellationToken) > 0)
            {
            }
        }
        catch (IOException)
        {
            // Cut without a goodbye.
        }
    }

    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }

    private async Task SecureAsync(SslStreamCertificateContext? certificate, CancellationToken cancellationToken)
    {
        var tls = new SslStream(_stream, leaveInnerStreamOpen: false, (_, server, _, _) => server is not null);
        _stream = tls;
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = SslProtocols.Tls13,
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                ClientCertificateContext = certificate,
            },
            cancellationToken);
    }
}
