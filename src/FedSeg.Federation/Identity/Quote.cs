namespace FedSeg.Federation.Identity;

/// <summary>Makes foreign text fit for an error message: at most 60 characters, control characters replaced.</summary>
internal static class Quote
{
    private const int MaxLength = 60;

    public static string Of(string? text)
    {
        if (text is null) return "(nothing)";
        var cut = text.Length <= MaxLength ? text : text[..MaxLength] + "…";
        return string.Concat(cut.Select(c => char.IsControl(c) ? '�' : c));
    }
}
