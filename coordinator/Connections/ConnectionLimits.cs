using System.Net;
using System.Net.Sockets;
using FedSeg.Coordinator.Operations;
using FedSeg.Hosting.Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace FedSeg.Coordinator.Connections;

/// <summary>
/// What strangers and members may hold open at one door. A stranger gets no further than the handshake, so handshakes under way have few
/// places of their own; where these run out, the one that has taken longest goes, because a client that means it needs milliseconds. Who
/// makes calls only to take them back is cut, and locked out for a while.
/// </summary>
internal sealed partial class ConnectionLimits(
    ConnectionOptions options, CoordinatorTelemetry telemetry, TimeProvider time, ILogger<ConnectionLimits> logger)
{
    private static readonly TimeSpan ResetWindow = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();

    /// <summary>Handshakes under way, oldest first.</summary>
    private readonly LinkedList<Visit> _handshakes = [];

    /// <summary>Connections by caller.</summary>
    private readonly Dictionary<string, int> _callers = new(StringComparer.Ordinal);

    /// <summary>When callers were locked out.</summary>
    private readonly Dictionary<string, long> _lockedOut = new(StringComparer.Ordinal);

    /// <summary>Has a door speak TLS, within the limits.</summary>
    public void Guard(ListenOptions door, HttpsConnectionAdapterOptions tls)
    {
        door.Use(next => connection => ShakeHandsAsync(connection, next));
        door.UseHttps(tls);
        door.Use(next => connection => AdmitAsync(connection, next));
    }

    /// <summary>Counts the calls that were taken back; one that was before anybody looked at it costs no more than that.</summary>
    public static async Task FollowAsync(HttpContext call, RequestDelegate next)
    {
        if (!call.RequestAborted.IsCancellationRequested) await next(call);
        if (!call.RequestAborted.IsCancellationRequested || call.Response.HasStarted) return;
        var items = ItemsOf(call);
        ((ConnectionLimits)items[typeof(ConnectionLimits)]!).CountReset((Visit)items[typeof(Visit)]!);
    }

    /// <summary>Where a call comes from: the address, of IPv6 the network.</summary>
    public static string AddressOf(HttpContext call) => ((Visit)ItemsOf(call)[typeof(Visit)]!).Address;

    private static IDictionary<object, object?> ItemsOf(HttpContext call) =>
        call.Features.GetRequiredFeature<IConnectionItemsFeature>().Items;

    private async Task ShakeHandsAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var visit = new Visit(connection, AddressOf(connection.RemoteEndPoint));
        connection.Items[typeof(ConnectionLimits)] = this;
        connection.Items[typeof(Visit)] = visit;
        var place = Begin(visit);
        try
        {
            await next(connection);
        }
        finally
        {
            End(place);
        }
    }

    private async Task AdmitAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var visit = (Visit)connection.Items[typeof(Visit)]!;
        var certificate = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        if (certificate is not null) visit.Caller = MutualTls.Thumbprint(certificate);
        if (Enter(visit) is { } refusal)
        {
            telemetry.ConnectionRefused(refusal);
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            Leave(visit);
        }
    }

    private LinkedListNode<Visit> Begin(Visit visit)
    {
        Visit? displaced = null;
        LinkedListNode<Visit> place;
        lock (_gate)
        {
            if (_handshakes.Count >= options.MaximumHandshakes)
            {
                // Not simply the oldest of all: who fills the places from one address has to displace his own.
                displaced = _handshakes.GroupBy(waiting => waiting.Address).MaxBy(address => address.Count())!.First();
                _handshakes.Remove(displaced);
            }

            place = _handshakes.AddLast(visit);
        }

        if (displaced is not null)
        {
            telemetry.ConnectionRefused(ConnectionRefusal.Handshakes);
            displaced.Connection.Abort(new ConnectionAbortedException("Too many handshakes were under way."));
        }

        return place;
    }

    private void End(LinkedListNode<Visit> place)
    {
        lock (_gate) place.List?.Remove(place);
    }

    private ConnectionRefusal? Enter(Visit visit)
    {
        lock (_gate)
        {
            _handshakes.Remove(visit);
            if (_lockedOut.TryGetValue(visit.Caller, out var since) && !IsOver(since)) return ConnectionRefusal.LockedOut;
            var open = _callers.GetValueOrDefault(visit.Caller);
            if (open >= options.MaximumPerCaller) return ConnectionRefusal.CallersShare;
            _callers[visit.Caller] = open + 1;
            return null;
        }
    }

    private void Leave(Visit visit)
    {
        lock (_gate)
        {
            if (--_callers[visit.Caller] == 0) _callers.Remove(visit.Caller);
        }
    }

    private void CountReset(Visit visit)
    {
        var now = time.GetTimestamp();
        bool locksOut;
        lock (_gate)
        {
            var windowIsOver = time.GetElapsedTime(visit.ResetsSince, now) > ResetWindow;
            if (visit.Resets == 0 || windowIsOver) (visit.Resets, visit.ResetsSince) = (0, now);
            visit.Resets++;
            locksOut = visit.Resets == options.MaximumResets + 1;
            if (locksOut)
            {
                foreach (var (caller, _) in _lockedOut.Where(other => IsOver(other.Value))) _lockedOut.Remove(caller);
                _lockedOut[visit.Caller] = now;
            }
        }

        if (!locksOut) return;
        telemetry.ConnectionRefused(ConnectionRefusal.Resets);
        LogLockedOut(visit.Caller, visit.Address, options.LockoutSeconds);
        visit.Connection.Abort(new ConnectionAbortedException("Too many calls were taken back."));
    }

    private bool IsOver(long lockedOutSince) => time.GetElapsedTime(lockedOutSince) >= TimeSpan.FromSeconds(options.LockoutSeconds);

    /// <summary>The address; of IPv6 the network, since everybody has 2^64 of the rest.</summary>
    private static string AddressOf(EndPoint? endpoint)
    {
        if (endpoint is not IPEndPoint { Address: var address }) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8))
            : address.ToString();
    }

    [LoggerMessage(215, LogLevel.Warning, "Locked {Caller} at {Address} out for {Seconds} s: it made calls only to take them back")]
    private partial void LogLockedOut(string caller, string address, int seconds);
}
