using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Series;

/// <summary>
/// Reads the slices that an image file's header describes: one, or one a frame. What the header lacks to be a slice of a volume is an
/// obstacle, not a fault.
/// </summary>
internal static class SliceHeaderReader
{
    /// <param name="file">An image: it has Rows.</param>
    /// <exception cref="DicomException">An identifier is absent or a value is impossible.</exception>
    public static IReadOnlyList<SliceHeader> Read(DicomFile file)
    {
        var set = file.DataSet;
        var grouped = FrameAttributes.AreGroupedIn(set);
        var header = new SliceHeader
        {
            Path = file.Path,
            SopClassUid = set.RequiredText(Tags.SopClassUid),
            SopInstanceUid = set.RequiredText(Tags.SopInstanceUid),
            Frame = 0,
            IsMultiFrame = grouped,
            StudyUid = set.RequiredText(Tags.StudyInstanceUid),
            SeriesUid = set.RequiredText(Tags.SeriesInstanceUid),
            FrameOfReferenceUid = set.Text(Tags.FrameOfReferenceUid),
            Modality = set.Text(Tags.Modality) ?? "OT",
            PatientKey = KeyOf(set),
            Rows = set.RequiredWholeNumber(Tags.Rows),
            Columns = set.RequiredWholeNumber(Tags.Columns),
            Obstacle = SliceObstacles.InFile(set),
            Traits = new SliceTraits(),
        };
        if (header.Obstacle is not null)
        {
            return [header];
        }

        var frames = FrameAttributes.Of(set);
        var stated = set.WholeNumber(Tags.NumberOfFrames) ?? 1;
        return frames.Count == stated
            ? [.. frames.Select((frame, index) => Describe(header with { Frame = index }, set, frame))]
            : [header with { Obstacle = new(QuarantineReason.UnsupportedImage, $"has {stated} frames {Tags.NumberOfFrames}, but "
                + $"describes {frames.Count}") }];
    }

    private static SliceHeader Describe(SliceHeader header, DataSet set, FrameAttributes frame)
    {
        if (SliceObstacles.InFrame(frame) is { } obstacle)
        {
            return header with { Obstacle = obstacle };
        }

        var spacing = frame.Group(Tags.PixelMeasuresSequence)!.RequiredNumbers(Tags.PixelSpacing, 2);
        var position = frame.Group(Tags.PlanePositionSequence)!.RequiredNumbers(Tags.ImagePositionPatient, 3);
        var orientation = frame.Group(Tags.PlaneOrientationSequence)!.RequiredNumbers(Tags.ImageOrientationPatient, 6);
        var (slope, intercept) = RescaleOf(set, frame);
        return header with
        {
            Traits = TraitsOf(set, frame),
            RowSpacingMm = spacing[0],
            ColumnSpacingMm = spacing[1],
            PositionMm = new(position[0], position[1], position[2]),
            ColumnDirection = new(orientation[0], orientation[1], orientation[2]),
            RowDirection = new(orientation[3], orientation[4], orientation[5]),
            Padding = PaddingOf(set),
            HasModalityLut = set.Find(Tags.ModalityLutSequence) is { Items.Count: > 0 },
            RescaleSlope = slope,
            RescaleIntercept = intercept,
        };
    }

    /// <summary>
    /// Slope and intercept of the modality transformation. Only where a file has none at all, and names exactly one linear real-world
    /// mapping, that one is used: the two are alternatives, never applied one after the other. Vendors' private scalings are not.
    /// </summary>
    private static (double Slope, double Intercept) RescaleOf(DataSet set, FrameAttributes frame)
    {
        var group = frame.Group(Tags.PixelValueTransformationSequence);
        if (group?.Number(Tags.RescaleSlope) is null && set.Find(Tags.ModalityLutSequence) is null
            && RealWorldMappings(set, frame) is [var only] && only.Number(Tags.RealWorldValueSlope) is { } slope and not 0)
        {
            return (slope, only.Number(Tags.RealWorldValueIntercept) ?? 0);
        }

        return (group?.Number(Tags.RescaleSlope) ?? 1, group?.Number(Tags.RescaleIntercept) ?? 0);
    }

