using System.Security.Cryptography;
using System.Text;
using FedSeg.Hosting.Storage;
using FedSeg.Importer.Pacs;

namespace FedSeg.Importer.Cohort;

/// <summary>
/// The cohort that a trainer reads, and the folder beside it where studies wait until they are whole. A case's folder appears in the cohort
/// by one rename, so nobody
/// ever reads half a study. Names are hashes of identifiers, never anything a patient or a user wrote.
/// </summary>
/// <remarks>
/// Data folder: <c>staging/CASE/</c> instances that passed their checks; <c>incoming/</c> files on their way; <c>replaced/CASE/</c> for the
/// moment in which a newer version takes a
/// case's place; <c>quarantine/CASE/</c> what failed its checks in the latest import.
/// </remarks>
internal sealed class CohortFolder(string cohortDirectory, string dataDirectory)
{
    private string Incoming => Path.Combine(dataDirectory, "incoming");

    private string Staging => Path.Combine(dataDirectory, "staging");

    private string Quarantine => Path.Combine(dataDirectory, "quarantine");

    private string Replaced => Path.Combine(dataDirectory, "replaced");

    /// <summary>Takes the folder for this process alone, and clears away what a killed importer left half-written.</summary>
    /// <returns>Dispose it to let others in; the system does so when the process dies.</returns>
    /// <exception cref="IOException">Another importer is at work, or the folders can't be made.</exception>
    public IDisposable Lock()
    {
        DurableFile.CreateDirectory(cohortDirectory);
        DurableFile.CreateDirectory(dataDirectory);
        FileStream claim;
        try
        {
            claim = new FileStream(Path.Combine(dataDirectory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException taken)
        {
            throw new IOException(
                $"Another importer is at work in '{dataDirectory}'. Wait for it, or give this one a folder of its own.", taken);
        }

        if (Directory.Exists(Incoming)) Directory.Delete(Incoming, recursive: true);
        DurableFile.CreateDirectory(Incoming);
        RestoreReplaced();
        return claim;
    }

    /// <summary>The place of a study's case.</summary>
    public CaseFolder Case(Uid study)
    {
        var name = NameOf(study);
        return new CaseFolder(
            Published: Path.Combine(cohortDirectory, name),
            Staging: Path.Combine(Staging, name),
            Replaced: Path.Combine(Replaced, name),
            Quarantine: Path.Combine(Quarantine, name));
    }

    /// <summary>Removes what was kept of studies that are no longer selected: unfinished and refused files. Published cases stay.</summary>
    public void ForgetAllBut(IEnumerable<Uid> studies)
    {
        var kept = studies.Select(NameOf).ToHashSet(StringComparer.Ordinal);
        foreach (var folder in new[] { Staging, Quarantine }.Where(Directory.Exists).SelectMany(Directory.GetDirectories))
        {
            if (!kept.Contains(Path.GetFileName(folder))) Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A path for a file on its way; gone with the next <see cref="Lock"/> unless it was moved.</summary>
    public string NewIncomingPath() => Path.Combine(Incoming, Guid.NewGuid().ToString("N") + ".part");

    /// <summary>Cases that trainers see now.</summary>
    public int CountCases() => Directory.Exists(cohortDirectory) ? Directory.EnumerateDirectories(cohortDirectory).Count() : 0;

    /// <summary>The first 128 bits of an identifier's SHA-256, hexadecimal.</summary>
    internal static string NameOf(Uid uid) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(uid.Value)).AsSpan(0, 16));

    /// <summary>A crash between the two renames of a replacement took a case out of the cohort; it goes back.</summary>
    private void RestoreReplaced()
    {
        if (!Directory.Exists(Replaced)) return;
        foreach (var old in Directory.GetDirectories(Replaced))
        {
            var published = Path.Combine(cohortDirectory, Path.GetFileName(old));
            if (Directory.Exists(published)) Directory.Delete(old, recursive: true);
            else DurableFile.PublishDirectory(old, published);
        }
    }
}
