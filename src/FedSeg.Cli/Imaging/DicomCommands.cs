using System.CommandLine;
using FedSeg.Cli.Programs;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Cli.Imaging;

/// <summary><c>fedseg dicom</c>: what the files of a hospital say, and what can be made of them.</summary>
internal static class DicomCommands
{
    public static Command Create() => new("dicom", "Look at DICOM files and folders, convert and de-identify them.")
    {
        Dump(), ScanCommand.Create(), ConvertCommand.Create(), DeidentifyCommand.Create(),
    };

    private static Command Dump()
    {
        var file = new Argument<FileInfo>("file") { Description = "One DICOM file." };
        return new Command("dump", "One file: how its pixels are stored, and their digest.") { file, Htj2kSwitch.Option }.Does((parsed, _) =>
        {
            var path = parsed.GetRequiredValue(file);
            if (!path.Exists) throw new BadInputException($"There is no file '{path.FullName}'.");
            var summary = FileSummary.Of(path.FullName, Htj2kSwitch.Limits(parsed));
            var result = new
            {
                transferSyntax = summary.TransferSyntax,
                sopClass = summary.SopClass,
                modality = summary.Modality,
                rows = summary.Layout.Rows,
                columns = summary.Layout.Columns,
                frames = summary.Layout.Frames,
                bitsAllocated = summary.Layout.BitsAllocated,
                bitsStored = summary.Layout.BitsStored,
                pixelRepresentation = summary.Layout.IsSigned ? 1 : 0,
                photometric = summary.Layout.Photometric,
                pixelSha256 = summary.PixelSha256,
                min = summary.Min,
                max = summary.Max,
            };
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(result);
            else foreach (var property in result.GetType().GetProperties()) Console.WriteLine($"{property.Name,-20} "
                + $"{property.GetValue(result)}");
            return Task.FromResult(CommandLine.Done);
        });
    }
}
