namespace FedSeg.Importer.Imports;

/// <summary>When the service imports: at an interval or at a time of day. With neither, once a day.</summary>
internal sealed class ScheduleOptions
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1), Longest = TimeSpan.FromDays(30);

    /// <summary>Wait between the end of an import and the next, such as <c>06:00:00</c>; the first one starts at once.</summary>
    public TimeSpan? Every { get; set; }

    /// <summary>Local time of day, such as <c>02:30</c>.</summary>
    public TimeOnly? At { get; set; }

    /// <summary>How long to wait for the first import.</summary>
    public TimeSpan FirstWait(DateTimeOffset now, TimeZoneInfo zone) => At is null ? TimeSpan.Zero : NextWait(now, zone);

    /// <summary>
    /// How long to wait after an import that ended now. A time of day that a clock change leaves out moves on by the hour that was skipped.
    /// </summary>
    public TimeSpan NextWait(DateTimeOffset now, TimeZoneInfo zone)
    {
        if (At is not { } at) return Every ?? TimeSpan.FromDays(1);
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);
        var next = Instant(today, at, zone);
        return (next > now ? next : Instant(today.AddDays(1), at, zone)) - now;
    }

    /// <summary>What is wrong with the settings.</summary>
    internal IEnumerable<string> Problems()
    {
        if (Every is not null && At is not null) yield return "Importer:Schedule has both Every and At; give one.";
        if (Every < Shortest || Every > Longest)
        {
            yield return $"Importer:Schedule:Every is {Every}; it must be from {Shortest} to {Longest.Days} days.";
        }
    }

    private static DateTimeOffset Instant(DateOnly day, TimeOnly at, TimeZoneInfo zone)
    {
        var local = day.ToDateTime(at, DateTimeKind.Unspecified);
        if (zone.IsInvalidTime(local)) local = local.AddHours(1);
        return new DateTimeOffset(local, zone.GetUtcOffset(local));
    }
}
