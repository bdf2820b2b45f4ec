namespace FedSeg.Dicom.Deidentification;

/// <summary>The Basic Application Level Confidentiality Profile (PS3.15 §E.2, code 113100) with the options chosen for it.</summary>
public sealed class DeidentificationProfile
{
    private DeidentificationProfile(IEnumerable<ProfileOption> options) => Options = [.. options.Distinct().Order()];

    /// <summary>The profile without an option: it keeps least.</summary>
    public static DeidentificationProfile Basic { get; } = new([]);

    /// <summary>The names that <see cref="Parse"/> takes, the refused ones included.</summary>
    public static IReadOnlyList<string> OptionNames { get; } = [.. ProfileOptionTerm.All.Select(term => term.Name)];

    /// <summary>The options in the order of their codes, each once.</summary>
    public IReadOnlyList<ProfileOption> Options { get; }

    /// <summary>The profile with the options of these names.</summary>
    /// <exception cref="ArgumentException">An unknown name, an option that software alone can't honour, or both kinds of dates.</exception>
    public static DeidentificationProfile Parse(IEnumerable<string> names) => With([.. names.Select(name =>
        ProfileOptionTerm.All.FirstOrDefault(term => term.Name == name)?.Option
        ?? throw new ArgumentException($"'{name}' is not an option of the profile; the options are {string.Join(", ", OptionNames)}."))]);

    /// <summary>The profile with these options.</summary>
    /// <exception cref="ArgumentException">An option that software alone can't honour, or both kinds of dates.</exception>
    public static DeidentificationProfile With(params ProfileOption[] options)
    {
        if (options.Select(ProfileOptionTerm.Of).FirstOrDefault(term => term.Refusal is not null) is { } refused)
        {
            throw new ArgumentException($"{refused.Name} ({refused.Meaning}, {(int)refused.Option}) {refused.Refusal}. Leave it out; images with burned-in text are quarantined.");
        }

        return options.Contains(ProfileOption.RetainFullDates) && options.Contains(ProfileOption.RetainModifiedDates)
            ? throw new ArgumentException("full-dates and modified-dates exclude each other; name one of them.")
            : new DeidentificationProfile(options);
    }

    internal bool Has(ProfileOption option) => Options.Contains(option);
}
