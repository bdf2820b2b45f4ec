namespace FedSeg.Dicom.Reading;

/// <summary>A bound on how long one piece of work may take; long loops ask it now and then.</summary>
internal readonly struct TimeLimit(DicomLimits limits, TimeSpan allowed, string limitName, string path)
{
    private readonly long _start = limits.Clock.GetTimestamp();

    /// <exception cref="DicomException">The time is over.</exception>
    public void Check()
    {
        if (limits.Clock.GetElapsedTime(_start) > allowed)
        {
            throw new DicomException(
                DicomFault.LimitExceeded, $"{path}: not done after {allowed.TotalSeconds:0.#} s. If the file is genuine, raise {limitName}.");
        }
    }
}
