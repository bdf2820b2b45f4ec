using FedSeg.SiteAgent.Coordinator.Pace;
using FedSeg.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Tests.Coordinator.Pace;

public sealed class ReadySlotsTests
{
    private readonly TimersNoticed _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What a watcher sees of 2 and of 14 minutes of work is the same: 15 to 16.5.</summary>
    [Theory]
    [InlineData(0, 15)]
    [InlineData(2, 15)]
    [InlineData(14.99, 15)]
    [InlineData(15, 30)]
    [InlineData(29, 30)]
    [InlineData(100, 105)]
    public async Task Hold_WorkOfAnyLength_EndsAtAMultipleAndUpToATenthLater(double workedMinutes, double slotMinutes)
    {
        var ends = new List<double>();
        var slots = Slots(15);
        using var ended = new CancellationTokenSource();
        for (var round = 0; round < 100; round++)
        {
            var begun = _time.GetTimestamp();
            _time.Advance(TimeSpan.FromMinutes(workedMinutes));
            _ = slots.HoldAsync(begun, ended.Token);
            ends.Add(workedMinutes + (await _time.NextAsync(Token)).TotalMinutes);
        }

        await ended.CancelAsync();
        Assert.All(ends, end => Assert.InRange(end, slotMinutes - 1e-6, slotMinutes + 1.5 + 1e-6));
        // By chance: all of the tenth is used.
        Assert.True(ends.Min() < slotMinutes + 0.3 && ends.Max() > slotMinutes + 1.2, $"{ends.Min()} to {ends.Max()}");
    }

    [Fact]
    public void Hold_NoSlots_IsOverAtOnce() => Assert.True(Slots(0).HoldAsync(_time.GetTimestamp(), Token).IsCompletedSuccessfully);

    [Fact]
    public async Task Hold_RunThatEnds_StopsWaiting()
    {
        using var ended = new CancellationTokenSource();
        var held = Slots(15).HoldAsync(_time.GetTimestamp(), ended.Token);
        await ended.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1441)]
    public void Options_SlotOutOfRange_IsNamed(int minutes) =>
        Assert.StartsWith("Agent:Pace:ReadyEveryMinutes", Assert.Single(new PaceOptions { ReadyEveryMinutes = minutes }.Problems()));

    private ReadySlots Slots(int minutes) => new(
        Options.Create(new AgentOptions { Pace = new PaceOptions { ReadyEveryMinutes = minutes } }), _time, new SeededGenerator(7), NullLogger<ReadySlots>.Instance);
}
