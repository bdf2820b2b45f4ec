using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Writing;

/// <summary>
/// A data set being made: elements in any order, each tag once (a later value replaces an earlier one). Text is UTF-8;
/// <see cref="DicomWriter"/>
/// declares it (ISO_IR 192).
/// </summary>
public sealed class DataSetBuilder
{
    private const int PartBytes = 128 * 1024;

    private readonly SortedDictionary<DicomTag, Entry> _entries = [];

    /// <summary>Text values of a known attribute; none makes an empty element (type 2).</summary>
    public DataSetBuilder Text(DicomTag tag, params string[] values) => Text(tag, Tags.RepresentationOf(tag), values);

    /// <summary>Text values with the representation stated.</summary>
    public DataSetBuilder Text(DicomTag tag, DicomVr vr, params string[] values)
    {
        _entries[tag] = vr.IsText() ? new Entry(vr) { Texts = values }
            : throw new ArgumentException($"{tag} is {vr}, which is no text.", nameof(tag));
        return this;
    }

    /// <summary>Numbers of a known attribute, in the binary or decimal form that its representation asks for.</summary>
    public DataSetBuilder Numbers(DicomTag tag, params double[] values)
    {
        var vr = Tags.RepresentationOf(tag);
        return vr switch
        {
            DicomVr.DS => Text(tag, [.. values.Select(DecimalString)]),
            DicomVr.IS => Text(tag, [.. values.Select(value => checked((int)value).ToString(CultureInfo.InvariantCulture))]),
            DicomVr.US => Binary(tag, vr, values, 2, static (bytes, value) =>
                BinaryPrimitives.WriteUInt16LittleEndian(bytes, checked((ushort)value))),
            DicomVr.UL => Binary(tag, vr, values, 4, static (bytes, value) =>
                BinaryPrimitives.WriteUInt32LittleEndian(bytes, checked((uint)value))),
            _ => throw new ArgumentException($"{tag} is {vr}; numbers are written as DS, IS, US or UL.", nameof(tag)),
        };
    }

    /// <summary>Raw bytes, little-endian; an odd length is padded.</summary>
    public DataSetBuilder Bytes(DicomTag tag, DicomVr vr, byte[] value)
    {
        _entries[tag] = new Entry(vr) { Raw = new DicomBytes(value) };
        return this;
    }

    /// <summary>
    /// Takes an element over as it was read, compressed fragments included. Long values stay in their file, which must be open until they
    /// are written.
    /// </summary>
    internal DataSetBuilder Bytes(DicomElement element)
    {
        _entries[element.Tag] = new Entry(element.Vr) { Raw = element.Bytes, Encapsulated = element.Encapsulated };
        return this;
    }

