using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using FedSeg.Testing;
using Google.Protobuf;

namespace FedSeg.HostileSwarm;

/// <summary>
/// Bad clients by the hundred, an eighth of each kind, from two hundred addresses. Who is cut comes back three seconds later. The last three
/// kinds hold certificates of members, as a thief would.
/// </summary>
internal sealed class Swarm : IDisposable
{
    private const string ListRuns = "/fedseg.v1.Runs/List", Upload = "/fedseg.v1.Federation/Upload";
    private const byte Data = 0;
    private const int ConnectionsOfAThief = 16;
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(3), Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>100 000 calls, each taken back at once; a thousand go out together, so that they cost this process little.</summary>
    private static readonly byte[][] Resets =
        [.. RawConnection.CallsTakenBack(100_000, ListRuns).Chunk(1000).Select(calls => calls.SelectMany(bytes => bytes).ToArray())];

    private readonly TemporaryFolder _folder = new();
    private readonly FederationAuthority _authority;
    private readonly SslStreamCertificateContext _foreign, _expired;
    private readonly List<SslStreamCertificateContext> _stolen = [];
    private readonly (string Name, Func<int, Uri, string, CancellationToken, Task> Behave)[] _kinds;

    /// <param name="authority">Of the coordinators to come.</param>
    public Swarm(FederationAuthority authority)
    {
        _authority = authority;
        _foreign = Sign(FederationAuthority.Create(_folder["elsewhere"], "demo", TimeProvider.System), "foreign", TimeSpan.FromDays(1));
        // Certificates begin five minutes ago.
        _expired = Sign(authority, "expired", TimeSpan.FromMinutes(-1));
        _kinds =
        [
            ("no certificate", (_, door, from, end) => KnockAsync(null, door, from, end)),
            ("wrong authority", (_, door, from, end) => KnockAsync(_foreign, door, from, end)),
            ("expired", (_, door, from, end) => KnockAsync(_expired, door, from, end)),
            ("garbage", GarbageAsync),
            ("hang in the handshake", HangAsync),
            ("slowloris", SlowlyAsync),
            ("rapid reset", ResetAsync),
            ("tiny chunks", CrumbleAsync),
        ];
    }

    /// <summary>How often clients of each kind came.</summary>
    public ConcurrentDictionary<string, int> Visits { get; } = [];

    /// <summary>Lets the clients loose until told to stop.</summary>
    public async Task AttackAsync(Uri door, int clients, CancellationToken end)
    {
        var thieves = 3 * clients / _kinds.Length / ConnectionsOfAThief + 1;
        for (var i = 0; i < thieves; i++) _stolen.Add(Sign(_authority, $"robbed-{i}", TimeSpan.FromDays(1)));
        await Task.WhenAll(Enumerable.Range(0, clients).Select(i => PersistAsync(i, door, end)));
    }

    public void Dispose()
    {
        foreach (var certificate in _stolen.Append(_foreign).Append(_expired)) certificate.TargetCertificate.Dispose();
        _folder.Dispose();
    }

    private async Task PersistAsync(int i, Uri door, CancellationToken end)
    {
        var (name, behave) = _kinds[i % _kinds.Length];
        var from = $"127.0.1.{1 + i % 200}";
        try
        {
            // Not all in one instant.
            await Task.Delay(Rest * (i / 1000.0), TimeProvider.System, end);
            while (true)
            {
                Visits.AddOrUpdate(name, 1, (_, count) => count + 1);
                try
                {
                    await behave(i, door, from, end);
                }
                catch (Exception error) when (error is IOException or SocketException or AuthenticationException)
                {
                    // Cut while it said something.
                }

                await Task.Delay(Rest, TimeProvider.System, end);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // Told to stop.
        }
    }

    private static async Task KnockAsync(SslStreamCertificateContext? certificate, Uri door, string from, CancellationToken end)
    {
        using var connection = await RawConnection.OpenSecureAsync(door, certificate, from, end);
        await connection.CutAsync(end);
    }

    private static async Task GarbageAsync(int i, Uri door, string from, CancellationToken end)
    {
        using var connection = await RawConnection.OpenAsync(door, from, end);
        await connection.SendAsync(RandomNumberGenerator.GetBytes(1024), end);
        await connection.CutAsync(end);
    }

    private static async Task HangAsync(int i, Uri door, string from, CancellationToken end)
    {
        using var connection = await RawConnection.OpenAsync(door, from, end);
        await connection.CutAsync(end);
    }

    private async Task SlowlyAsync(int i, Uri door, string from, CancellationToken end)
    {
        using var connection = await RawConnection.OpenHttp2Async(door, Stolen(i), from, end);
        await connection.SendUntilCutAsync(RawConnection.Call(1, ListRuns).Select(one => new[] { one }), Pause, end);
    }

    private async Task ResetAsync(int i, Uri door, string from, CancellationToken end)
    {
        using var connection = await RawConnection.OpenHttp2Async(door, Stolen(i), from, end);
        await connection.SendUntilCutAsync(Resets, TimeSpan.Zero, end);
    }

    private async Task CrumbleAsync(int i, Uri door, string from, CancellationToken end)
    {
        using var connection = await RawConnection.OpenHttp2Async(door, Stolen(i), from, end);
        await connection.SendAsync(RawConnection.Call(1, Upload), end);
        var crumb = new UploadPart { Chunk = FileChunks.Of(new byte[1]) }.ToByteArray();
        // A message of gRPC: not compressed, its length, itself.
        var frame = RawConnection.Frame(Data, 0, 1, [0, 0, 0, 0, (byte)crumb.Length, .. crumb]);
        byte[] hundred = [.. Enumerable.Repeat(frame, 100).SelectMany(bytes => bytes)];
        await connection.SendUntilCutAsync(Enumerable.Repeat(hundred, 1000), Pause, end);
    }

    private SslStreamCertificateContext Stolen(int i) => _stolen[i / _kinds.Length % _stolen.Count];

    private SslStreamCertificateContext Sign(FederationAuthority authority, string name, TimeSpan validity)
    {
        var key = _folder[Guid.NewGuid() + ".key"];
        var request = KeyFiles.CreateRequest(key, name);
        File.WriteAllText(key + ".pem", authority.SignMember(request, MemberKind.Site, name, PersonRole.None, validity));
        return SslStreamCertificateContext.Create(KeyFiles.LoadCertificate(key + ".pem", key), null, offline: true);
    }
}
