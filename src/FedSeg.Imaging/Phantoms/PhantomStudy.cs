using System.Buffers.Binary;
using System.Globalization;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Phantoms;

/// <summary>One study of one invented patient on one scanner.</summary>
internal sealed class PhantomStudy
{
    /// <summary>Slices, rows and columns of every phantom.</summary>
    public static readonly Index3 Size = new(40, 40, 48);

    private static readonly DateTime FirstDay = new(2021, 3, 1, 9, 30, 0, DateTimeKind.Unspecified);

    private readonly PhantomScanner _scanner;
    private readonly PhantomOptions _options;
    private readonly int _number;
    private readonly string _patient;
    private readonly string _study;

    public PhantomStudy(PhantomScanner scanner, int number, PhantomOptions options)
    {
        _scanner = scanner;
        _options = options;
        _number = number;
        // Case 2 is a second study of the first patient, case 7 of the sixth: a split by volume would leak.
        var patient = number is 1 or 6 ? number - 1 : number;
        _patient = $"{scanner.Site}/{patient}";
        _study = $"phantom/{options.Seed}/{options.Modality}/{scanner.Site}/{number}";
    }

    public string? TextSuffix => _options.TextSuffix;

    public SegmentationDescription Segmentation => new(
        [
            new SegmentDescription(PhantomHospitals.Kidney, new Code("123037004", "SCT", "Anatomical Structure"), new Code("64033007", "SCT", "Kidney")),
            new SegmentDescription(PhantomHospitals.Tumour, new Code("49755003", "SCT", "Morphologically Abnormal Structure"), new Code("108369006", "SCT", "Neoplasm")),
        ],
        SegmentAlgorithm.Manual,
        "",
        _study + "/segmentation",
        StudyDate);

    private DateTime StudyDate => FirstDay.AddDays(_number);

    /// <summary>Stored values and classes of all voxels, <c>[z, y, x]</c>.</summary>
    public (ushort[] Stored, byte[] Labels) Scan()
    {
        var anatomy = new PhantomAnatomy(PhantomChance.Of($"anatomy/{_options.Seed}/{_patient}"));
        var chance = PhantomChance.Of(_study);
        var field = chance.Next();
        var shift = new Vector3D(chance.Between(-1.5, 1.5), chance.Between(-1.5, 1.5), chance.Between(-1.5, 1.5));
        var stored = new ushort[Size.Z * Size.Y * Size.X];
        var labels = new byte[stored.Length];
        for (int z = 0, i = 0; z < Size.Z; z++)
        {
            for (var y = 0; y < Size.Y; y++)
            {
                for (var x = 0; x < Size.X; x++, i++)
                {
                    var mm = new Vector3D(
                        (x - (Size.X - 1) / 2.0) * _scanner.SpacingMm.X,
                        (y - (Size.Y - 1) / 2.0) * _scanner.SpacingMm.Y,
                        (z - (Size.Z - 1) / 2.0) * _scanner.SpacingMm.Z);
                    var (signal, label) = anatomy.At(mm + shift);
                    var bias = 1 + _scanner.Bias * PhantomChance.Smooth(field, mm.X / 40 + 0.5, mm.Y / 40 + 0.5, mm.Z / 40 + 0.5);
                    stored[i] = Stored((signal + _scanner.Contrast * signal * (1 - signal)), bias, chance.Normal());
                    labels[i] = label;
                }
            }
        }

        return (stored, labels);
    }

    /// <summary>A slice as a data set; its position follows from <paramref name="slice"/>, the rest of the header tells no order.</summary>
    public DataSetBuilder SliceOf(ushort[] stored, int slice)
    {
        var plane = Size.Y * Size.X;
        var pixels = new byte[2 * plane];
        for (var i = 0; i < plane; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(pixels.AsSpan(2 * i), stored[slice * plane + i]);
        }

        var spacing = _scanner.SpacingMm;
        var set = new DataSetBuilder();
        AddPatientAndStudy(set);
        AddEquipment(set);
        return set
            .Text(Tags.SopClassUid, _options.Modality == "CT" ? "1.2.840.10008.5.1.4.1.1.2" : "1.2.840.10008.5.1.4.1.1.4")
            .Text(Tags.SopInstanceUid, DicomUid.FromName($"{_study}/slice/{slice}"))
            .Text(Tags.SeriesInstanceUid, DicomUid.FromName(_study + "/series"))
            .Text(Tags.FrameOfReferenceUid, DicomUid.FromName(_study + "/frame"))
            .Text(Tags.PositionReferenceIndicator)
            .Text(Tags.ImageType, "ORIGINAL", "PRIMARY", _options.Modality == "CT" ? "AXIAL" : "OTHER")
            .Numbers(Tags.SeriesNumber, 2)
            .Numbers(Tags.InstanceNumber, slice * 7 % Size.Z + 1)
            .Numbers(Tags.ImagePositionPatient, -(Size.X - 1) / 2.0 * spacing.X, -(Size.Y - 1) / 2.0 * spacing.Y, (slice - (Size.Z - 1) / 2.0) * spacing.Z)
            .Numbers(Tags.ImageOrientationPatient, 1, 0, 0, 0, 1, 0)
            .Numbers(Tags.PixelSpacing, spacing.Y, spacing.X)
            .Numbers(Tags.SliceThickness, spacing.Z)
            .Numbers(Tags.Rows, Size.Y)
            .Numbers(Tags.Columns, Size.X)
            .Numbers(Tags.SamplesPerPixel, 1)
            .Text(Tags.PhotometricInterpretation, "MONOCHROME2")
            .Numbers(Tags.BitsAllocated, 16)
            .Numbers(Tags.BitsStored, 12)
            .Numbers(Tags.HighBit, 11)
            .Numbers(Tags.PixelRepresentation, 0)
            .Bytes(Tags.PixelData, DicomVr.OW, pixels);
    }

