using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Weights;

/// <summary>
/// The header of a safetensors file: an unsigned 64-bit little-endian length, then that many bytes of JSON that begin with <c>{</c> and may be
/// padded with spaces; the tensors' bytes follow. Only what FedSeg writes is accepted: the types of <see cref="ElementType"/>, in file
/// order, without holes, overlaps or trailing bytes. Source: the safetensors format description, huggingface/safetensors README.
/// </summary>
/// <param name="Tensors">The tensors in the order of their bytes.</param>
/// <param name="Metadata">The <c>__metadata__</c> map; empty for updates.</param>
/// <param name="PayloadOffset">Where the first tensor's bytes begin in the file.</param>
internal sealed record SafetensorsHeader(
    ImmutableArray<TensorSpec> Tensors,
    ImmutableSortedDictionary<string, string> Metadata,
    long PayloadOffset)
{
    private const int LengthPrefixBytes = sizeof(ulong);
    private const int Alignment = 8;
    private const string MetadataKey = "__metadata__";
    private static readonly string[] Types = Enum.GetNames<ElementType>();

    /// <summary>Encodes the canonical header: metadata first (sorted, left out when empty), then the tensors in manifest order, padded to 8 bytes.</summary>
    public static byte[] Encode(TensorManifest manifest, IReadOnlyDictionary<string, string> metadata)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            if (metadata.Count > 0)
            {
                writer.WriteStartObject(MetadataKey);
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) writer.WriteString(key, value);
                writer.WriteEndObject();
            }

            var offset = 0L;
            foreach (var tensor in manifest.Tensors)
            {
                writer.WriteStartObject(tensor.Name);
                writer.WriteString("dtype", tensor.Type.ToString());
                WriteNumbers(writer, "shape", tensor.Shape.Select(extent => (long)extent));
                WriteNumbers(writer, "data_offsets", [offset, offset + tensor.ByteCount]);
                writer.WriteEndObject();
                offset += tensor.ByteCount;
            }

            writer.WriteEndObject();
        }

        var paddedLength = (json.WrittenCount + Alignment - 1) / Alignment * Alignment;
        var header = new byte[LengthPrefixBytes + paddedLength];
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)paddedLength);
        json.WrittenSpan.CopyTo(header.AsSpan(LengthPrefixBytes));
        header.AsSpan(LengthPrefixBytes + json.WrittenCount).Fill((byte)' ');
        return header;
    }

    /// <summary>Reads and checks the header of a file of <paramref name="fileLength"/> bytes.</summary>
    /// <exception cref="SafetensorsException">The file is not what FedSeg writes; the message says where.</exception>
    public static SafetensorsHeader Read(Stream stream, long fileLength, SafetensorsLimits limits)
    {
        Span<byte> prefix = stackalloc byte[LengthPrefixBytes];
        if (fileLength < LengthPrefixBytes || stream.ReadAtLeast(prefix, LengthPrefixBytes, throwOnEndOfStream: false) < LengthPrefixBytes)
        {
            throw new SafetensorsException("the file is shorter than the 8-byte header length");
        }

        var declared = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (declared > (ulong)limits.MaxHeaderBytes || (long)declared > fileLength - LengthPrefixBytes)
        {
            throw new SafetensorsException($"the header claims {declared} bytes; at most {limits.MaxHeaderBytes} and no more than the file has are accepted");
        }

        var json = new byte[(int)declared];
        stream.ReadExactly(json);
        return Parse(json, fileLength - LengthPrefixBytes - json.Length, limits);
    }

    private static SafetensorsHeader Parse(byte[] json, long payloadBytes, SafetensorsLimits limits)
    {
        if (json.Length == 0 || json[0] != (byte)'{') throw new SafetensorsException("the header does not begin with '{'");

        var tensors = ImmutableArray.CreateBuilder<TensorSpec>();
        var metadata = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
        var expectedOffset = 0L;
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false });
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.NameEquals(MetadataKey))
                {
                    metadata = property.Value.EnumerateObject().ToImmutableSortedDictionary(entry => entry.Name, TextOf, StringComparer.Ordinal);
                    continue;
                }

                if (tensors.Count == limits.MaxTensors) throw new SafetensorsException($"more than {limits.MaxTensors} tensors");
                var tensor = ParseTensor(property, expectedOffset);
                expectedOffset = checked(expectedOffset + tensor.ByteCount);
                tensors.Add(tensor);
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or OverflowException or KeyNotFoundException)
        {
            throw new SafetensorsException("the header is not well-formed: " + error.Message.Split('.')[0], error);
        }

        if (expectedOffset != payloadBytes)
        {
            throw new SafetensorsException($"the tensors cover {expectedOffset} bytes but {payloadBytes} follow the header");
        }

        return new SafetensorsHeader(tensors.ToImmutable(), metadata, LengthPrefixBytes + json.Length);
    }

    private static string TextOf(JsonProperty entry) => entry.Value.GetString() ?? throw new FormatException($"'{Quote.Of(entry.Name)}' is null");

    private static TensorSpec ParseTensor(JsonProperty property, long expectedOffset)
    {
        var name = property.Name;
        if (name.Length is 0 or > 128 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_'))
        {
            throw new SafetensorsException($"tensor name '{Quote.Of(name)}' is not 1 to 128 of a-z A-Z 0-9 . _");
        }

        if (property.Value.EnumerateObject().Count() != 3) throw new SafetensorsException($"tensor '{name}' has unknown fields");
        var dtype = property.Value.GetProperty("dtype").GetString();
        var type = Array.IndexOf(Types, dtype);
        if (type < 0) throw new SafetensorsException($"tensor '{name}' is none of {string.Join(", ", Types)}");

        var shape = property.Value.GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt32()).ToImmutableArray();
        if (shape.Any(extent => extent < 1) || shape.Length > 8) throw new SafetensorsException($"tensor '{name}' has an impossible shape");

        var tensor = new TensorSpec(name, shape) { Type = (ElementType)type };
        var offsets = property.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64()).ToArray();
        if (offsets.Length != 2 || offsets[0] != expectedOffset || offsets[1] != checked(expectedOffset + tensor.ByteCount))
        {
            throw new SafetensorsException($"tensor '{name}' does not lie directly behind the one before it with the bytes its shape needs");
        }

        return tensor;
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string name, IEnumerable<long> numbers)
    {
        writer.WriteStartArray(name);
        foreach (var number in numbers) writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }
}

/// <summary>What a safetensors file may claim before it is believed.</summary>
public sealed record SafetensorsLimits
{
    /// <summary>Longest accepted header, bytes.</summary>
    public int MaxHeaderBytes { get; init; } = 4 << 20;

    /// <summary>Most accepted tensors.</summary>
    public int MaxTensors { get; init; } = 10_000;

    public static SafetensorsLimits Default { get; } = new();
}

/// <summary>The file is not a safetensors file as FedSeg writes them; the message says what is wrong and where.</summary>
public sealed class SafetensorsException(string message, Exception? inner = null) : Exception(message, inner);