    private static IReadOnlyList<DataSet> RealWorldMappings(DataSet set, FrameAttributes frame) =>
        FrameAttributes.AreGroupedIn(set)
            ? frame.Groups(Tags.RealWorldValueMappingSequence) : set.Items(Tags.RealWorldValueMappingSequence);

    private static SliceTraits TraitsOf(DataSet set, FrameAttributes frame)
    {
        var grouped = FrameAttributes.AreGroupedIn(set);
        var content = frame.Group(Tags.FrameContentSequence);
        var diffusion = frame.Group(Tags.MrDiffusionSequence);
        var direction = grouped ? diffusion?.Items(Tags.DiffusionGradientDirectionSequence) is [var item, ..] ? item : null : set;
        var type = frame.Group(Tags.MrImageFrameTypeSequence)
            ?? frame.Group(Tags.CtImageFrameTypeSequence)
            ?? frame.Group(Tags.PetFrameTypeSequence);
        return new SliceTraits
        {
            ImageType = Joined(grouped ? type?.Texts(Tags.FrameType) : set.Texts(Tags.ImageType)),
            EchoNumber = grouped ? null : Joined(set.Texts(Tags.EchoNumbers)),
            EchoTime = Joined(frame.Group(Tags.MrEchoSequence)?.Numbers(grouped ? Tags.EffectiveEchoTime : Tags.EchoTime)),
            DiffusionBValue = Joined(diffusion?.Numbers(Tags.DiffusionBValue)),
            DiffusionDirection = Joined(direction?.Numbers(Tags.DiffusionGradientOrientation)),
            TemporalPosition =
                Joined(grouped ? content?.Numbers(Tags.TemporalPositionIndex) : set.Numbers(Tags.TemporalPositionIdentifier)),
            ConvolutionKernel = Joined(frame.Group(Tags.CtReconstructionSequence)?.Texts(Tags.ConvolutionKernel)),
            StackId = grouped ? content?.Text(Tags.StackId) : null,
            AcquisitionNumber = Joined(content?.Numbers(grouped ? Tags.FrameAcquisitionNumber : Tags.AcquisitionNumber)),
            TriggerTime = Joined(
                frame.Group(Tags.CardiacSynchronizationSequence)?.Numbers(
                    grouped ? Tags.NominalCardiacTriggerDelayTime : Tags.TriggerTime)),
        };
    }

    private static string? Joined(IReadOnlyList<string>? values) => values is null or { Count: 0 } ? null : string.Join('\\', values);

    private static string? Joined(IReadOnlyList<double>? values) =>
        Joined(values?.Select(value => Math.Round(value, 6).ToString(CultureInfo.InvariantCulture)).ToArray());

    /// <summary>The values are signed when the pixels are, whatever an Implicit VR dictionary says (PS3.3 §C.7.5.1.1.2).</summary>
    private static PaddingRange? PaddingOf(DataSet set)
    {
        var isSigned = set.WholeNumber(Tags.PixelRepresentation) == 1;
        int? Value(DicomTag tag) => set.WholeNumber(tag) is { } value ? isSigned && value > short.MaxValue ? value - 65536 : value : null;

        return Value(Tags.PixelPaddingValue) is not { } first ? null
            : Value(Tags.PixelPaddingRangeLimit) is not { } last ? new PaddingRange(first, first)
            : new PaddingRange(Math.Min(first, last), Math.Max(first, last));
    }

    /// <summary>Never made of an absent PatientID: everybody's images without one would be one person's.</summary>
    private static string? KeyOf(DataSet set) =>
        set.Text(Tags.PatientId) is { } id
            ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{set.Text(Tags.IssuerOfPatientId)}\n{id}")))
            : null;
}
