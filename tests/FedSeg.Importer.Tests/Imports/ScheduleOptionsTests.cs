using FedSeg.Importer.Imports;

namespace FedSeg.Importer.Tests.Imports;

public sealed class ScheduleOptionsTests
{
    /// <summary>One hour ahead of UTC, two from 1 April 03:00 to 1 October 03:00 of each year.</summary>
    private static readonly TimeZoneInfo Zone = TimeZoneInfo.CreateCustomTimeZone(
        "test",
        TimeSpan.FromHours(1),
        "test",
        "test",
        "test summer",
        [
            TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(
                DateTime.MinValue.Date,
                DateTime.MaxValue.Date,
                TimeSpan.FromHours(1),
                TimeZoneInfo.TransitionTime.CreateFixedDateRule(new DateTime(1, 1, 1, 3, 0, 0), 4, 1),
                TimeZoneInfo.TransitionTime.CreateFixedDateRule(new DateTime(1, 1, 1, 3, 0, 0), 10, 1)),
        ]);

    [Fact]
    public void Waits_WithoutSettings_AreNothingAndThenADay()
    {
        var schedule = new ScheduleOptions();

        Assert.Equal(TimeSpan.Zero, schedule.FirstWait(DateTimeOffset.UnixEpoch, Zone));
        Assert.Equal(TimeSpan.FromDays(1), schedule.NextWait(DateTimeOffset.UnixEpoch, Zone));
    }

    [Theory]
    [InlineData("02:30", "2026-01-10T00:30:00Z", "01:00:00")]
    [InlineData("02:30", "2026-01-10T01:30:00Z", "1.00:00:00")]
    [InlineData("02:30", "2026-01-10T12:30:00Z", "13:00:00")]
    [InlineData("02:30", "2026-07-10T00:00:00Z", "00:30:00")]
    // The clock goes from 03:00 to 04:00 on 1 April: 03:30 does not exist and becomes 04:30.
    [InlineData("03:30", "2026-04-01T00:30:00Z", "02:00:00")]
    // It goes back from 03:00 to 02:00 on 1 October: the day has an hour more.
    [InlineData("12:00", "2026-09-30T10:00:00Z", "1.01:00:00")]
    public void NextWait_TimeOfDay_FollowsTheLocalClock(string at, string now, string wait)
    {
        var schedule = new ScheduleOptions { At = TimeOnly.Parse(at, System.Globalization.CultureInfo.InvariantCulture) };

        var actual = schedule.NextWait(DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture), Zone);

        Assert.Equal(TimeSpan.Parse(wait, System.Globalization.CultureInfo.InvariantCulture), actual);
    }
}
