namespace FedSeg.Dicom.DataSets;

/// <summary>One data element. A short value is a slice of what was read of the file; a long one, such as pixel data, is read when asked for.</summary>
public sealed class DicomElement
{
    internal DicomElement(DicomTag tag, DicomVr vr, DicomBytes bytes, IReadOnlyList<DataSet>? items, EncapsulatedValue? fragments, long offset)
    {
        Tag = tag;
        Vr = vr;
        Bytes = bytes;
        Items = items;
        Encapsulated = fragments;
        Offset = offset;
    }

    public DicomTag Tag { get; }

    public DicomVr Vr { get; }

    /// <summary>The value's bytes in the file's byte order; empty for a sequence and for encapsulated pixel data.</summary>
    public DicomBytes Bytes { get; }

    /// <summary>All of <see cref="Bytes"/> in memory. Of a long value this is a fresh copy each time: prefer <see cref="DicomBytes.CopyTo"/>.</summary>
    public ReadOnlyMemory<byte> Value => Bytes.ToMemory();

    /// <summary>The items of a sequence in file order; <see langword="null"/> for every other element.</summary>
    public IReadOnlyList<DataSet>? Items { get; }

    /// <summary>The fragments of encapsulated pixel data; <see langword="null"/> for every other element.</summary>
    public EncapsulatedValue? Encapsulated { get; }

    /// <summary>Where the element's tag stands, in bytes from the start of the file (of the inflated data set when deflated).</summary>
    public long Offset { get; }
}

/// <summary>Encapsulated pixel data, PS3.5 §A.4: a basic offset table (maybe empty) and fragments in file order.</summary>
/// <param name="OffsetTable">Little-endian 32-bit offsets of the frames' first fragments, counted from the first byte after the table's item.</param>
/// <param name="Fragments">The compressed bytes.</param>
public sealed record EncapsulatedValue(DicomBytes OffsetTable, IReadOnlyList<DicomBytes> Fragments);