    /// <summary>The tag of another attribute as a value (AT).</summary>
    public DataSetBuilder TagValue(DicomTag tag, DicomTag target)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, target.Group);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), target.Element);
        return Bytes(tag, DicomVr.AT, bytes);
    }

    /// <summary>A sequence with these items.</summary>
    public DataSetBuilder Sequence(DicomTag tag, params IEnumerable<DataSetBuilder> items)
    {
        _entries[tag] = new Entry(DicomVr.SQ) { Items = [.. items] };
        return this;
    }

    /// <summary>Takes text elements over from a data set that was read; those it does not have become empty.</summary>
    public DataSetBuilder CopyText(DataSet source, params DicomTag[] tags)
    {
        foreach (var tag in tags)
        {
            Text(tag, [.. source.Texts(tag)]);
        }

        return this;
    }

    /// <summary>Replaces every text value, those in items included, by what <paramref name="change"/> makes of it.</summary>
    public void ChangeText(Func<DicomTag, DicomVr, string, string> change)
    {
        foreach (var (tag, entry) in _entries.ToArray())
        {
            if (entry.Texts is { } texts)
            {
                _entries[tag] = entry with { Texts = [.. texts.Select(text => change(tag, entry.Vr, text))] };
            }

            foreach (var item in entry.Items ?? [])
            {
                item.ChangeText(change);
            }
        }
    }

    internal string? FirstText(DicomTag tag) => _entries.TryGetValue(tag, out var entry) && entry.Texts is [var first, ..] ? first : null;

    internal byte[] Encode()
    {
        using var stream = new MemoryStream();
        Write(stream);
        return stream.ToArray();
    }

    /// <summary>Writes the elements in tag order. Long values that were taken over go from file to stream in parts.</summary>
    internal void Write(Stream stream)
    {
        foreach (var (tag, entry) in _entries)
        {
            if (entry.Encapsulated is { } encapsulated)
            {
                WriteHeader(stream, tag, entry.Vr, uint.MaxValue);
                WriteFragments(stream, encapsulated);
                continue;
            }

            var value = entry.Encode();
            var padding = value.Length % 2;
            WriteHeader(stream, tag, entry.Vr, checked((uint)(value.Length + padding)));
            WriteBytes(stream, value);
            if (padding == 1)
            {
                stream.WriteByte(entry.Padding);
            }
        }
    }

    private static void WriteHeader(Stream stream, DicomTag tag, DicomVr vr, uint length)
    {
        // What is too long for two bytes of length is written as UN, which has four (PS3.5 §6.2.2 note 4).
        vr = vr.HasShortLength() && length > ushort.MaxValue ? DicomVr.UN : vr;
        Span<byte> header = stackalloc byte[12];
        header.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(header, tag.Group);
        BinaryPrimitives.WriteUInt16LittleEndian(header[2..], tag.Element);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)vr);
        if (vr.HasShortLength())
        {
            BinaryPrimitives.WriteUInt16LittleEndian(header[6..], (ushort)length);
            stream.Write(header[..8]);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(header[8..], length);
            stream.Write(header);
        }
    }

    private static void WriteFragments(Stream stream, EncapsulatedValue encapsulated)
    {
        foreach (var fragment in encapsulated.Fragments.Prepend(encapsulated.OffsetTable))
        {
            WriteItemHeader(stream, Tags.Item, fragment.Length);
            WriteBytes(stream, fragment);
        }

        WriteItemHeader(stream, Tags.SequenceDelimitation, 0);
    }

    private static void WriteBytes(Stream stream, DicomBytes bytes)
    {
        if (bytes.TryGetLoaded(out var loaded))
        {
            stream.Write(loaded.Span);
            return;
        }

        var part = ArrayPool<byte>.Shared.Rent((int)Math.Min(bytes.Length, PartBytes));
        for (long done = 0; done < bytes.Length;)
        {
            var span = part.AsSpan(0, (int)Math.Min(part.Length, bytes.Length - done));
            bytes.CopyTo(done, span);
            stream.Write(span);
            done += span.Length;
        }

        ArrayPool<byte>.Shared.Return(part);
    }

    private static void WriteItemHeader(Stream stream, DicomTag tag, long length)
    {
        Span<byte> header = stackalloc byte[8];
        BinaryPrimitives.WriteUInt16LittleEndian(header, tag.Group);
        BinaryPrimitives.WriteUInt16LittleEndian(header[2..], tag.Element);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)length);
        stream.Write(header);
    }

    private DataSetBuilder Binary(DicomTag tag, DicomVr vr, double[] values, int width, Action<byte[], double> write)
    {
        var bytes = new byte[values.Length * width];
        var cell = new byte[width];
        for (var i = 0; i < values.Length; i++)
        {
            write(cell, values[i]);
            cell.CopyTo(bytes, i * width);
        }

        return Bytes(tag, vr, bytes);
    }

    /// <summary>The shortest decimal that fits the sixteen characters of DS, as precise as they allow.</summary>
    private static string DecimalString(double value)
    {
        if (!double.IsFinite(value))
        {
            throw new ArgumentException("A decimal string holds finite numbers only.", nameof(value));
        }

        var text = value.ToString("R", CultureInfo.InvariantCulture);
        for (var digits = 15; text.Length > 16; digits--)
        {
            text = value.ToString("G" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        }

        return text;
    }

    private sealed record Entry(DicomVr Vr)
    {
        public string[]? Texts { get; init; }

        public DicomBytes Raw { get; init; }

        public DataSetBuilder[]? Items { get; init; }

        public EncapsulatedValue? Encapsulated { get; init; }

        public byte Padding => (byte)(Vr.IsText() && Vr != DicomVr.UI ? ' ' : '\0');

        /// <summary>The value before it is padded to an even length.</summary>
        public DicomBytes Encode() =>
            Items is not null ? new DicomBytes(EncodeItems(Items))
            : Texts is not null ? new DicomBytes(Encoding.UTF8.GetBytes(string.Join('\\', Texts)))
            : Raw;

        private static byte[] EncodeItems(DataSetBuilder[] items)
        {
            using var stream = new MemoryStream();
            foreach (var item in items)
            {
                var body = item.Encode();
                WriteItemHeader(stream, Tags.Item, body.Length);
                stream.Write(body);
            }

            return stream.ToArray();
        }
    }
}
