using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Storage;

namespace FedSeg.Federation.Weights;

/// <summary>
/// Writes one safetensors file front to back: the canonical header of a manifest, then every tensor's elements in order, in pieces of any size.
/// The same manifest, metadata and values give the same bytes on any machine. <see cref="Complete"/> makes them durable and names them by their digest.
/// </summary>
public sealed class SafetensorsWriter : IDisposable
{
    private readonly FileStream _stream;
    private readonly Writeback _writeback;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly TensorManifest _manifest;
    private long _remainingBytes;

    private SafetensorsWriter(FileStream stream, TensorManifest manifest)
    {
        _stream = stream;
        _writeback = new Writeback(stream);
        _manifest = manifest;
        _remainingBytes = manifest.PayloadBytes;
    }

    /// <summary>Starts a new file; an existing one is replaced.</summary>
    public static SafetensorsWriter Create(string path, TensorManifest manifest, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var writer = new SafetensorsWriter(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 17), manifest);
        writer.WriteBytes(SafetensorsHeader.Encode(manifest, metadata ?? ImmutableDictionary<string, string>.Empty));
        return writer;
    }

    /// <summary>Bytes a file of this manifest has, header included.</summary>
    public static long FileLength(TensorManifest manifest, IReadOnlyDictionary<string, string>? metadata = null) =>
        SafetensorsHeader.Encode(manifest, metadata ?? ImmutableDictionary<string, string>.Empty).Length + manifest.PayloadBytes;

    /// <summary>Appends the next elements, float32, in manifest order.</summary>
    /// <exception cref="InvalidOperationException">More elements than the manifest declares.</exception>
    public void Write(ReadOnlySpan<float> values) => WriteElements(MemoryMarshal.AsBytes(values));

    /// <summary>Appends the bytes of the next elements, whatever their type, in manifest order.</summary>
    /// <exception cref="InvalidOperationException">More elements than the manifest declares.</exception>
    public void WriteElements(ReadOnlySpan<byte> bytes)
    {
        if (!BitConverter.IsLittleEndian) throw new PlatformNotSupportedException("safetensors files are little-endian.");
        _remainingBytes -= bytes.Length;
        if (_remainingBytes < 0) throw new InvalidOperationException("More elements were written than the manifest declares.");
        WriteBytes(bytes);
    }

    /// <summary>Ends the file. When this returns, every byte is on the disk.</summary>
    /// <returns>SHA-256 of the whole file.</returns>
    /// <exception cref="InvalidOperationException">Elements are missing.</exception>
    public Sha256Digest Complete()
    {
        if (_remainingBytes != 0)
        {
            throw new InvalidOperationException($"{_remainingBytes} of {_manifest.PayloadBytes} payload bytes were not written.");
        }

        Fsync.Flush(_stream);
        return Sha256Digest.FromHash(_hash.GetCurrentHash());
    }

    public void Dispose()
    {
        _hash.Dispose();
        _stream.Dispose();
    }

    private void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        _stream.Write(bytes);
        _writeback.Wrote();
        _hash.AppendData(bytes);
    }
}
