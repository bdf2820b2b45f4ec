namespace FedSeg.Dicom;

/// <summary>
/// Bounds on what an untrusted DICOM file may ask for. Exceeding one ends in a <see cref="DicomException"/> with
/// <see cref="DicomFault.LimitExceeded"/> before the memory is taken.
/// </summary>
public sealed class DicomLimits
{
    /// <summary>The defaults of every property.</summary>
    public static DicomLimits Default { get; } = new();

    /// <summary>Largest file that is opened, bytes. A file is never read into memory as a whole.</summary>
    public long MaxFileBytes { get; init; } = 8L * 1024 * 1024 * 1024;

    /// <summary>Longest value that <see cref="Reading.DicomFile.OpenHeader"/> reads, bytes; it leaves out elements with longer ones.</summary>
    public int MaxHeaderValueBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Bytes of all values of one file that are kept in memory; longer values stay on the disk.</summary>
    public long MaxLoadedBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>Most that a deflated data set may inflate to, bytes.</summary>
    public long MaxInflatedBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>Deepest nesting of sequences.</summary>
    public int MaxDepth { get; init; } = 32;

    /// <summary>Elements and items in a file, nested ones included.</summary>
    public int MaxElements { get; init; } = 1_000_000;

    /// <summary>Fragments of one encapsulated pixel data element.</summary>
    public int MaxFragments { get; init; } = 200_000;

    /// <summary>Frames of one file.</summary>
    public int MaxFrames { get; init; } = 100_000;

    /// <summary>Bytes of one decoded frame.</summary>
    public long MaxFrameBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>Bytes of all decoded frames of one file together.</summary>
    public long MaxPixelBytes { get; init; } = 4L * 1024 * 1024 * 1024;

    /// <summary>Longest that parsing one file may take, disk included.</summary>
    public TimeSpan MaxParseTime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Longest that decoding one frame may take. Native decoders can't be interrupted; the size limits bound them.</summary>
    public TimeSpan MaxFrameTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// HTJ2K frames are decoded. Off by default: OpenJPEG 2.5, as Debian and Ubuntu build it, ends the whole process on some corrupt HTJ2K frames, which no
    /// caller can catch (docs/decisions/0004-reading-dicom.md). Turn it on only for files whose origin is trusted.
    /// </summary>
    public bool AllowHtj2k { get; init; }

    internal const string HowToAllowHtj2k = "--allow-htj2k; Agent:Cohort:AllowHtj2k in a site's settings";

    /// <summary>What measures the times.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
