using System.Globalization;

namespace FedSeg.Dicom.DataSets;

/// <summary>
/// A table of the standard that is part of the assembly: lines of fields parted by semicolons, comments start with <c>#</c>.
/// </summary>
internal static class EmbeddedTable
{
    /// <summary>The rows in file order, each with exactly <paramref name="columns"/> fields.</summary>
    /// <exception cref="InvalidDataException">The table is absent or a row has another number of fields: a fault of the build.</exception>
    public static IEnumerable<string[]> Rows(string name, int columns)
    {
        using var stream = typeof(EmbeddedTable).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidDataException($"{name} is not part of this assembly.");
        using var reader = new StreamReader(stream);
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            var fields = line.Split(';');
            yield return fields.Length == columns ? fields
                : throw new InvalidDataException($"{name} line {number}: {fields.Length} fields where {columns} should be.");
        }
    }

    /// <summary>A tag as eight hexadecimal digits.</summary>
    public static DicomTag Tag(string digits) =>
        digits.Length == 8 && uint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            ? new DicomTag((ushort)(number >> 16), (ushort)number)
            : throw new InvalidDataException($"'{digits}' is not a tag of eight hexadecimal digits.");
}
