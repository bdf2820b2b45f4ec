using System.Text.Json;
using FedSeg.Egress.Tests;
using FedSeg.Hosting.Programs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Desk.Tests.SignIn;

/// <summary>The page as Program.cs builds it, in this process, so that a test can let time pass; beside it a gate that obeys.</summary>
internal sealed class DeskHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ObeyingAgent _agent;

    private DeskHost(HospitalOnDisk hospital, WebApplication app, FakeTimeProvider time)
    {
        (Hospital, Time, _app) = (hospital, time, app);
        Address = new Uri(app.Urls.Single());
        _agent = new ObeyingAgent(hospital);
    }

    public HospitalOnDisk Hospital { get; }

    public FakeTimeProvider Time { get; }

    public Uri Address { get; }

    /// <summary>Every address it answers to.</summary>
    public IReadOnlyList<RouteEndpoint> Endpoints =>
        [.. _app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    public static async Task<DeskHost> StartAsync(HospitalProvider? provider, object? openId = null)
    {
        openId ??= provider?.Settings("desk.secret");
        var hospital = new HospitalOnDisk();
        await DeskOnDisk.WriteAccountsAsync(hospital);
        var settings = Path.Combine(hospital.Root, "agent.json");
        await File.WriteAllTextAsync(Path.Combine(hospital.Root, "desk.secret"), HospitalProvider.ClientSecret + "\n", HospitalOnDisk.Token);
        await File.WriteAllTextAsync(settings, JsonSerializer.Serialize(new
        {
            Agent = new { Site = "north", Coordinator = "https://coordinator.example.org:7443", DataDirectory = ".", EgressPolicy = "egress.yaml" },
            Desk = openId is null ? (object)new { Listen = "127.0.0.1:0" } : new { Listen = "127.0.0.1:0", OpenId = openId },
        }), HospitalOnDisk.Token);

        string[] args = ["--settings", settings];
        // Now, because the provider's tokens are of now.
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var builder = WebApplication.CreateSlimBuilder();
        ServiceProgram.Configure(builder, args);
        builder.Logging.ClearProviders();
        builder.AddDeskOptions(args);
        builder.AddDeskEndpoint();
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddDesk().AddAccounts().AddPages();
        builder.AddProvider();
        var app = builder.Build();
        app.UseDesk();
        await app.StartAsync(HospitalOnDisk.Token);
        var host = new DeskHost(hospital, app, time);
        if (provider is not null) await provider.TrustAsync(host.Address);
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _agent.DisposeAsync();
        Hospital.Dispose();
    }
}
