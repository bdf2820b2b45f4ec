namespace FedSeg.Imaging.Phantoms;

/// <summary>What phantom hospitals are made of. The same options give the same bytes on every machine.</summary>
public sealed record PhantomOptions
{
    /// <summary>Hospitals, 1 to 26; each is a scanner of its own.</summary>
    public int Sites { get; init; } = 3;

    /// <summary>Cases of each hospital but the last, which has five twelfths of them (at least 2): a small site. At least 2.</summary>
    public int CasesPerSite { get; init; } = 12;

    /// <summary><c>MR</c> or <c>CT</c>.</summary>
    public string Modality { get; init; } = "MR";

    public int Seed { get; init; } = 1;

    /// <summary>
    /// Appended to every free text in every header, segment labels included, so that a test can search for it elsewhere. 1 to 15 ASCII letters, digits
    /// and hyphens, so that it fits a short string (SH).
    /// </summary>
    public string? TextSuffix { get; init; }

    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    internal void Check()
    {
        if (Sites is < 1 or > 26)
        {
            throw new ArgumentException($"{nameof(Sites)} is {Sites}; 1 to 26 is allowed.");
        }

        if (CasesPerSite is < 2 or > 1000)
        {
            throw new ArgumentException($"{nameof(CasesPerSite)} is {CasesPerSite}; 2 to 1000 is allowed.");
        }

        if (Modality is not ("MR" or "CT"))
        {
            throw new ArgumentException($"{nameof(Modality)} is '{Modality}'; MR or CT is allowed.");
        }

        if (TextSuffix is { } suffix && (suffix.Length is 0 or > 15 || !suffix.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-')))
        {
            throw new ArgumentException($"{nameof(TextSuffix)} must be 1 to 15 ASCII letters, digits or hyphens.");
        }
    }
}
