using System.CommandLine;

namespace FedSeg.Cli.Programs;

/// <summary>The file that a command writes when all its work is done.</summary>
internal static class OutputFile
{
    /// <summary>Its full path. Its folder has to be there before the work begins, not after hours of it.</summary>
    /// <exception cref="BadInputException">It is not there, or the path is a folder itself.</exception>
    public static string PathOf(ParseResult parsed, Option<FileInfo> option)
    {
        var file = parsed.GetRequiredValue(option);
        if (file.Directory is not { Exists: true }) throw new BadInputException($"{option.Name} {file.FullName}: there is no folder '{file.DirectoryName}'.");
        return Directory.Exists(file.FullName) ? throw new BadInputException($"{option.Name} {file.FullName}: that is a folder; name a file.") : file.FullName;
    }
}
