using System.Net;
using System.Net.Sockets;
using FedSeg.Coordinator.Operations;
using FedSeg.Hosting.Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace FedSeg.Coordinator.Connections;

/// <summary>
/// What strangers and members may hold open at one door. A stranger gets no further than the handshake, so handshakes under way have few
/// places of their own; where these run out, the one that has taken longest goes, because a client that means it needs milliseconds.
/// </summary>
internal sealed class ConnectionLimits(ConnectionOptions options, CoordinatorTelemetry telemetry)
{
    private readonly Lock _gate = new();

    /// <summary>Handshakes under way, oldest first.</summary>
    private readonly LinkedList<Handshake> _handshakes = [];

    /// <summary>Connections by certificate or address.</summary>
    private readonly Dictionary<string, int> _callers = new(StringComparer.Ordinal);

    /// <summary>Has a door speak TLS, within the limits.</summary>
    public void Guard(ListenOptions door, HttpsConnectionAdapterOptions tls)
    {
        door.Use(next => connection => ShakeHandsAsync(connection, next));
        door.UseHttps(tls);
        door.Use(next => connection => AdmitAsync(connection, next));
    }

    private async Task ShakeHandsAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var place = Begin(new Handshake(connection, AddressOf(connection.RemoteEndPoint)));
        connection.Items[typeof(Handshake)] = place;
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
        var place = (LinkedListNode<Handshake>)connection.Items[typeof(Handshake)]!;
        End(place);
        var certificate = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        var caller = certificate is null ? place.Value.Address : MutualTls.Thumbprint(certificate);
        if (!Enter(caller))
        {
            telemetry.ConnectionRefused(ConnectionRefusal.CallersShare);
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            Leave(caller);
        }
    }

    private LinkedListNode<Handshake> Begin(Handshake handshake)
    {
        Handshake? displaced = null;
        LinkedListNode<Handshake> place;
        lock (_gate)
        {
            if (_handshakes.Count >= options.MaximumHandshakes)
            {
                // Not simply the oldest of all: who fills the places from one address has to displace his own.
                displaced = _handshakes.GroupBy(waiting => waiting.Address).MaxBy(address => address.Count())!.First();
                _handshakes.Remove(displaced);
            }

            place = _handshakes.AddLast(handshake);
        }

        if (displaced is not null)
        {
            telemetry.ConnectionRefused(ConnectionRefusal.Handshakes);
            displaced.Connection.Abort(new ConnectionAbortedException("Too many handshakes were under way."));
        }

        return place;
    }

    private void End(LinkedListNode<Handshake> place)
    {
        lock (_gate) place.List?.Remove(place);
    }

    private bool Enter(string caller)
    {
        lock (_gate)
        {
            var open = _callers.GetValueOrDefault(caller);
            if (open >= options.MaximumPerCaller) return false;
            _callers[caller] = open + 1;
            return true;
        }
    }

    private void Leave(string caller)
    {
        lock (_gate)
        {
            if (--_callers[caller] == 0) _callers.Remove(caller);
        }
    }

    /// <summary>The address; of IPv6 the network, since everybody has 2^64 of the rest.</summary>
    private static string AddressOf(EndPoint? endpoint)
    {
        if (endpoint is not IPEndPoint { Address: var address }) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8))
            : address.ToString();
    }

    private sealed record Handshake(ConnectionContext Connection, string Address);
}
