namespace FedSeg.Cli.Tests;

/// <summary>A folder that goes with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fedseg-cli-");

    public string PathOf(params string[] names) => Path.Combine([_directory.FullName, .. names]);

    public string Write(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        return PathOf(name);
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
