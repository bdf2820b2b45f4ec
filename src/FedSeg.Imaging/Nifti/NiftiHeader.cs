using System.Buffers.Binary;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Nifti;

/// <summary>
/// The 348-byte header of a single-file NIfTI-1 image (nifti1.h), checked: every number is possible and within the limits. Byte offsets
/// below are those of the standard.
/// </summary>
internal sealed record NiftiHeader
{
    public const int Length = 348;

    public required bool IsBigEndian { get; init; }

    /// <summary>Voxels along k, j, i.</summary>
    public required Index3 Size { get; init; }

    public required NiftiDatatype Datatype { get; init; }

    /// <summary>Bytes before the first voxel.</summary>
    public required int VoxelOffset { get; init; }

    /// <summary>value = stored · Slope + Intercept.</summary>
    public required double Slope { get; init; }

    public required double Intercept { get; init; }

    public required NiftiAffine Affine { get; init; }

    /// <exception cref="InvalidDataException">No single-file NIfTI-1, or impossible, or beyond a limit.</exception>
    public static NiftiHeader Parse(ReadOnlySpan<byte> bytes, string path, NiftiOptions options)
    {
        var reader = new FieldReader(bytes, IsBig(bytes, path), path);
        if (!bytes[344..348].SequenceEqual("n+1\0"u8))
        {
            throw reader.Refuse("magic", "is not 'n+1': only NIfTI-1 in one file is read, no .hdr/.img pair and no Analyze; save the "
                + "image as .nii or .nii.gz");
        }

        // xyzt_units: the lowest three bits are the unit of length; 0 is unknown and means mm in practice, 2 is mm.
        if ((bytes[123] & 7) is not (0 or 2))
        {
            throw reader.Refuse("xyzt_units", "gives lengths in another unit than mm; save the image in mm");
        }

        var size = SizeOf(reader, options);
        return new NiftiHeader
        {
            IsBigEndian = reader.IsBigEndian,
            Size = size,
            Datatype = DatatypeOf(reader),
            VoxelOffset = OffsetOf(reader, options),
            Slope = SlopeOf(reader) ?? 1,
            Intercept = SlopeOf(reader) is null ? 0 : reader.Finite("scl_inter", 116),
            Affine = NiftiOrientation.Of(reader, size, options),
        };
    }

    private static bool IsBig(ReadOnlySpan<byte> bytes, string path)
    {
        var little = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        var big = BinaryPrimitives.ReadInt32BigEndian(bytes);
        return (little, big) switch
        {
            (Length, _) => false,
            (_, Length) => true,
            (540, _) or (_, 540) => throw new InvalidDataException($"{path}: this is NIfTI-2, which is not read; save the image as "
                + "NIfTI-1."),
            _ => throw new InvalidDataException($"{path}: not a NIfTI-1 file (sizeof_hdr is {little}, not {Length})."),
        };
    }

    private static Index3 SizeOf(FieldReader reader, NiftiOptions options)
    {
        var dimensions = reader.Int16(40);
        if (dimensions is < 1 or > 7)
        {
            throw reader.Refuse("dim[0]", $"is {dimensions}, not 1 to 7; the file is corrupt");
        }

        Span<int> counts = [1, 1, 1, 1, 1, 1, 1];
        for (var axis = 0; axis < dimensions; axis++)
        {
            counts[axis] = reader.Int16(42 + 2 * axis);
            if (counts[axis] < 1)
            {
                throw reader.Refuse($"dim[{axis + 1}]", $"is {counts[axis]}; the file is corrupt");
            }

            if (axis >= 3 && counts[axis] > 1)
            {
                throw reader.Refuse($"dim[{axis + 1}]", $"is {counts[axis]}: a series of volumes; save the one that is meant alone");
            }
        }

        return (long)counts[0] * counts[1] * counts[2] <= Math.Min(options.MaxVoxels, Array.MaxLength)
            ? new Index3(counts[2], counts[1], counts[0])
            : throw reader.Refuse("dim", $"asks for more than {options.MaxVoxels} voxels; if it is genuine, raise "
                + $"{nameof(NiftiOptions.MaxVoxels)}");
    }

    private static NiftiDatatype DatatypeOf(FieldReader reader)
    {
        var (datatype, bits) = ((NiftiDatatype)reader.Int16(70), reader.Int16(72));
        return !Enum.IsDefined(datatype) ? throw reader.Refuse("datatype", $"{(short)datatype} is not read; save the image as whole or "
            + "floating-point numbers")
            : bits != 8 * datatype.Width() ? throw reader.Refuse("bitpix", $"is {bits} where {datatype} has {8 * datatype.Width()}; the "
                + "file is corrupt")
            : datatype;
    }

    private static int OffsetOf(FieldReader reader, NiftiOptions options)
    {
        var offset = reader.Finite("vox_offset", 108);
        return offset >= Length && offset <= options.MaxHeaderBytes && offset == Math.Floor(offset)
            ? (int)offset
            : throw reader.Refuse("vox_offset", $"is {offset}, not a whole number from {Length} to {options.MaxHeaderBytes}; the file is "
                + $"corrupt, or raise {nameof(NiftiOptions.MaxHeaderBytes)}");
    }

    /// <summary>Zero says "no scaling" in the standard; not-a-number is what some writers put there instead.</summary>
    private static double? SlopeOf(FieldReader reader) =>
        reader.Single(112) is var slope && double.IsFinite(slope) && slope != 0 ? slope : null;

    /// <summary>Numbers of the header in the file's own byte order.</summary>
    internal readonly ref struct FieldReader(ReadOnlySpan<byte> bytes, bool isBigEndian, string path)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;

        public bool IsBigEndian => isBigEndian;

        public short Int16(int offset) =>
            isBigEndian ? BinaryPrimitives.ReadInt16BigEndian(_bytes[offset..]) : BinaryPrimitives.ReadInt16LittleEndian(_bytes[offset..]);

        public double Single(int offset) =>
            isBigEndian
                ? BinaryPrimitives.ReadSingleBigEndian(_bytes[offset..])
                : BinaryPrimitives.ReadSingleLittleEndian(_bytes[offset..]);

        public double Finite(string field, int offset) =>
            Single(offset) is var value && double.IsFinite(value) ? value : throw Refuse(field, "is not a finite number; the file is "
                + "corrupt");

        public InvalidDataException Refuse(string field, string problem) => new($"{path}: {field} {problem}.");
    }
}
