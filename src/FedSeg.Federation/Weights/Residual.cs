using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Weights;

/// <summary>
/// Error feedback: what an encoding loses of an update is kept at the site and added to the next one, so that nothing is lost for good
/// (Seide et al. 2014, section 3; Karimireddy et al. 2019, "Error feedback fixes SignSGD and other gradient compression schemes", algorithm
/// 2). A residual is a file with an update's tensors, float32.
/// </summary>
public static class Residual
{
    private const int ChunkElements = 1 << 16;

    /// <summary>Adds a residual to a trained change; its file is replaced, and durable when this returns.</summary>
    /// <param name="changePath">The trained change, float32.</param>
    /// <param name="residualPath">What the last update that left did not tell.</param>
    /// <param name="manifest">The tensors of both.</param>
    /// <returns>SHA-256 of the changed file.</returns>
    /// <exception cref="SafetensorsException">The residual is not of these tensors.</exception>
    public static Sha256Digest Add(string changePath, string residualPath, TensorManifest manifest)
    {
        var sumPath = changePath + ".sum";
        Sha256Digest sum;
        using (var change = UpdateFile.Open(changePath, manifest, UpdateEncoding.F32))
        using (var residual = UpdateFile.Open(residualPath, manifest, UpdateEncoding.F32))
        {
            sum = Combine(change, residual, +1, manifest, sumPath, CancellationToken.None);
        }

        File.Move(sumPath, changePath, overwrite: true);
        return sum;
    }

    /// <summary>
    /// Writes what a reader of an encoded update does not learn: the change minus what the file says. Durable when this returns.
    /// </summary>
    /// <param name="changePath">The change before it was encoded, float32.</param>
    /// <param name="sentPath">The encoded update.</param>
    /// <param name="manifest">The tensors of both.</param>
    /// <param name="encoding">The update's encoding.</param>
    /// <param name="residualPath">The file to write.</param>
    /// <param name="cancellationToken">Stops between chunks and leaves an unfinished file.</param>
    public static void Write(
        string changePath, string sentPath, TensorManifest manifest, UpdateEncoding encoding, string residualPath,
            CancellationToken cancellationToken)
    {
        using var change = UpdateFile.Open(changePath, manifest, UpdateEncoding.F32);
        using var sent = UpdateFile.Open(sentPath, manifest, encoding);
        Combine(change, sent, -1, manifest, residualPath, cancellationToken);
    }

    private static Sha256Digest Combine(
        UpdateFile first, UpdateFile second, float sign, TensorManifest manifest, string target, CancellationToken cancellationToken)
    {
        var (left, right) = (new float[ChunkElements], new float[ChunkElements]);
        using var writer = SafetensorsWriter.Create(target, manifest);
        for (var start = 0L; start < first.Length; start += ChunkElements)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = (int)Math.Min(ChunkElements, first.Length - start);
            first.Read(start, left.AsSpan(0, count));
            second.Read(start, right.AsSpan(0, count));
            for (var i = 0; i < count; i++) left[i] += sign * right[i];
            writer.Write(left.AsSpan(0, count));
        }

        return writer.Complete();
    }
}
