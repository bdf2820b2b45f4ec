using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FedSeg.Dicom;
using FedSeg.Federation;
using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Cases;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>
/// Prepared cases in a folder of the run's: a cohort need not fit into memory, and a trainer that starts again in the middle of a run need not decode and resample it a
/// second time. What it gives back is what was prepared, to the last bit. A case is known by everything it was made from: its files' names, lengths and times, the plan's preprocessing, the
/// labels, the limits and this build. Whoever owns the folder deletes it with the run.
/// </summary>
/// <param name="directory">The folder; made when first written to.</param>
/// <param name="mostBytes">Bytes it may take; cases beyond it are prepared every time.</param>
internal sealed class CaseCache(string directory, long mostBytes)
{
    private const string Suffix = ".case";

    /// <summary>Bytes of the disk that are left to everybody else.</summary>
    private const long LeastFree = 4L << 30;

    private readonly Lock _gate = new();
    private long? _bytes;

    /// <summary>The name of a case folder's prepared form; <see langword="null"/> for a folder that can't be listed.</summary>
    public static string? KeyOf(string folder, LabelVocabulary vocabulary, PreprocessingSpec preprocessing, DicomLimits? limits)
    {
        FileInfo[] files;
        try
        {
            files = [.. new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal)];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        var sources = new StringBuilder()
            .AppendLine(typeof(CaseCache).Module.ModuleVersionId.ToString())
            .AppendLine(typeof(CaseReader).Module.ModuleVersionId.ToString())
            .AppendLine(JsonSerializer.Serialize(preprocessing, FederationJson.Options))
            .AppendLine(JsonSerializer.Serialize(vocabulary.Labels, FederationJson.Options))
            .AppendLine(JsonSerializer.Serialize(limits ?? new DicomLimits(), FederationJson.Options));
        foreach (var file in files)
        {
            sources.AppendLine($"{Path.GetRelativePath(folder, file.FullName)} {file.Length} {file.LastWriteTimeUtc.Ticks}");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sources.ToString())));
    }

    /// <summary>The case, if it is here.</summary>
    public PreparedCase? Find(string key)
    {
        var path = Path.Combine(directory, key + Suffix);
        return File.Exists(path) && CaseFile.Open(path) is { } file ? new PreparedCase(file) : null;
    }

    /// <summary>Keeps a case, if there is room; where there is none, or the disk refuses, it stays in memory.</summary>
    /// <returns>The case from the file, or as it was given.</returns>
    public PreparedCase Store(string key, PreparedCase entry)
    {
        if (!Reserve(entry.Bytes)) return entry;
        // Named for this process: whatever a killed one left is never taken for a case.
        var unfinished = Path.Combine(directory, $"{key}.{Environment.ProcessId}.unfinished");
        try
        {
            CaseFile.Write(unfinished, entry);
            File.Move(unfinished, Path.Combine(directory, key + Suffix), overwrite: true);
            return Find(key) ?? entry;
        }
        catch (IOException)
        {
            File.Delete(unfinished);
            Release(entry.Bytes);
            return entry;
        }
    }

    /// <summary>Forgets a case.</summary>
    public void Remove(string key)
    {
        var file = new FileInfo(Path.Combine(directory, key + Suffix));
        if (!file.Exists) return;
        Release(file.Length);
        file.Delete();
    }

    private bool Reserve(long bytes)
    {
        lock (_gate)
        {
            _bytes ??= Directory.CreateDirectory(directory).EnumerateFiles().Sum(file => file.Length);
            if (_bytes + bytes > mostBytes || new DriveInfo(Path.GetFullPath(directory)).AvailableFreeSpace - bytes < LeastFree) return false;
            _bytes += bytes;
            return true;
        }
    }

    private void Release(long bytes)
    {
        // Files that nobody has counted yet are counted as they are found.
        lock (_gate) _bytes -= bytes;
    }
}
