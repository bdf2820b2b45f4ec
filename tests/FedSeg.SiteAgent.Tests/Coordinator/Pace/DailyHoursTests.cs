using FedSeg.SiteAgent.Coordinator.Pace;

namespace FedSeg.SiteAgent.Tests.Coordinator.Pace;

public sealed class DailyHoursTests
{
    [Theory]
    [InlineData("22:00-06:00", "22:00", true)]
    [InlineData("22:00-06:00", "00:00", true)]
    [InlineData("22:00-06:00", "05:59", true)]
    [InlineData("22:00-06:00", "06:00", false)]
    [InlineData("22:00-06:00", "21:59", false)]
    [InlineData("12:00-13:30", "13:29", true)]
    [InlineData("12:00-13:30", "13:30", false)]
    [InlineData("18:00-00:00", "23:59", true)]
    [InlineData("18:00-00:00", "00:00", false)]
    public void Contains_TimeOfDay_IsFromTheBeginningToBeforeTheEnd(string text, string time, bool within)
    {
        Assert.True(DailyHours.TryParse(text, out var hours));
        Assert.Equal(within, hours.Contains(TimeOnly.Parse(time)));
        Assert.Equal(text, hours.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("22:00")]
    [InlineData("22-6")]
    [InlineData("22:00-24:00")]
    [InlineData("22:00-06:00-07:00")]
    [InlineData("10:00-10:00")]
    [InlineData("22:00 - 06:00")]
    public void TryParse_AnythingElse_IsRefused(string text) => Assert.False(DailyHours.TryParse(text, out _));

    [Theory]
    [InlineData("22:00-06:00", "05:00-07:00", true)]
    [InlineData("22:00-06:00", "06:00-22:00", false)]
    [InlineData("22:00-06:00", "23:00-01:00", true)]
    [InlineData("08:00-10:00", "10:00-12:00", false)]
    public void Overlaps_EitherWay_IsTheSame(string first, string second, bool overlap)
    {
        Assert.True(DailyHours.TryParse(first, out var one));
        Assert.True(DailyHours.TryParse(second, out var other));
        Assert.Equal(overlap, one.Overlaps(other));
        Assert.Equal(overlap, other.Overlaps(one));
    }

    [Theory]
    [InlineData("21:00", 1)]
    [InlineData("06:00", 16)]
    [InlineData("23:00", 23)]
    public void Until_TimeOfDay_IsTheWayToTheNextBeginning(string time, int hours)
    {
        Assert.True(DailyHours.TryParse("22:00-06:00", out var night));
        Assert.Equal(TimeSpan.FromHours(hours), night.Until(TimeOnly.Parse(time)));
    }
}
