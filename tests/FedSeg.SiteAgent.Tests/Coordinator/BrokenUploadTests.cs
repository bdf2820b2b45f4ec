using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;
using FedSeg.SiteAgent.Coordinator;
using FedSeg.SiteAgent.Coordinator.Pace;
using FedSeg.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Tests.Coordinator;

/// <summary>An upload over real TLS whose line breaks in the middle of a write.</summary>
public sealed class BrokenUploadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    /// <summary>An exception of the disk would be the agent's own misfortune, and the round would begin anew for it.</summary>
    [Fact]
    public async Task Send_LineBreaksDuringAWrite_IsALostConnectionAndNoFullDisk()
    {
        var authority = FederationAuthority.Create(_folder["authority"], "test", TimeProvider.System);
        await using var coordinator = await KeepingCoordinator.StartAsync(_folder[""], authority);
        var request = KeyFiles.CreateRequest(_folder["north.key"], "north");
        File.WriteAllText(_folder["north.pem"],
            authority.SignMember(request, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(1)));
        var options = Options.Create(new AgentOptions
        {
            Site = "north",
            Coordinator = coordinator.Address,
            Certificate = _folder["north.pem"],
            PrivateKey = _folder["north.key"],
            Authority = authority.CertificatePath,
            DataDirectory = _folder[""],
        });
        using var channel = new CoordinatorChannel(options, TimeProvider.System);
        var pace = new SitePace(options, TimeProvider.System, NullLogger<SitePace>.Instance);
        var client = new CoordinatorClient(channel, pace, TimeProvider.System);
        var update = await ClearedUpdates.OfAsync(_folder, options.Value, baseFeatures: 60);
        coordinator.BreaksUploads = true;

        await Assert.ThrowsAsync<ConnectionLostException>(() => client.SendAsync(update, Token));

        coordinator.BreaksUploads = false;
        Assert.True((await client.SendAsync(update, Token)).Accepted);
        Assert.Equal(update.PayloadSha256, Sha256Digest.Of(coordinator.Kept.ToArray()));
    }
}
