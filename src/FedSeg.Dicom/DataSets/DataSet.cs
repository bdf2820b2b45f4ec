using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using FedSeg.Dicom.CharacterSets;

namespace FedSeg.Dicom.DataSets;

/// <summary>
/// A data set or a sequence item: elements by tag, values still in the file's buffer. Every getter checks what it reads; what is absent is
/// <see langword="null"/> or empty, what is present but impossible is a <see cref="DicomException"/> naming file and tag.
/// </summary>
public sealed class DataSet
{
    private readonly List<DicomElement> _elements = [];
    private readonly string _path;
    private readonly bool _bigEndian;
    private readonly CharacterSet _inheritedCharacterSet;
    private CharacterSet? _characterSet;
    private bool _isUnsorted;

    internal DataSet(string path, bool bigEndian, CharacterSet characterSet)
    {
        _path = path;
        _bigEndian = bigEndian;
        _inheritedCharacterSet = characterSet;
    }

    /// <summary>All elements in tag order.</summary>
    public IReadOnlyList<DicomElement> Elements => _elements;

    public int Count => _elements.Count;

    internal CharacterSet CharacterSet => _characterSet ?? _inheritedCharacterSet;

    public DicomElement? Find(DicomTag tag)
    {
        int low = 0, high = _elements.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = _elements[middle].Tag.CompareTo(tag);
            if (order == 0)
            {
                return _elements[middle];
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return null;
    }

    /// <summary>The first text value without padding, or <see langword="null"/> when absent or empty.</summary>
    public string? Text(DicomTag tag) => Texts(tag) is [var first, ..] && first.Length > 0 ? first : null;

    /// <summary>All text values without padding; empty when the element is absent or empty.</summary>
    public IReadOnlyList<string> Texts(DicomTag tag)
    {
        if (Find(tag) is not { Bytes.Length: > 0 } element)
        {
            return [];
        }

        var span = element.Value.Span;
        var text = element.Vr.FollowsCharacterSet() || element.Vr == DicomVr.UN ? CharacterSet.Decode(span, element.Vr) : Encoding.Latin1.GetString(span);
        return element.Vr.IsSingleText()
            ? [text.TrimEnd(' ', '\0')]
            : [.. text.Split('\\').Select(value => value.Trim(' ', '\0'))];
    }

    /// <summary>The first number of a DS, IS, US, SS, UL, SL, FL or FD element, or <see langword="null"/> when absent or empty.</summary>
    public double? Number(DicomTag tag) => Numbers(tag) is [var first, ..] ? first : null;

    /// <summary>All numbers of an element; empty when absent. Not-a-number and infinities are refused.</summary>
    public IReadOnlyList<double> Numbers(DicomTag tag)
    {
        if (Find(tag) is not { Bytes.Length: > 0 } element)
        {
            return [];
        }

        return element.Vr switch
        {
            DicomVr.US => Fixed(element, 2, static (bytes, big) => big ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes)),
            DicomVr.SS => Fixed(element, 2, static (bytes, big) => big ? BinaryPrimitives.ReadInt16BigEndian(bytes) : BinaryPrimitives.ReadInt16LittleEndian(bytes)),
            DicomVr.UL => Fixed(element, 4, static (bytes, big) => big ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes)),
            DicomVr.SL => Fixed(element, 4, static (bytes, big) => big ? BinaryPrimitives.ReadInt32BigEndian(bytes) : BinaryPrimitives.ReadInt32LittleEndian(bytes)),
            DicomVr.FL => Fixed(element, 4, static (bytes, big) => big ? BinaryPrimitives.ReadSingleBigEndian(bytes) : BinaryPrimitives.ReadSingleLittleEndian(bytes)),
            DicomVr.FD => Fixed(element, 8, static (bytes, big) => big ? BinaryPrimitives.ReadDoubleBigEndian(bytes) : BinaryPrimitives.ReadDoubleLittleEndian(bytes)),
            DicomVr.DS or DicomVr.IS => [.. Texts(tag).Where(text => text.Length > 0).Select(text => ParseNumber(text, tag))],
            _ => throw Impossible(tag, $"has the representation {element.Vr}, which is no number"),
        };
    }

    /// <summary>The first value as a whole number, or <see langword="null"/> when absent or empty.</summary>
    public int? WholeNumber(DicomTag tag) => Number(tag) switch
    {
        null => null,
        { } number when number == Math.Floor(number) && Math.Abs(number) <= int.MaxValue => (int)number,
        _ => throw Impossible(tag, "is not a whole number of 32 bits"),
    };

    /// <summary>The items of a sequence; empty when absent.</summary>
    public IReadOnlyList<DataSet> Items(DicomTag tag) => Find(tag) switch
    {
        null => [],
        { Items: { } items } => items,
        { Bytes.Length: 0 } => [],
        _ => throw Impossible(tag, "is not a sequence"),
    };

    /// <exception cref="DicomException">The element is absent or empty.</exception>
    public string RequiredText(DicomTag tag) => Text(tag) ?? throw Missing(tag);

    /// <exception cref="DicomException">The element is absent or empty.</exception>
    public int RequiredWholeNumber(DicomTag tag) => WholeNumber(tag) ?? throw Missing(tag);

    /// <exception cref="DicomException">The element does not have exactly <paramref name="count"/> numbers.</exception>
    public IReadOnlyList<double> RequiredNumbers(DicomTag tag, int count)
    {
        var numbers = Numbers(tag);
        return numbers.Count == count ? numbers
            : numbers.Count == 0 ? throw Missing(tag)
            : throw Impossible(tag, $"has {numbers.Count} values where the standard asks for {count}");
    }

    /// <summary>Adds an element in file order; nothing can be found before <see cref="Seal"/>.</summary>
    internal void Add(DicomElement element)
    {
        // Items that come later need the character set while this data set is still being read.
        if (element.Tag == Tags.SpecificCharacterSet && element.Bytes.Length > 0)
        {
            _characterSet ??= CharacterSet.Of(element.Value.Span);
        }

        _isUnsorted |= _elements.Count > 0 && _elements[^1].Tag >= element.Tag;
        _elements.Add(element);
    }

    /// <summary>
    /// Ends the adding. Elements out of order are sorted once, here: inserted one by one, a hostile file could make that take quadratic time. A tag that stands
    /// twice keeps its first value, as the standard allows no second one.
    /// </summary>
    internal void Seal()
    {
        if (!_isUnsorted)
        {
            return;
        }

        _elements.Sort(static (a, b) => a.Tag == b.Tag ? a.Offset.CompareTo(b.Offset) : a.Tag.CompareTo(b.Tag));
        var kept = 0;
        for (var i = 0; i < _elements.Count; i++)
        {
            if (kept == 0 || _elements[kept - 1].Tag != _elements[i].Tag)
            {
                _elements[kept++] = _elements[i];
            }
        }

        _elements.RemoveRange(kept, _elements.Count - kept);
        _isUnsorted = false;
    }

    private double ParseNumber(string text, DicomTag tag) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : throw Impossible(tag, "is not a finite decimal number");

    private double[] Fixed(DicomElement element, int width, Func<ReadOnlySpan<byte>, bool, double> read)
    {
        var bytes = element.Value;
        if (bytes.Length % width != 0)
        {
            throw Impossible(element.Tag, $"has {bytes.Length} bytes, which is no multiple of {width}");
        }

        var values = new double[bytes.Length / width];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = read(bytes.Span.Slice(i * width, width), _bigEndian);
            if (!double.IsFinite(values[i]))
            {
                throw Impossible(element.Tag, "is not a finite number");
            }
        }

        return values;
    }

    private DicomException Missing(DicomTag tag) =>
        new(DicomFault.MissingElement, $"{_path}: {tag} is absent or empty; it is needed to read this object. Export the study again with complete headers.");

    private DicomException Impossible(DicomTag tag, string problem) =>
        new(DicomFault.Malformed, $"{_path}: {tag} {problem}. The file does not follow the standard; export it again.");
}
