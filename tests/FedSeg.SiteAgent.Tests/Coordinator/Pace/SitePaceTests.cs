using FedSeg.Protocol.Transfer;
using FedSeg.SiteAgent.Coordinator.Pace;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.SiteAgent.Tests.Coordinator.Pace;

public sealed class SitePaceTests
{
    private const long Cap = 64_000;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 28, 12, 0, 0, TimeSpan.Zero));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public SitePaceTests() => _time.SetLocalTimeZone(TimeZoneInfo.Utc);

    [Fact]
    public async Task MaySend_WithACap_TakesAsLongAsTheCapSays()
    {
        var pace = Of(new PaceOptions { UpBytesPerSecond = Cap });

        // A second's worth goes at once, the other nine take their time.
        var took = await ElapsedAsync(() => MoveAsync(pace, (int)(10 * Cap / 6400), 6400));

        Assert.InRange(took.TotalSeconds, 8.9, 9.2);
    }

    [Fact]
    public async Task MaySend_AfterAPause_HasNotSavedUpMoreThanASecond()
    {
        var pace = Of(new PaceOptions { UpBytesPerSecond = Cap });
        await MoveAsync(pace, 1, 6400);
        _time.Advance(TimeSpan.FromHours(1));

        Assert.InRange((await ElapsedAsync(() => MoveAsync(pace, 30, 6400))).TotalSeconds, 1.9, 2.2);
    }

    [Fact]
    public async Task MayReceive_CapOfTheOtherDirection_DoesNotHold()
    {
        var pace = Of(new PaceOptions { UpBytesPerSecond = Cap });

        for (var piece = 0; piece < 1000; piece++) Assert.True(await pace.MayReceiveAsync(FileChunks.ChunkBytes, Token));
    }

    [Fact]
    public async Task MaySend_WindowWithoutACap_IsNotHeldBackAndOutsideItIs()
    {
        var pace = Of(new PaceOptions { UpBytesPerSecond = Cap, Windows = [new PaceWindowOptions { Hours = "22:00-06:00" }] });
        SetClock(22, 0);
        await MoveAsync(pace, 1000, 64_000);

        SetClock(6, 0);
        Assert.InRange((await ElapsedAsync(() => MoveAsync(pace, 20, 6400))).TotalSeconds, 0.9, 1.2);
    }

    [Fact]
    public async Task WaitUntilOpen_OutsideTheOnlyWindow_WaitsForItsBeginning()
    {
        var pace = Of(new PaceOptions { OnlyInWindows = true, Windows = [new PaceWindowOptions { Hours = "22:00-06:00" }] });
        Assert.False(pace.IsOpen);
        Assert.False(await pace.MaySendAsync(1, Token));

        var took = await ElapsedAsync(() => pace.WaitUntilOpenAsync(Token), TimeSpan.FromMinutes(1));

        Assert.Equal(10, took.TotalHours, 0.1);
        Assert.True(await pace.MaySendAsync(1, Token));
        Assert.True(await pace.MayReceiveAsync(1, Token));
        Assert.True(pace.WaitUntilOpenAsync(Token).IsCompletedSuccessfully);
    }

    /// <summary>In Berlin 28 March 2026 is the last day before summer time: 02:00 is 03:00, and 04:00 comes an hour sooner.</summary>
    [Fact]
    public async Task WaitUntilOpen_OverANightThatIsAnHourShorter_OpensByTheWallClock()
    {
        _time.SetLocalTimeZone(TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));
        SetClock(21, 0); // 22:00 in Berlin
        var pace = Of(new PaceOptions { OnlyInWindows = true, Windows = [new PaceWindowOptions { Hours = "04:00-06:00" }] });

        var took = await ElapsedAsync(() => pace.WaitUntilOpenAsync(Token), TimeSpan.FromMinutes(1));

        Assert.Equal(5, took.TotalHours, 0.1);
    }

    [Fact]
    public async Task WaitUntilOpen_RunEnds_IsCancelled()
    {
        var pace = Of(new PaceOptions { OnlyInWindows = true, Windows = [new PaceWindowOptions { Hours = "22:00-06:00" }] });
        using var ended = new CancellationTokenSource();
        var waiting = pace.WaitUntilOpenAsync(ended.Token);
        await ended.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    /// <summary>
    /// The least cap there may be is enough for the coordinator's watch, at the worst grain: whole pieces, counted when they are through.
    /// </summary>
    [Fact]
    public async Task LeastCap_BesideTheCoordinatorsWatch_IsNotTakenForADeadLine()
    {
        var pace = Of(new PaceOptions { UpBytesPerSecond = PaceOptions.LeastBytesPerSecond });
        var watch = new TransferWatch(TransferPace.Default, _time);

        await ElapsedAsync(async () =>
        {
            for (var piece = 0; piece < 200; piece++)
            {
                await watch.NextAsync(pace.MaySendAsync(FileChunks.ChunkBytes, Token).AsTask(), Token);
                watch.Moved(FileChunks.ChunkBytes);
            }
        });
    }

    [Fact]
    public void Description_OfSettings_SaysThemAndNothingWhereNoneAre()
    {
        var night = new PaceWindowOptions { Hours = "22:00-06:00", DownBytesPerSecond = 2_500_000 };

        Assert.Null(Of(new PaceOptions()).Description);
        Assert.Equal(
            "up 64 kB/s, down no cap; 22:00-06:00 up no cap, down 2500 kB/s",
            Of(new PaceOptions { UpBytesPerSecond = Cap, Windows = [night] }).Description);
        Assert.StartsWith("nothing outside these hours; 22:00-06:00",
            Of(new PaceOptions { OnlyInWindows = true, Windows = [night] }).Description, StringComparison.Ordinal);
    }

    private SitePace Of(PaceOptions pace) => new(Options.Create(new AgentOptions { Pace = pace }), _time, NullLogger<SitePace>.Instance);

    private void SetClock(int hour, int minute) => _time.Advance(
        new DateTimeOffset(2026, 3, 28 + (_time.GetUtcNow().Hour > hour ? 1 : 0), hour, minute, 0, TimeSpan.Zero) - _time.GetUtcNow());

    private static async Task MoveAsync(SitePace pace, int pieces, int bytes)
    {
        for (var piece = 0; piece < pieces; piece++) Assert.True(await pace.MaySendAsync(bytes, Token));
    }

    /// <summary>Lets time go by until it is done.</summary>
    private async Task<TimeSpan> ElapsedAsync(Func<Task> work, TimeSpan? step = null)
    {
        var started = _time.GetTimestamp();
        var working = work();
        while (!working.IsCompleted)
        {
            _time.Advance(step ?? TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        await working;
        return _time.GetElapsedTime(started);
    }
}
