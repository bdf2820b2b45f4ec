using System.Text.Json;
using System.Text.Json.Serialization;

namespace FedSeg.Federation.Identity;

/// <summary>Writes an id as its text and reads it back through its own checked <c>Parse</c>, also as a dictionary key.</summary>
public sealed class ParsableJsonConverter<T> : JsonConverter<T>
    where T : struct, IParsable<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(ref reader);

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(ref reader);

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());

    public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.ToString()!);

    private static T Parse(ref Utf8JsonReader reader) =>
        T.TryParse(reader.GetString(), null, out var value)
            ? value
            : throw new JsonException($"'{Quote.Of(reader.GetString())}' is not a valid {typeof(T).Name}.");
}