    /// <summary>Twelve letters of a digest: the name tells nothing of the slice's place.</summary>
    public string FileNameOf(int slice) => DicomUid.FromName($"{_study}/file/{slice}")[5..17] + ".dcm";

    private ushort Stored(double signal, double bias, double noise)
    {
        var value = _options.Modality == "CT"
            ? signal < 0.1 ? 24 + 20 * noise : 1024 + 500 * (signal - 0.4) * (1 + 0.1 * (bias - 1)) + 500 * _scanner.Noise * noise
            : _scanner.Gain * (signal * bias + _scanner.Noise * noise);
        return (ushort)Math.Clamp(Math.Round(value), 0, 4095);
    }

    private void AddPatientAndStudy(DataSetBuilder set)
    {
        var chance = PhantomChance.Of($"patient/{_options.Seed}/{_patient}");
        var number = chance.Next() % 1_000_000_000;
        set.Text(Tags.PatientName, $"Canary{number:000000000}^{_scanner.Site}")
            .Text(Tags.PatientId, $"CanaryMRN-{number:000000000}")
            .Text(Tags.PatientBirthDate, FirstDay.AddDays(-(int)chance.Between(9000, 30000)).ToString("yyyyMMdd", CultureInfo.InvariantCulture))
            .Text(Tags.PatientSex, chance.Between(0, 1) < 0.5 ? "F" : "M")
            .Text(Tags.PatientComments, "Canary remark on an invented patient")
            .Text(Tags.StudyInstanceUid, DicomUid.FromName(_study + "/study"))
            .Text(Tags.StudyDate, StudyDate.ToString("yyyyMMdd", CultureInfo.InvariantCulture))
            .Text(Tags.StudyTime, "093000")
            .Text(Tags.StudyId, $"Canary{_number}")
            .Text(Tags.AccessionNumber, $"CanaryA{number % 100000:00000}")
            .Text(Tags.ReferringPhysicianName, "CanaryReferrer^Rosa")
            .Text(Tags.StudyDescription, "Canary abdomen phantom");
    }

    private void AddEquipment(DataSetBuilder set)
    {
        set.Text(Tags.Modality, _options.Modality)
            .Text(Tags.Manufacturer, _scanner.Manufacturer)
            .Text(Tags.ManufacturerModelName, "Canary Model 1")
            .Text(Tags.InstitutionName, $"Canary Hospital {_scanner.Site}")
            .Text(Tags.InstitutionAddress, "1 Canary Lane")
            .Text(Tags.StationName, "CANARYSTATION")
            .Text(Tags.SeriesDescription, "Canary axial")
            .Text(Tags.OperatorsName, "CanaryOperator^Otto")
            .Text(Tags.DeviceSerialNumber, "Canary-0001")
            .Text(Tags.SoftwareVersions, "Canary 1.0")
            .Text(Tags.ProtocolName, "Canary protocol")
            .Text(Tags.BodyPartExamined, "ABDOMEN")
            .Text(Tags.PatientPosition, "HFS")
            .Text(Tags.ImageComments, "Canary comment");
        if (_options.Modality == "CT")
        {
            set.Numbers(Tags.Kvp, 120).Text(Tags.AcquisitionNumber, "1")
                .Numbers(Tags.RescaleIntercept, -1024).Numbers(Tags.RescaleSlope, 1).Text(Tags.RescaleType, "HU");
        }
        else
        {
            set.Text(Tags.ScanningSequence, "GR").Text(Tags.SequenceVariant, "SP").Text(Tags.ScanOptions).Text(Tags.MrAcquisitionType, "3D")
                .Numbers(Tags.RepetitionTime, 8).Numbers(Tags.EchoTime, 4.6).Numbers(Tags.EchoTrainLength, 1);
        }
    }
}
