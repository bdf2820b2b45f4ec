using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;

namespace FedSeg.Desk.Tests.SignIn;

/// <summary>Every address of the page, found by reflection: a new one without a row here fails.</summary>
public sealed class DoorsTests : IAsyncLifetime
{
    /// <summary>What somebody sees who has not signed in: the way in, and what it looks like.</summary>
    private static readonly string[] Open = ["/desk.css", "/favicon.ico", "/problem/{Code}", "/sign-in", "/sign-in/provider", "/signed-in"];

    private static readonly string[] OfAnyRole =
    [
        "/", "/_framework/opaque-redirect", "/history", "/ledger", "/ledger/{index:long}/proof", "/patients", "/patients/find", "/patients/{Digits}", "/plans/{Digits}", "/policy", "/sign-out", "/site", "/studies", "/studies/{Digits}",
        "/studies/{Name}/leave", "/updates/{Digits}", "/updates/{update}/report", "/updates/{update}/weights",
    ];

    /// <summary>Which role may give which, <see cref="RolesTests"/> tries out.</summary>
    private static readonly string[] Orders =
    [
        "/orders/accept-charter", "/orders/approve", "/orders/approve-plan", "/orders/approve-policy", "/orders/decline-charter", "/orders/halt", "/orders/leave-study", "/orders/lift", "/orders/pause", "/orders/refuse", "/orders/refuse-plan",
        "/orders/refuse-policy", "/orders/resume", "/orders/withdraw-patient",
    ];

    private DeskHost _desk = null!;

    public async ValueTask InitializeAsync() => _desk = await DeskHost.StartAsync(provider: null);

    public ValueTask DisposeAsync() => _desk.DisposeAsync();

    [Fact]
    public void Address_EveryOne_HasARow() =>
        Assert.Equal([.. Open.Concat(OfAnyRole).Concat(Orders).Order(StringComparer.Ordinal)], _desk.Endpoints.Select(RouteOf).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public async Task Address_WithoutASession_IsOpenOrLeadsToTheDoorAsItsRowSays()
    {
        using var stranger = new SignInWalk(_desk.Address);
        foreach (var endpoint in _desk.Endpoints)
        {
            Assert.Equal(Open.Contains(RouteOf(endpoint)), endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null);
            var methods = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods;
            if (Open.Contains(RouteOf(endpoint)) || methods?.Contains("GET") == false) continue;
            var address = RouteOf(endpoint).Replace("{index:long}", "0", StringComparison.Ordinal).Replace("{Digits}", "x", StringComparison.Ordinal).Replace("{Name}", "x", StringComparison.Ordinal).Replace("{update}", "x", StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.Redirect, await stranger.StatusOfAsync(address));
        }
    }

    private static string RouteOf(RouteEndpoint endpoint) => "/" + endpoint.RoutePattern.RawText!.TrimStart('/');
}
