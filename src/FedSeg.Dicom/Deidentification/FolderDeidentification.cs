namespace FedSeg.Dicom.Deidentification;

/// <summary>De-identifies every file below a folder into another folder.</summary>
public static class FolderDeidentification
{
    // Links are not followed: one that leads upwards would never end, one that leads out of the folder was not asked for.
    private static readonly EnumerationOptions EveryFile = new()
    {
        RecurseSubdirectories = true,
        AttributesToSkip = FileAttributes.ReparsePoint,
        IgnoreInaccessible = false,
    };

    /// <summary>The files that a run over <paramref name="input"/> (a file or a folder) takes, in ordinal order.</summary>
    public static IReadOnlyList<string> Files(string input) =>
        File.Exists(input) ? [input] : [.. Directory.EnumerateFiles(input, "*", EveryFile).Order(StringComparer.Ordinal)];

    /// <summary>
    /// Whether files written below <paramref name="output"/> would be found again below <paramref name="input"/>, or the other way round.
    /// </summary>
    public static bool Overlap(string input, string output)
    {
        var (first, second) = (WithSeparator(input), WithSeparator(output));
        return first.StartsWith(second, StringComparison.Ordinal) || second.StartsWith(first, StringComparison.Ordinal);
    }

    /// <summary>Runs the files one after another. One bad file never stops the run.</summary>
    /// <param name="quarantined">Told of each file that is held back; its path may name a patient.</param>
    public static void Run(
        Deidentifier deidentifier,
        IReadOnlyList<string> files,
        string output,
        Action<string, QuarantineReason>? quarantined = null,
        IProgress<int>? progress = null,
        CancellationToken cancellationToken = default)
    {
        for (var done = 0; done < files.Count; done++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (deidentifier.Deidentify(files[done], output) is QuarantinedFile { Reason: var reason })
            {
                quarantined?.Invoke(files[done], reason);
            }

            progress?.Report(done + 1);
        }
    }

    private static string WithSeparator(string path) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) + Path.DirectorySeparatorChar;
}
