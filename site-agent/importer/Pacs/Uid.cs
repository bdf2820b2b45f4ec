namespace FedSeg.Importer.Pacs;

/// <summary>
/// A DICOM unique identifier, PS3.5 §9.1: 1 to 64 characters, numbers joined by points. Leading zeros are let through, as archives hold
/// them. Checked because it
/// becomes part of a request's path.
/// </summary>
internal readonly record struct Uid
{
    private const int LongestLength = 64;

    private Uid(string value) => Value = value;

    public string Value { get; }

    public static bool TryParse(string? text, out Uid uid)
    {
        uid = default;
        if (text is not { Length: > 0 and <= LongestLength }) return false;
        if (!text.Split('.').All(part => part.Length > 0 && part.All(char.IsAsciiDigit))) return false;
        uid = new Uid(text);
        return true;
    }

    public override string ToString() => Value;
}
