using FedSeg.Testing;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Tests.Weights;

public sealed class SafetensorsTests : IDisposable
{
    private static readonly TensorManifest Manifest = new([new TensorSpec("a.weight", [2, 3]), new TensorSpec("b", [1])]);
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Write_ThenOpen_GivesTheSameTensorsValuesAndMetadata()
    {
        var path = WriteSample(new Dictionary<string, string> { ["round"] = "3" });

        using var file = SafetensorsFile.Open(path);

        Assert.Null(Manifest.FirstDifference(file.Tensors));
        Assert.Equal([1f, 2, 3, 4, 5, 6], file.ReadAll("a.weight"));
        Assert.Equal([7f], file.ReadAll("b"));
        Assert.Equal("3", file.Metadata["round"]);
    }

    [Fact]
    public void Write_Header_IsTheDocumentedFormat()
    {
        // Read as the format's own description says, without this project's reader.
        var bytes = File.ReadAllBytes(WriteSample(new Dictionary<string, string> { ["labels"] = "x" }));
        var headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        using var header = JsonDocument.Parse(Encoding.UTF8.GetString(bytes, 8, headerLength));
        var tensor = header.RootElement.GetProperty("a.weight");

        Assert.Equal(0, headerLength % 8);
        Assert.Equal("F32", tensor.GetProperty("dtype").GetString());
        Assert.Equal([2, 3], tensor.GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt32()));
        Assert.Equal([0, 24], tensor.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt32()));
        Assert.Equal("x", header.RootElement.GetProperty("__metadata__").GetProperty("labels").GetString());
        Assert.Equal(8 + headerLength + 28, bytes.Length);
        Assert.Equal(4f, BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(8 + headerLength + 12)));
    }

    [Fact]
    public void FileLength_OfAManifest_IsWhatIsWritten() => Assert.Equal(SafetensorsWriter.FileLength(Manifest), new FileInfo(WriteSample()).Length);

    [Fact]
    public void Read_RangeOutsideTheTensor_Throws()
    {
        using var file = SafetensorsFile.Open(WriteSample());

        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read("a.weight", 5, new float[2]));
    }

    [Fact]
    public void Complete_MissingElements_Throws()
    {
        using var writer = SafetensorsWriter.Create(_folder["short"], Manifest);
        writer.Write([1f]);

        Assert.Throws<InvalidOperationException>(() => writer.Complete());
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5, "5 follow the header")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "directly behind")]
    [InlineData("""{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}""", 8, "none of F32")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "directly behind")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", 0, "impossible shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}""", 4, "unknown fields")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "not well-formed")]
    [InlineData("""{"../a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "tensor name")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,4]}}""", 4, "not well-formed")]
    [InlineData("""{"__metadata__":{"labels":null}}""", 0, "'labels' is null")]
    [InlineData("""["a"]""", 0, "begin with '{'")]
    [InlineData("""{"a":3}""", 0, "not well-formed")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"offsets":[0,4]}}""", 4, "not well-formed")]
    public void Open_HostileHeader_IsRefusedWithItsReason(string header, int payloadBytes, string reason)
    {
        var path = WriteRaw((ulong)header.Length, header, payloadBytes);

        Assert.Contains(reason, Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path)).Message);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 40)]
    [InlineData(100UL)]
    public void Open_HeaderLengthThatIsNotThere_IsRefusedBeforeItIsBelieved(ulong length)
    {
        var path = WriteRaw(length, "{}", 0);

        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path));
    }

    [Fact]
    public void Open_TruncatedAnywhere_IsRefused()
    {
        var bytes = File.ReadAllBytes(WriteSample());
        var path = _folder["cut"];
        for (var length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(path, bytes[..length]);
            Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path));
        }
    }

    public void Dispose() => _folder.Dispose();

    private string WriteSample(IReadOnlyDictionary<string, string>? metadata = null)
    {
        var path = _folder["sample"];
        using var writer = SafetensorsWriter.Create(path, Manifest, metadata);
        writer.Write([1f, 2, 3, 4]);
        writer.Write([5f, 6, 7]);
        writer.Complete();
        return path;
    }

    private string WriteRaw(ulong length, string header, int payloadBytes)
    {
        var path = _folder["raw"];
        using var stream = File.Create(path);
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, length);
        stream.Write(prefix);
        stream.Write(Encoding.UTF8.GetBytes(header));
        stream.Write(new byte[payloadBytes]);
        return path;
    }
}
