using FedSeg.Hosting.Storage;
using FedSeg.Importer.Pacs;

namespace FedSeg.Importer.Cohort;

/// <summary>
/// One study's files: as a trainer sees them, and as the import gathers them. A file's name says which instance it is, and it has it only
/// after its checks.
/// </summary>
internal sealed record CaseFolder(string Published, string Staging, string Replaced, string Quarantine)
{
    /// <summary>Whether the cohort holds exactly these instances.</summary>
    public bool IsPublishedWith(IReadOnlyCollection<Uid> instances) => FilesIn(Published).SetEquals(instances.Select(FileOf));

    /// <summary>
    /// Opens the staging folder for these instances: keeps what an interrupted import brought, takes over what the cohort already has, and
    /// removes what is no longer wanted.
    /// </summary>
    /// <returns>Which of them are already there.</returns>
    public IReadOnlySet<Uid> Stage(IReadOnlyCollection<Uid> instances)
    {
        if (Directory.Exists(Quarantine)) Directory.Delete(Quarantine, recursive: true);
        DurableFile.CreateDirectory(Staging);
        var wanted = instances.Select(FileOf).ToHashSet(StringComparer.Ordinal);
        var staged = FilesIn(Staging);
        foreach (var stray in staged.Except(wanted)) File.Delete(Path.Combine(Staging, stray));
        foreach (var kept in FilesIn(Published).Intersect(wanted).Except(staged)) TakeOver(kept);
        staged = FilesIn(Staging);
        return instances.Where(instance => staged.Contains(FileOf(instance))).ToHashSet();
    }

    /// <summary>Gives a file that is flushed and checked its name. Replaces one of the same instance.</summary>
    public void Accept(string incomingPath, Uid instance) =>
        File.Move(incomingPath, Path.Combine(Staging, FileOf(instance)), overwrite: true);

    /// <summary>Keeps a file that failed its checks, for the operator; its name tells the reason.</summary>
    public void Refuse(string incomingPath, Uid instance, InstanceFault fault)
    {
        Directory.CreateDirectory(Quarantine);
        File.Move(incomingPath, Path.Combine(Quarantine, $"{fault}-{FileOf(instance)}"), overwrite: true);
    }

    /// <summary>
    /// Puts the staged study in the cohort, in place of an older version. It is whole and durable there when this returns.
    /// </summary>
    /// <exception cref="IOException">The two folders are on different file systems, or the disk failed.</exception>
    public void Publish()
    {
        if (Directory.Exists(Published))
        {
            DurableFile.CreateDirectory(Path.GetDirectoryName(Replaced)!);
            DurableFile.PublishDirectory(Published, Replaced);
        }

        DurableFile.PublishDirectory(Staging, Published);
        if (Directory.Exists(Replaced)) Directory.Delete(Replaced, recursive: true);
    }

    private void TakeOver(string file)
    {
        var copy = Path.Combine(Staging, file + ".copy");
        File.Copy(Path.Combine(Published, file), copy, overwrite: true);
        using (var stream = new FileStream(copy, FileMode.Open, FileAccess.ReadWrite)) DurableFile.Flush(stream);
        File.Move(copy, Path.Combine(Staging, file));
    }

    private static HashSet<string> FilesIn(string directory) =>
        Directory.Exists(directory)
            ? Directory.GetFiles(directory).Select(path => Path.GetFileName(path)).ToHashSet(StringComparer.Ordinal)
            : [];

    private static string FileOf(Uid instance) => CohortFolder.NameOf(instance) + ".dcm";
}
