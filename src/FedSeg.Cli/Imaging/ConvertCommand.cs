using System.CommandLine;
using FedSeg.Cli.Programs;
using FedSeg.Dicom;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Nifti;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Cli.Imaging;

/// <summary>
/// <c>fedseg dicom convert</c>: a series, or a segmentation on the grid of its series, as NIfTI for people's own viewers.
/// </summary>
internal static class ConvertCommand
{
    public static Command Create()
    {
        var directory = new Argument<DirectoryInfo>("dir") { Description = "A folder of DICOM files, in any names and sub-folders." };
        var output = new Option<FileInfo>("--out") { Description = "The NIfTI file to write: .nii or .nii.gz.", Required = true };
        var series = new Option<string?>("--series") { Description = "SeriesInstanceUID; not needed where the folder holds one usable "
            + "volume." };
        var stack = new Option<string?>("--stack") { Description = "The stack's name as 'fedseg dicom scan' lists it, where a series "
            + "holds several." };
        var segmentation = new Option<FileInfo?>("--segmentation") { Description = "A DICOM SEG or RTSTRUCT file: write its labels on "
            + "the image's grid instead of the image." };
        var switches = new SeriesSwitches();
        var command = new Command(
            "convert", "Write a series or a segmentation as NIfTI.") { directory, output, series, stack, segmentation };
        switches.AddTo(command);
        command.Options.Add(Htj2kSwitch.Option);
        return command.Does((parsed, cancellationToken) =>
        {
            var folder = parsed.GetRequiredValue(directory);
            if (!folder.Exists) throw new BadInputException($"There is no folder '{folder.FullName}'.");
            var target = parsed.GetRequiredValue(output).FullName;
            if (!NiftiReader.IsNifti(target)) throw new BadInputException($"--out {target} must end in .nii or .nii.gz.");
            var options = switches.Of(parsed);
            var limits = Htj2kSwitch.Limits(parsed);
            var drawing = parsed.GetValue(segmentation) is { } file ? Open(file, limits) : null;
            var found = FileProgressBar.Show(
                "Reading headers", progress => DicomFolder.Read(folder.FullName, limits, progress, cancellationToken));
            var chosen = drawing is null || parsed.GetValue(series) is not null
                ? VolumeChoice.Of(found, parsed.GetValue(series), parsed.GetValue(stack), options)
                : VolumeChoice.DrawnOnBy(drawing, found, options);
            var volume = chosen switch
            {
                SeriesOutcome.Usable usable => usable.Series,
                SeriesOutcome.Refused refused => throw new BadInputException($"{folder.FullName}: {refused.Reason}: {refused.Detail}"),
                _ => throw new InvalidOperationException("A volume is either usable or refused."),
            };
            var labels = drawing is null ? [] : WriteLabels(target, drawing, volume, limits);
            if (drawing is null) NiftiWriter.Write(target, VolumeReader.Read(volume, limits, cancellationToken));
            Tell(parsed.GetValue(CommandLine.Json), target, volume, labels);
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static SegmentationObject Open(FileInfo file, DicomLimits limits)
    {
        if (!file.Exists) throw new BadInputException($"There is no file '{file.FullName}'.");
        return SegmentationObject.In(DicomFile.OpenHeader(file.FullName, limits))
            ?? throw new BadInputException($"--segmentation {file.FullName} is neither a DICOM segmentation nor a structure set.");
    }

    /// <summary>Writes every segment; the n-th distinct label of the file becomes n.</summary>
    private static string[] WriteLabels(string target, SegmentationObject drawing, ImageSeries volume, DicomLimits limits)
    {
        string[] names = [.. drawing.Labels.Select(label => label.Trim()).Distinct(StringComparer.OrdinalIgnoreCase)];
        if (names.Length > byte.MaxValue) throw new BadInputException($"{drawing.Path}: {names.Length} labels; a label map here holds at "
            + $"most {byte.MaxValue}.");
        switch (SegmentationReader.Read(drawing, volume.Grid, volume.FrameOfReferenceUid, LabelVocabulary.Of(names), limits: limits))
        {
            case SegmentationOutcome.Mapped { Labels: var labels }:
                NiftiWriter.Write(target, labels);
                return names;
            case SegmentationOutcome.Refused refused:
                throw new BadInputException($"{refused.Reason}: {refused.Detail}");
            default:
                throw new InvalidOperationException("A segmentation is either mapped or refused.");
        }
    }

    private static void Tell(bool json, string target, ImageSeries volume, string[] labels)
    {
        var (size, spacing) = (volume.Grid.Size, volume.Grid.SpacingMm);
        var affine = NiftiAffine.Of(volume.Grid).ToRows();
        if (json)
        {
            JsonOutput.Write(new
            {
                file = target,
                series = volume.SeriesUid,
                shape = new[] { size.X, size.Y, size.Z },
                spacingMm = new[] { spacing.X, spacing.Y, spacing.Z },
                affine,
                labels = labels.Select((label, index) => new { value = index + 1, label }),
                filledSlices = volume.MissingPlanes,
            });
            return;
        }

        Console.WriteLine($"{target}: {size.X} x {size.Y} x {size.Z} voxels of {spacing.X:0.###} x {spacing.Y:0.###} x {spacing.Z:0.###} "
            + $"mm, series {volume.SeriesUid}");
        for (var i = 0; i < labels.Length; i++) Console.WriteLine($"{i + 1,4}  {labels[i]}");
        if (volume.MissingPlanes.Count > 0) Console.WriteLine($"Filled slices (from 0): {string.Join(", ", volume.MissingPlanes)}");
    }
}
