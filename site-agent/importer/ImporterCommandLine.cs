namespace FedSeg.Importer;

/// <summary>The command line, taken apart: a verb, its files, and the switches that belong to the settings.</summary>
/// <param name="Verb"><c>import</c>, <c>push</c>, or empty for the service.</param>
/// <param name="Files">What stands between the verb and the first switch.</param>
/// <param name="Switches"><c>--settings FILE</c> and <c>--Importer:Key=value</c>.</param>
internal sealed record ImporterCommandLine(string Verb, IReadOnlyList<string> Files, string[] Switches)
{
    public static ImporterCommandLine Split(string[] args)
    {
        var words = args.TakeWhile(word => !word.StartsWith("--", StringComparison.Ordinal)).ToArray();
        return new(words is [var verb, ..] ? verb : "", [.. words.Skip(1)], args[words.Length..]);
    }

    /// <exception cref="InvalidDataException">An unknown verb, or files where there should be none or the other way round.</exception>
    public void Check()
    {
        var problem = (Verb, Files.Count) switch
        {
            ("" or "import", 0) or ("push", > 0) => null,
            ("push", _) => "push needs the files to store.",
            ("import", _) => "import takes no files; what it imports is in its settings.",
            _ => $"There is no verb '{Verb}'.",
        };
        if (problem is not null)
        {
            throw new InvalidDataException($"{problem} Usage: FedSeg.Importer [import | push FILE...] --settings FILE");
        }
    }
}
