using System.Security.Cryptography;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.Transfer;
using FedSeg.SiteAgent.Coordinator;
using FedSeg.SiteAgent.Coordinator.Pace;
using FedSeg.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.SiteAgent.Tests.Coordinator;

/// <summary>Transfers over real TLS that are caught by the end of their hours: they go on from there the next night.</summary>
public sealed class PacedTransferTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    // Tomorrow: gRPC counts deadlines by the system's clock.
    private readonly FakeTimeProvider _time =
        new(new DateTimeOffset(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddDays(1).AddHours(6).AddSeconds(-5), TimeSpan.Zero));
    private readonly TaskCompletionSource _waits = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IOptions<AgentOptions> _options = null!;
    private KeepingCoordinator _coordinator = null!;
    private CoordinatorChannel _channel = null!;
    private CoordinatorClient _client = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _time.SetLocalTimeZone(TimeZoneInfo.Utc);
        var authority = FederationAuthority.Create(_folder["authority"], "test", TimeProvider.System);
        _coordinator = await KeepingCoordinator.StartAsync(_folder[""], authority);
        var request = KeyFiles.CreateRequest(_folder["north.key"], "north");
        File.WriteAllText(_folder["north.pem"],
            authority.SignMember(request, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(3)));
        _options = Options.Create(new AgentOptions
        {
            Site = "north",
            Coordinator = _coordinator.Address,
            Certificate = _folder["north.pem"],
            PrivateKey = _folder["north.key"],
            Authority = authority.CertificatePath,
            DataDirectory = _folder[""],
            Pace = new PaceOptions
            {
                OnlyInWindows = true,
                Windows = [new PaceWindowOptions { Hours = "22:00-06:00", UpBytesPerSecond = 100_000, DownBytesPerSecond = 100_000 }],
            },
        });
        _channel = new CoordinatorChannel(_options, _time);
        _client = new CoordinatorClient(_channel, new SitePace(_options, _time, new Waits(_waits)), _time);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _coordinator.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Download_HoursEndInTheMiddle_GoesOnTheNextNightFromThere()
    {
        File.WriteAllBytes(_coordinator.ModelPath, RandomNumberGenerator.GetBytes(1_000_000));
        var digest = Sha256Digest.Of(File.ReadAllBytes(_coordinator.ModelPath));

        await AssertWaitsForTheNightAsync(_client.DownloadModelAsync(digest, 1_000_000, _folder["received"], Token));

        Assert.Equal(digest, Sha256Digest.Of(File.ReadAllBytes(_folder["received"])));
    }

    /// <summary>The line stays open, and the coordinator's pings are answered.</summary>
    [Fact]
    public async Task Download_NothingMoreComes_IsEndedAfterHalfAMinuteAndGoesOnFromThere()
    {
        File.WriteAllBytes(_coordinator.ModelPath, RandomNumberGenerator.GetBytes(1_000_000));
        var digest = Sha256Digest.Of(File.ReadAllBytes(_coordinator.ModelPath));
        _time.Advance(TimeSpan.FromHours(17));
        _coordinator.StallsAfter = 200_000;
        var download = _client.DownloadModelAsync(digest, 1_000_000, _folder["received"], Token);
        await _coordinator.Begun.WaitAsync(Token);
        var started = _time.GetUtcNow();
        while (!download.IsCompleted) await GoByAsync();
        await Assert.ThrowsAsync<ConnectionLostException>(() => download);
        Assert.InRange(_time.GetUtcNow() - started, TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(45));

        _coordinator.StallsAfter = null;
        download = _client.DownloadModelAsync(digest, 1_000_000, _folder["received"], Token);
        while (!download.IsCompleted) await GoByAsync();

        await download;
        Assert.Equal([0, 262_144], _coordinator.Offsets);
        Assert.Equal(digest, Sha256Digest.Of(File.ReadAllBytes(_folder["received"])));
    }

    /// <summary>The file has its name and not its bytes, as after a power cut.</summary>
    [Fact]
    public async Task Download_WhatIsThereIsNotTheModel_FetchesItAgain()
    {
        File.WriteAllBytes(_coordinator.ModelPath, RandomNumberGenerator.GetBytes(100_000));
        var digest = Sha256Digest.Of(File.ReadAllBytes(_coordinator.ModelPath));
        File.WriteAllBytes(_folder["received"], new byte[100_000]);

        await _client.DownloadModelAsync(digest, 100_000, _folder["received"], Token);
        await _client.DownloadModelAsync(digest, 100_000, _folder["received"], Token);

        Assert.Equal(digest, Sha256Digest.Of(File.ReadAllBytes(_folder["received"])));
        Assert.Equal([0], _coordinator.Offsets);
    }

    [Fact]
    public async Task Send_HoursEndInTheMiddle_GoesOnTheNextNightFromThere()
    {
        var update = await ClearedUpdates.OfAsync(_folder, _options.Value, baseFeatures: 40);
        Assert.True(update.PayloadBytes > 800_000);
        var sending = _client.SendAsync(update, Token);

        await AssertWaitsForTheNightAsync(sending);

        Assert.True((await sending).Accepted);
        Assert.Equal(update.PayloadSha256, Sha256Digest.Of(_coordinator.Kept.ToArray()));
    }

    /// <summary>What an earlier start left must not keep the site away until the next night.</summary>
    [Fact]
    public async Task TrySend_HoursEndInTheMiddle_LeavesTheRestAndDoesNotWait()
    {
        var sending = _client.TrySendAsync(await ClearedUpdates.OfAsync(_folder, _options.Value, baseFeatures: 40), Token);
        await _coordinator.Begun.WaitAsync(Token);
        while (!sending.IsCompleted) await GoByAsync();

        Assert.Null(await sending);
        Assert.False(_waits.Task.IsCompleted);
    }

    private async Task AssertWaitsForTheNightAsync(Task transfer)
    {
        var started = _time.GetUtcNow();
        // However long the real connection takes, no night goes by over it.
        await _coordinator.Begun.WaitAsync(Token);
        // Slowly while something moves over the real line, and fast through the day.
        while (!_waits.Task.IsCompleted) await GoByAsync();
        while (IsDay) await GoByAsync(TimeSpan.FromMinutes(15));
        while (!transfer.IsCompleted) await GoByAsync();

        await transfer;
        Assert.True(_time.GetUtcNow() - started > TimeSpan.FromHours(16), "it did not wait");
        Assert.Equal(2, _coordinator.Offsets.Count);
        Assert.Equal(0, _coordinator.Offsets[0]);
        // In the five seconds before six, at 100 kB/s, with a second's worth at once, the piece that is waited for at six and the one behind it.
        Assert.InRange(_coordinator.Offsets[1], 200_000, 600_000 + 2 * FileChunks.ChunkBytes);
    }

    private bool IsDay => _time.GetUtcNow().Hour is >= 6 and < 22;

    private Task GoByAsync(TimeSpan? time = null)
    {
        _time.Advance(time ?? TimeSpan.FromMilliseconds(100));
        return Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
    }

    /// <summary>Tells when the site says that it waits for its hours.</summary>
    private sealed class Waits(TaskCompletionSource waits) : ILogger<SitePace>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
            string> formatter) => waits.TrySetResult();
    }
}
