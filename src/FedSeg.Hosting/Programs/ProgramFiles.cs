namespace FedSeg.Hosting.Programs;

/// <summary>Where FedSeg's programs find each other: side by side in one folder, as installed, or in the build's artifacts.</summary>
public static class ProgramFiles
{
    /// <summary>The path of another program's assembly, such as <c>FedSeg.Trainer</c>.</summary>
    /// <exception cref="InvalidDataException">It is in neither place.</exception>
    public static string Find(string name)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        string[] candidates =
        [
            Path.Combine(here.FullName, name + ".dll"),
            // Installed: <root>/<program>/<program>.dll
            Path.Combine(here.Parent?.FullName ?? "", name, name + ".dll"),
            // Built: artifacts/bin/<project>/<configuration>/<program>.dll
            Path.Combine(here.Parent?.Parent?.FullName ?? "", name, here.Name, name + ".dll"),
        ];
        return candidates.FirstOrDefault(File.Exists)
            ?? throw new InvalidDataException($"{name} was not found beside this program; looked at: {string.Join(", ", candidates)}. Build or install the whole of FedSeg.");
    }
}
