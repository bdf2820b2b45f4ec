using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace FedSeg.Dicom.DataSets;

/// <summary>
/// A data set or a sequence item: elements by tag, values still in the file's buffer. Every getter checks what it reads; what is absent is
/// <see langword="null"/> or empty, what is present but impossible is a <see cref="DicomException"/> naming file and tag.
/// </summary>
public sealed class DataSet
{
    private readonly SortedList<DicomTag, DicomElement> _elements = [];
    private readonly string _path;
    private readonly bool _bigEndian;
    private readonly CharacterSet _inheritedCharacterSet;
    private CharacterSet? _characterSet;

    internal DataSet(string path, bool bigEndian, CharacterSet characterSet)
    {
        _path = path;
        _bigEndian = bigEndian;
        _inheritedCharacterSet = characterSet;
    }

    /// <summary>All elements in tag order.</summary>
    public IEnumerable<DicomElement> Elements => _elements.Values;

    public int Count => _elements.Count;

    internal CharacterSet CharacterSet => _characterSet ??=
        _elements.TryGetValue(Tags.SpecificCharacterSet, out var terms) && terms.Value.Length > 0
            ? CharacterSet.Of(Encoding.Latin1.GetString(terms.Value.Span))
            : _inheritedCharacterSet;

    public DicomElement? Find(DicomTag tag) => _elements.GetValueOrDefault(tag);

    /// <summary>The first text value without padding, or <see langword="null"/> when absent or empty.</summary>
    public string? Text(DicomTag tag) => Texts(tag) is [var first, ..] && first.Length > 0 ? first : null;

    /// <summary>All text values without padding; empty when the element is absent or empty.</summary>
    public IReadOnlyList<string> Texts(DicomTag tag)
    {
        if (Find(tag) is not { Value.IsEmpty: false } element)
        {
            return [];
        }

        var span = element.Value.Span;
        var text = element.Vr.FollowsCharacterSet() || element.Vr == DicomVr.UN ? CharacterSet.Decode(span) : Encoding.Latin1.GetString(span);
        return element.Vr.IsSingleText()
            ? [text.TrimEnd(' ', '\0')]
            : [.. text.Split('\\').Select(value => value.Trim(' ', '\0'))];
    }

    /// <summary>The first number of a DS, IS, US, SS, UL, SL, FL or FD element, or <see langword="null"/> when absent or empty.</summary>
    public double? Number(DicomTag tag) => Numbers(tag) is [var first, ..] ? first : null;

    /// <summary>All numbers of an element; empty when absent. Not-a-number and infinities are refused.</summary>
    public IReadOnlyList<double> Numbers(DicomTag tag)
    {
        if (Find(tag) is not { Value.IsEmpty: false } element)
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
        { Value.IsEmpty: true } => [],
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

    /// <summary>Adds an element; a tag that stands twice keeps its first value, as the standard allows no second one.</summary>
    internal bool TryAdd(DicomElement element) => _elements.TryAdd(element.Tag, element);

    private double ParseNumber(string text, DicomTag tag) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : throw Impossible(tag, "is not a finite decimal number");

    private double[] Fixed(DicomElement element, int width, Func<ReadOnlySpan<byte>, bool, double> read)
    {
        if (element.Value.Length % width != 0)
        {
            throw Impossible(element.Tag, $"has {element.Value.Length} bytes, which is no multiple of {width}");
        }

        var values = new double[element.Value.Length / width];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = read(element.Value.Span.Slice(i * width, width), _bigEndian);
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
