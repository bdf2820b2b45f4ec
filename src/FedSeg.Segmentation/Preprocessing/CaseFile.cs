using System.Collections.Immutable;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Text.Json;
using FedSeg.Federation;
using FedSeg.Hosting.Storage;
using FedSeg.Imaging.Volumes;
using Microsoft.Win32.SafeHandles;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>
/// A prepared case in a file, mapped into memory: what training reads of it the system fetches page by page and lets go of when memory is
/// short, so a cohort may be larger than the machine's memory. The file may be deleted meanwhile (on Windows only after the process ended).
/// </summary>
/// <remarks>
/// Length of the header (int32), header (JSON, filled with spaces to a multiple of 16 bytes with the length), then image (float32), labels
/// and reference (a byte a voxel), all in memory order; numbers in the machine's byte order, for files don't leave it.
/// </remarks>
internal sealed unsafe class CaseFile
{
    private const int Alignment = 16;
    private const int LargestFacts = 1 << 16;

    private readonly SafeMemoryMappedViewHandle _view;
    private readonly byte* _voxels;

    private CaseFile(CaseFacts facts, SafeMemoryMappedViewHandle view, byte* start, long headerEnd)
    {
        Facts = facts;
        _view = view;
        _voxels = start + headerEnd;
    }

    ~CaseFile() => _view.ReleasePointer();

    public CaseFacts Facts { get; }

    /// <summary>The network's input.</summary>
    public ReadOnlySpan<float> Image => new(_voxels, Facts.Input.VoxelCount);

    /// <summary>The reference on the input's grid.</summary>
    public ReadOnlySpan<byte> Labels => new(_voxels + sizeof(float) * (long)Facts.Input.VoxelCount, Facts.Input.VoxelCount);

    /// <summary>The reference on the scanner's grid.</summary>
    public ReadOnlySpan<byte> Reference => new(_voxels + (sizeof(float) + 1) * (long)Facts.Input.VoxelCount, Facts.Original.VoxelCount);

    /// <summary>Maps a file.</summary>
    /// <returns><see langword="null"/> where it is shorter, longer or something else than it says: it was not written here.</returns>
    public static CaseFile? Open(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        using var reader = new BinaryReader(stream);
        if (ReadFacts(reader) is not { } facts) return null;
        var headerEnd = stream.Position;
        if (stream.Length != headerEnd + (sizeof(float) + 1L) * facts.Input.VoxelCount + facts.Original.VoxelCount) return null;

        using var mapped = MemoryMappedFile.CreateFromFile(stream, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        // The view lives as long as its handle, not as these two.
        var view = mapped.CreateViewAccessor(offset: 0, size: 0, MemoryMappedFileAccess.Read).SafeMemoryMappedViewHandle;
        byte* start = null;
        view.AcquirePointer(ref start);
        return new CaseFile(facts, view, start, headerEnd);
    }

    /// <summary>Writes a case; on disk when this returns.</summary>
    public static void Write(string path, PreparedCase entry)
    {
        var header = JsonSerializer.SerializeToUtf8Bytes(CaseFacts.Of(entry), FederationJson.Options);
        var padding = (Alignment - (sizeof(int) + header.Length) % Alignment) % Alignment;
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        using var writer = new BinaryWriter(stream);
        writer.Write(header.Length + padding);
        writer.Write(header);
        writer.Write(Enumerable.Repeat((byte)' ', padding).ToArray());
        writer.Write(MemoryMarshal.AsBytes(entry.Voxels));
        writer.Write(entry.LabelVoxels);
        writer.Write(entry.ReferenceVoxels);
        writer.Flush();
        Fsync.Flush(stream);
    }

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
}

/// <summary>What stands before the voxels. Doubles survive JSON to the last bit.</summary>
/// <param name="PatientKey">Pseudonym of the patient.</param>
/// <param name="Input">Grid of the network's input.</param>
/// <param name="Original">The scanner's grid.</param>
/// <param name="BoxStart">First voxel of the part that was kept, on the canonical axes.</param>
/// <param name="BoxSize">Its voxels along each axis.</param>
/// <param name="Undrawn">Classes that nobody draws at this site.</param>
/// <param name="IsMasked">Whether labels tell <see cref="PreparedCase.Outside"/>.</param>
internal sealed record CaseFacts(
    string PatientKey, GridGeometry Input, GridGeometry Original, Index3 BoxStart, Index3 BoxSize, ImmutableArray<byte> Undrawn, bool IsMasked)
{
    public static CaseFacts Of(PreparedCase entry)
    {
        var (image, reference) = (entry.Prepared, entry.Reference);
        return new CaseFacts(
            entry.PatientKey, image.Input.Grid, reference.Grid, image.Box.Start, image.Box.Part.Size, entry.Undrawn, entry.IsMasked);
    }
}
