namespace FedSeg.Dicom.DataSets;

/// <summary>The tag of a data element, PS3.5 §7.1: group and element number.</summary>
public readonly record struct DicomTag(ushort Group, ushort Element) : IComparable<DicomTag>
{
    /// <summary>A group with an odd number belongs to a vendor.</summary>
    public bool IsPrivate => (Group & 1) == 1;

    public int CompareTo(DicomTag other) => Number.CompareTo(other.Number);

    /// <summary>Both halves as one number, group first; the order of elements in a data set.</summary>
    internal uint Number => ((uint)Group << 16) | Element;

    public static bool operator <(DicomTag left, DicomTag right) => left.Number < right.Number;
    public static bool operator >(DicomTag left, DicomTag right) => left.Number > right.Number;
    public static bool operator <=(DicomTag left, DicomTag right) => left.Number <= right.Number;
    public static bool operator >=(DicomTag left, DicomTag right) => left.Number >= right.Number;

    /// <summary>The usual form, <c>(0028,0010)</c>.</summary>
    public override string ToString() => $"({Group:X4},{Element:X4})";
}
