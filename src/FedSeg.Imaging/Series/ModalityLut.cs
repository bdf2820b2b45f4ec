using System.Buffers.Binary;
using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;

namespace FedSeg.Imaging.Series;

/// <summary>
/// The look-up table that stands in place of slope and intercept, PS3.3 §C.11.1.1: values beyond its ends take the end's value.
/// </summary>
internal sealed class ModalityLut
{
    /// <summary>What a descriptor of 0 stands for; a file may hold larger numbers than the standard can write.</summary>
    private const int MostEntries = 65536;

    private readonly float[] _values;
    private readonly int _first;

    private ModalityLut(float[] values, int first) => (_values, _first) = (values, first);

    /// <summary>The value of a stored value.</summary>
    public float this[double stored] => _values[(int)Math.Clamp(stored - _first, 0, _values.Length - 1)];

    /// <exception cref="DicomException">The table's descriptor and data disagree.</exception>
    public static ModalityLut Of(DicomFile file)
    {
        var item = file.DataSet.Items(Tags.ModalityLutSequence)[0];
        var descriptor = item.RequiredNumbers(Tags.LutDescriptor, 3);
        var isSigned = file.DataSet.WholeNumber(Tags.PixelRepresentation) == 1;
        var count = descriptor[0] == 0 ? MostEntries : (int)descriptor[0];
        var first = isSigned && descriptor[1] > short.MaxValue ? (int)descriptor[1] - 65536 : (int)descriptor[1];
        var data = item.Find(Tags.LutData)?.Value ?? default;
        if (descriptor[2] is not (8 or 16) || count is < 1 or > MostEntries || data.Length < 2 * count)
        {
            throw new DicomException(DicomFault.Malformed, $"{file.Path}: the table in {Tags.ModalityLutSequence} has {data.Length} "
                + $"bytes for {count} entries. Export the file again.");
        }

        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            var cell = data.Span.Slice(2 * i, 2);
            values[i] = file.TransferSyntax == TransferSyntax.ExplicitBigEndian
                ? BinaryPrimitives.ReadUInt16BigEndian(cell) : BinaryPrimitives.ReadUInt16LittleEndian(cell);
        }

        return new ModalityLut(values, first);
    }
}
