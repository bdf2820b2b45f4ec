using System.Globalization;

namespace FedSeg.SiteAgent.Coordinator.Pace;

/// <summary>Hours of every day, by the wall clock; they may go past midnight.</summary>
/// <param name="From">The first minute in them.</param>
/// <param name="To">The first minute after them; another one than <paramref name="From"/>.</param>
internal readonly record struct DailyHours(TimeOnly From, TimeOnly To)
{
    private const string Format = "HH:mm";

    /// <summary>Reads <c>HH:mm-HH:mm</c>.</summary>
    public static bool TryParse(string text, out DailyHours hours)
    {
        hours = default;
        if (text.Split('-') is not [var from, var to] || !TryParseTime(from, out var first) || !TryParseTime(to, out var end)) return false;
        if (first == end) return false;
        hours = new DailyHours(first, end);
        return true;
    }

    /// <summary>Whether a time of day is within them.</summary>
    public bool Contains(TimeOnly time) => time.IsBetween(From, To);

    /// <summary>Whether some time of day is within both.</summary>
    public bool Overlaps(DailyHours other) => Contains(other.From) || other.Contains(From);

    /// <summary>How long from a time of day until they begin; less than a day.</summary>
    public TimeSpan Until(TimeOnly time) => From - time;

    public override string ToString() =>
        $"{From.ToString(Format, CultureInfo.InvariantCulture)}-{To.ToString(Format, CultureInfo.InvariantCulture)}";

    private static bool TryParseTime(string text, out TimeOnly time) =>
        TimeOnly.TryParseExact(text, Format, CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
}
