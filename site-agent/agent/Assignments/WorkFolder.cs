namespace FedSeg.SiteAgent.Assignments;

/// <summary>A round's folder, empty at the start and gone at the end: what the trainer wrote there must not outlive the round.</summary>
internal sealed class WorkFolder : IDisposable
{
    public WorkFolder(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        Path = Directory.CreateDirectory(path).FullName;
    }

    public string Path { get; }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
