using System.CommandLine;
using FedSeg.Dicom;

namespace FedSeg.Cli.Imaging;

/// <summary>The switch that lets HTJ2K be decoded, for every command that decodes pixels (<see cref="DicomLimits.AllowHtj2k"/>).</summary>
internal static class Htj2kSwitch
{
    public static Option<bool> Option { get; } = new("--allow-htj2k")
    {
        Description = "Decode HTJ2K too. Only for files whose origin you trust: OpenJPEG ends the whole program on some corrupt ones.",
    };

    public static DicomLimits Limits(ParseResult parsed) => new() { AllowHtj2k = parsed.GetValue(Option) };
}
