using System.Buffers.Binary;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Reading;

/// <summary>
/// A DICOM file: Part 10 with preamble and meta group, or a bare data set. Elements are parsed at once, long values and pixel data stay in the file until
/// they are asked for; so the file is open until this is disposed. All failures that the bytes can cause are <see cref="DicomException"/>; a file that
/// can't be opened is the usual <see cref="IOException"/>.
/// </summary>
public sealed class DicomFile : IDisposable
{
    private const int PreambleLength = 128;

    private readonly ByteSource _source;

    private DicomFile(ByteSource source, DataSet meta, DataSet dataSet, TransferSyntax syntax, DicomLimits limits)
    {
        _source = source;
        Meta = meta;
        DataSet = dataSet;
        TransferSyntax = syntax;
        Limits = limits;
    }

    /// <summary>The path as it was given, for messages.</summary>
    public string Path => _source.Path;

    /// <summary>The file meta group (0002,xxxx); empty for a bare data set.</summary>
    public DataSet Meta { get; }

    public DataSet DataSet { get; }

    public TransferSyntax TransferSyntax { get; }

    internal DicomLimits Limits { get; }

    /// <summary>Opens a whole file.</summary>
    /// <exception cref="DicomException">Not DICOM, corrupt, or beyond a limit.</exception>
    public static DicomFile Open(string path, DicomLimits? limits = null)
    {
        var source = OpenSource(path, limits ??= DicomLimits.Default, FileOptions.RandomAccess);
        try
        {
            return Parse(source, limits, headerOnly: false);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Reads the elements before the pixel data and only as much of the file as they need. <see cref="DataSet"/> has no PixelData then, nor values longer
    /// than <see cref="DicomLimits.MaxHeaderValueBytes"/>; the file is closed already and need not be disposed.
    /// </summary>
    /// <exception cref="DicomException">Not DICOM, corrupt, or beyond a limit.</exception>
    public static DicomFile OpenHeader(string path, DicomLimits? limits = null)
    {
        using var source = OpenSource(path, limits ??= DicomLimits.Default, FileOptions.None);
        return Parse(source, limits, headerOnly: true);
    }

    /// <summary>Parses bytes that are already in memory. The result keeps slices of <paramref name="bytes"/>.</summary>
    /// <param name="name">What messages call the file.</param>
    public static DicomFile Parse(ReadOnlyMemory<byte> bytes, string name, DicomLimits? limits = null) =>
        Parse(new MemorySource(bytes, name), limits ?? DicomLimits.Default, headerOnly: false);

    /// <summary>Closes the file. Short values stay readable, pixel data do not.</summary>
    public void Dispose() => _source.Dispose();

    private static DicomFile Parse(ByteSource source, DicomLimits limits, bool headerOnly)
    {
        var beginning = source.Slice(0, (int)Math.Min(source.Length, PreambleLength + 4)).Span;
        var hasPreamble = beginning.Length == PreambleLength + 4 && beginning[PreambleLength..].SequenceEqual("DICM"u8);
        if (!hasPreamble && !LooksLikeBareDataSet(beginning))
        {
            throw new DicomException(DicomFault.NotDicom, $"{source.Path}: neither the DICM mark at byte 128 nor a DICOM data set at the start. Not a DICOM file.");
        }

        if (hasPreamble && IsProgram(beginning))
        {
            throw new DicomException(DicomFault.NotDicom, $"{source.Path}: its preamble makes it a program as well as an image. Do not open or run it; tell whoever sent it.");
        }

        var parser = new DataSetParser(source, limits, headerOnly) { Position = hasPreamble ? PreambleLength + 4 : 0 };
        var meta = parser.ParseFileMeta();
        var syntax = SyntaxOf(meta, source.Slice(parser.Position, (int)Math.Min(6, source.Length - parser.Position)).Span, source.Path);
        if (syntax == TransferSyntax.DeflatedExplicitLittleEndian)
        {
            parser = new DataSetParser(InflatedDataSet.Of(source, parser.Position, limits), limits, headerOnly);
        }

        var dataSet = parser.ParseDataSet(new ElementEncoding(syntax.IsExplicit, syntax.IsBigEndian));
        return new DicomFile(source, meta, dataSet, syntax, limits);
    }

    private static TransferSyntax SyntaxOf(DataSet meta, ReadOnlySpan<byte> dataSet, string path)
    {
        if (meta.Text(Tags.TransferSyntaxUid) is { } uid)
        {
            return uid.Length <= 64 && uid.All(letter => char.IsAsciiDigit(letter) || letter == '.')
                ? TransferSyntax.Of(uid)
                : throw new DicomException(DicomFault.Malformed, $"{path}: {Tags.TransferSyntaxUid} is not a UID. The file is corrupt; export it again.");
        }

        var explicitVr = dataSet.Length >= 6 && char.IsAsciiLetterUpper((char)dataSet[4]) && char.IsAsciiLetterUpper((char)dataSet[5]);
        var bigEndian = explicitVr && dataSet[0] == 0;
        return bigEndian ? TransferSyntax.ExplicitBigEndian
            : explicitVr ? TransferSyntax.ExplicitLittleEndian
            : TransferSyntax.ImplicitLittleEndian;
    }

    /// <summary>
    /// PS3.10 §7.1 lets applications put anything into the preamble, so an image can be a program at the same time (CVE-2019-11687): PE, ELF, Mach-O or a script.
    /// TIFF, the one use that the standard names, stays welcome.
    /// </summary>
    private static bool IsProgram(ReadOnlySpan<byte> preamble) => preamble is
        [(byte)'M', (byte)'Z', ..] or [(byte)'#', (byte)'!', ..] or [0x7F, (byte)'E', (byte)'L', (byte)'F', ..]
        or [0xCA, 0xFE, 0xBA, 0xBE, ..] or [0xCE or 0xCF, 0xFA, 0xED, 0xFE, ..] or [0xFE, 0xED, 0xFA, 0xCE or 0xCF, ..];

    /// <summary>A bare data set starts with group 0002, 0004 or 0008 in either byte order and a low element number.</summary>
    private static bool LooksLikeBareDataSet(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 8)
        {
            return false;
        }

        var little = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        var big = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        return little is 2 or 4 or 8 && bytes[3] <= 0x30 || big is 8 && bytes[2] <= 0x30 && char.IsAsciiLetterUpper((char)bytes[4]);
    }

    private static FileSource OpenSource(string path, DicomLimits limits, FileOptions options)
    {
        var handle = File.OpenHandle(path, options: options);
        var length = RandomAccess.GetLength(handle);
        if (length <= limits.MaxFileBytes)
        {
            return new FileSource(handle, path, length);
        }

        handle.Dispose();
        throw new DicomException(
            DicomFault.LimitExceeded,
            $"{path}: {length} bytes; the limit is {limits.MaxFileBytes}. If the file is genuine, raise {nameof(DicomLimits.MaxFileBytes)}.");
    }
}
