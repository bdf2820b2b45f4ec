namespace FedSeg.Imaging.Nifti;

/// <summary>
/// How a voxel is stored; the number is the datatype code of the NIfTI-1 standard (nifti1.h, DT_*). Colour and complex voxels are not read.
/// </summary>
internal enum NiftiDatatype : short
{
    UInt8 = 2,
    Int16 = 4,
    Int32 = 8,
    Float32 = 16,
    Float64 = 64,
    Int8 = 256,
    UInt16 = 512,
    UInt32 = 768,
    Int64 = 1024,
    UInt64 = 1280,
}

internal static class NiftiDatatypeWidths
{
    /// <summary>Bytes of one voxel.</summary>
    public static int Width(this NiftiDatatype datatype) => datatype switch
    {
        NiftiDatatype.UInt8 or NiftiDatatype.Int8 => 1,
        NiftiDatatype.Int16 or NiftiDatatype.UInt16 => 2,
        NiftiDatatype.Int32 or NiftiDatatype.UInt32 or NiftiDatatype.Float32 => 4,
        _ => 8,
    };
}
