using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Codecs;

/// <summary>What a decoder needs besides bytes and layout.</summary>
/// <param name="Path">What messages call the file.</param>
/// <param name="Time">How long it may take; a managed decoder asks row by row.</param>
/// <param name="IsLossy">The syntax may have lost something, so that values can overshoot what BitsStored holds.</param>
/// <param name="AllowHtj2k">See <see cref="DicomLimits.AllowHtj2k"/>.</param>
internal readonly record struct FrameContext(string Path, TimeLimit Time, bool IsLossy = false, bool AllowHtj2k = false);
