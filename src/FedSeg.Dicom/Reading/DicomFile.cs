using System.Buffers.Binary;
using System.IO.Compression;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Reading;

/// <summary>
/// A DICOM file: Part 10 with preamble and meta group, or a bare data set. The file is read once into one buffer; every element is a slice of it.
/// All failures that the bytes can cause are <see cref="DicomException"/>; a file that can't be opened is the usual <see cref="IOException"/>.
/// </summary>
public sealed class DicomFile
{
    private const int PreambleLength = 128;
    private const int FirstHeaderRead = 32 * 1024;

    private DicomFile(string path, DataSet meta, DataSet dataSet, TransferSyntax syntax, DicomLimits limits)
    {
        Path = path;
        Meta = meta;
        DataSet = dataSet;
        TransferSyntax = syntax;
        Limits = limits;
    }

    /// <summary>The path as it was given, for messages.</summary>
    public string Path { get; }

    /// <summary>The file meta group (0002,xxxx); empty for a bare data set.</summary>
    public DataSet Meta { get; }

    public DataSet DataSet { get; }

    public TransferSyntax TransferSyntax { get; }

    internal DicomLimits Limits { get; }

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="DicomException">Not DICOM, corrupt, or beyond a limit.</exception>
    public static DicomFile Open(string path, DicomLimits? limits = null)
    {
        limits ??= DicomLimits.Default;
        using var handle = File.OpenHandle(path, options: FileOptions.SequentialScan);
        var length = CheckedLength(handle, path, limits);
        return Parse(ReadPrefix(handle, length, path), path, limits);
    }

    /// <summary>
    /// Reads the elements before the pixel data and only as much of the file as they need. <see cref="DataSet"/> has no PixelData then.
    /// </summary>
    /// <exception cref="DicomException">Not DICOM, corrupt, or beyond a limit.</exception>
    public static DicomFile OpenHeader(string path, DicomLimits? limits = null)
    {
        limits ??= DicomLimits.Default;
        using var handle = File.OpenHandle(path);
        var length = CheckedLength(handle, path, limits);
        var read = Math.Min(length, FirstHeaderRead);
        while (true)
        {
            try
            {
                return Parse(ReadPrefix(handle, read, path), length, path, limits, stopAtPixelData: true);
            }
            catch (BufferEndsTooSoonException signal)
            {
                read = Math.Min(length, Math.Max(signal.NeededBytes, read * 4));
            }
        }
    }

    /// <summary>Parses bytes that are already in memory. The result keeps slices of <paramref name="bytes"/>.</summary>
    /// <param name="name">What messages call the file.</param>
    public static DicomFile Parse(ReadOnlyMemory<byte> bytes, string name, DicomLimits? limits = null) =>
        Parse(bytes, bytes.Length, name, limits ?? DicomLimits.Default, stopAtPixelData: false);

    private static DicomFile Parse(ReadOnlyMemory<byte> bytes, long fileLength, string path, DicomLimits limits, bool stopAtPixelData)
    {
        var parser = new DataSetParser(bytes, fileLength, path, limits, stopAtPixelData);
        var hasPreamble = bytes.Length >= PreambleLength + 4 && bytes.Span.Slice(PreambleLength, 4).SequenceEqual("DICM"u8);
        if (!hasPreamble && !LooksLikeBareDataSet(bytes.Span))
        {
            throw new DicomException(DicomFault.NotDicom, $"{path}: neither the DICM mark at byte 128 nor a DICOM data set at the start. Not a DICOM file.");
        }

        parser.Position = hasPreamble ? PreambleLength + 4 : 0;
        var meta = parser.ParseFileMeta();
        var syntax = SyntaxOf(meta, bytes.Span[(int)Math.Min(parser.Position, bytes.Length)..], path);
        if (syntax == TransferSyntax.DeflatedExplicitLittleEndian)
        {
            if (bytes.Length < fileLength)
            {
                throw new BufferEndsTooSoonException(fileLength);
            }

            var inflated = Inflate(bytes[(int)parser.Position..], path, limits);
            parser = new DataSetParser(inflated, inflated.Length, path, limits, stopAtPixelData);
        }

        var dataSet = parser.ParseDataSet(new ElementEncoding(syntax.IsExplicit, syntax.IsBigEndian));
        return new DicomFile(path, meta, dataSet, syntax, limits);
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

    private static ReadOnlyMemory<byte> Inflate(ReadOnlyMemory<byte> deflated, string path, DicomLimits limits)
    {
        using var source = new DeflateStream(new MemoryStream(deflated.ToArray(), writable: false), CompressionMode.Decompress);
        using var inflated = new MemoryStream();
        var chunk = new byte[64 * 1024];
        try
        {
            for (int read; (read = source.Read(chunk)) > 0;)
            {
                if (inflated.Length + read > limits.MaxInflatedBytes)
                {
                    throw new DicomException(
                        DicomFault.LimitExceeded,
                        $"{path}: the deflated data set is larger than {limits.MaxInflatedBytes} bytes. If the file is genuine, raise {nameof(DicomLimits.MaxInflatedBytes)}.");
                }

                inflated.Write(chunk, 0, read);
            }
        }
        catch (InvalidDataException broken)
        {
            throw new DicomException(DicomFault.Malformed, $"{path}: the deflated data set is corrupt; fetch the file again.", broken);
        }

        return inflated.GetBuffer().AsMemory(0, (int)inflated.Length);
    }

    private static long CheckedLength(Microsoft.Win32.SafeHandles.SafeFileHandle handle, string path, DicomLimits limits)
    {
        var length = RandomAccess.GetLength(handle);
        return length <= Math.Min(limits.MaxFileBytes, Array.MaxLength)
            ? length
            : throw new DicomException(
                DicomFault.LimitExceeded,
                $"{path}: {length} bytes; the limit is {limits.MaxFileBytes}. If the file is genuine, raise {nameof(DicomLimits.MaxFileBytes)}.");
    }

    private static byte[] ReadPrefix(Microsoft.Win32.SafeHandles.SafeFileHandle handle, long count, string path)
    {
        var bytes = GC.AllocateUninitializedArray<byte>((int)count);
        for (var filled = 0; filled < bytes.Length;)
        {
            var read = RandomAccess.Read(handle, bytes.AsSpan(filled), filled);
            if (read == 0)
            {
                throw new DicomException(DicomFault.Malformed, $"{path}: the file shrank while it was read. Wait until its transfer is complete.");
            }

            filled += read;
        }

        return bytes;
    }
}
