using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FedSeg.Dicom;
using FedSeg.Federation;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Storage;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Cropping;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>
/// Prepared cases in a folder of the run's, so that a trainer that starts again in the middle of a run need not decode and resample the cohort a second time. What it
/// gives back is what was prepared, to the last bit. A case is known by everything it was made from: its files' names, lengths and times, the plan's preprocessing, the
/// labels, the limits and this build. Whoever owns the folder deletes it with the run.
/// </summary>
/// <param name="directory">The folder; made when first written to.</param>
/// <param name="mostBytes">Bytes it may take; cases beyond it are prepared every time.</param>
internal sealed class CaseCache(string directory, long mostBytes)
{
    private const string Suffix = ".case";
    private const int LargestFacts = 1 << 16;

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
        if (!File.Exists(path)) return null;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        using var reader = new BinaryReader(stream);
        // Written whole or not at all; what is shorter, longer or something else all the same was not written here.
        if (ReadFacts(reader) is not { } facts) return null;
        if (stream.Length != stream.Position + (sizeof(float) + 1L) * facts.Input.VoxelCount + facts.Original.VoxelCount) return null;
        var voxels = new float[facts.Input.VoxelCount];
        stream.ReadExactly(MemoryMarshal.AsBytes(voxels.AsSpan()));
        var labels = reader.ReadBytes(voxels.Length);
        var reference = reader.ReadBytes(facts.Original.VoxelCount);
        var image = PreparedImage.Restore(new Volume(facts.Input, voxels), facts.Original, facts.BoxStart, facts.BoxSize, maxThreads: 1);
        return new PreparedCase(facts.PatientKey, image, new LabelVolume(facts.Input, labels), new LabelVolume(facts.Original, reference), facts.IsMasked) { Undrawn = facts.Undrawn };
    }

    /// <summary>Keeps a case, if there is room; a disk that refuses costs time at the next start, nothing else.</summary>
    public void Store(string key, PreparedCase entry)
    {
        if (!Reserve(entry.Bytes)) return;
        // Named for this process: whatever a killed one left is never taken for a case.
        var unfinished = Path.Combine(directory, $"{key}.{Environment.ProcessId}.unfinished");
        try
        {
            Write(unfinished, entry);
            File.Move(unfinished, Path.Combine(directory, key + Suffix), overwrite: true);
        }
        catch (IOException)
        {
            File.Delete(unfinished);
        }
    }

    /// <summary>Forgets a case.</summary>
    public void Remove(string key) => File.Delete(Path.Combine(directory, key + Suffix));

    private static CaseFacts? ReadFacts(BinaryReader reader)
    {
        if (reader.BaseStream.Length < sizeof(int) || reader.ReadInt32() is not (> 0 and <= LargestFacts and var length)) return null;
        try
        {
            return JsonSerializer.Deserialize<CaseFacts>(reader.ReadBytes(length), FederationJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private bool Reserve(long bytes)
    {
        lock (_gate)
        {
            _bytes ??= Directory.CreateDirectory(directory).EnumerateFiles().Sum(file => file.Length);
            if (_bytes + bytes > mostBytes) return false;
            _bytes += bytes;
            return true;
        }
    }

    private static void Write(string path, PreparedCase entry)
    {
        var facts = new CaseFacts(
            entry.PatientKey, entry.Image.Grid, entry.Reference.Grid, entry.Prepared.Box.Start, entry.Prepared.Box.Part.Size, entry.Undrawn, entry.IsMasked);
        var header = JsonSerializer.SerializeToUtf8Bytes(facts, FederationJson.Options);
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        using var writer = new BinaryWriter(stream);
        writer.Write(header.Length);
        writer.Write(header);
        writer.Write(MemoryMarshal.AsBytes(entry.Image.Voxels.AsSpan()));
        writer.Write(entry.Labels.Labels);
        writer.Write(entry.Reference.Labels);
        writer.Flush();
        Fsync.Flush(stream);
    }

    /// <summary>What stands before the voxels. Doubles survive JSON to the last bit.</summary>
    private sealed record CaseFacts(
        string PatientKey, GridGeometry Input, GridGeometry Original, Index3 BoxStart, Index3 BoxSize, ImmutableArray<byte> Undrawn, bool IsMasked);
}
