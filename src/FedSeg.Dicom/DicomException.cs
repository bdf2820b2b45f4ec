namespace FedSeg.Dicom;

/// <summary>What kind of refusal a <see cref="DicomException"/> is; a caller may count and report it.</summary>
public enum DicomFault
{
    /// <summary>The bytes are not DICOM at all.</summary>
    NotDicom,

    /// <summary>DICOM, but truncated, corrupt or against the standard where that can't be read safely.</summary>
    Malformed,

    /// <summary>A bound of <see cref="DicomLimits"/> was exceeded.</summary>
    LimitExceeded,

    /// <summary>An attribute that the reader needs is absent or has an impossible value.</summary>
    MissingElement,

    /// <summary>No decoder in this program knows the transfer syntax.</summary>
    UnsupportedTransferSyntax,

    /// <summary>The decoder exists, but its native library is not on this machine.</summary>
    CodecMissing,

    /// <summary>A pixel layout that is not read, such as floating-point pixel data.</summary>
    UnsupportedPixels,
}

/// <summary>
/// The only exception that untrusted DICOM bytes can cause. The message names file, tag path or offset and what to do; it never
/// holds the value of a text element, because such values may name a patient.
/// </summary>
public sealed class DicomException : Exception
{
    public DicomException(DicomFault fault, string message)
        : base(message) => Fault = fault;

    public DicomException(DicomFault fault, string message, Exception innerException)
        : base(message, innerException) => Fault = fault;

    /// <summary>The kind of refusal.</summary>
    public DicomFault Fault { get; }
}
