using System.Globalization;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// Retain Longitudinal Temporal Information Modified Dates (PS3.15 §E.3.6): every date of a patient moves by the same whole number of days,
/// so intervals stay exact; times of day stay. An offset from UTC is dropped from a date-time, since it tells a place.
/// </summary>
internal sealed class DateShift(int days)
{
    /// <summary>The moved value, or <see langword="null"/> where it is no full date and can't be moved.</summary>
    public string? Move(DicomVr vr, string value) => vr switch
    {
        DicomVr.TM => value,
        DicomVr.DA => MoveDate(value.Replace(".", "", StringComparison.Ordinal)),
        DicomVr.DT when value.Length >= 8 && MoveDate(value[..8]) is { } date => date + value[8..].Split('+', '-')[0],
        _ => null,
    };

    private string? MoveDate(string date) =>
        DateOnly.TryParseExact(date, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            && day.DayNumber + days >= 0
            ? day.AddDays(days).ToString("yyyyMMdd", CultureInfo.InvariantCulture)
            : null;
}
