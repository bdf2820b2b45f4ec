using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Codecs;

/// <summary>What a decoder needs besides bytes and layout.</summary>
/// <param name="Path">What messages call the file.</param>
/// <param name="Time">How long it may take; a managed decoder asks row by row.</param>
internal readonly record struct FrameContext(string Path, TimeLimit Time);
