using FedSeg.Federation.Weights;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>Named tensors in a safetensors file of the site's own: what a local algorithm, an optimiser or a checkpoint remembers.</summary>
internal static class TensorFile
{
    /// <summary>Writes them in the given order. The file is there whole and on the disk, or as it was before.</summary>
    public static void Write(string path, IReadOnlyList<(string Name, Tensor Values)> tensors, IReadOnlyDictionary<string, string>? facts = null)
    {
        var unfinished = path + ".unfinished";
        using (var writer = SafetensorsWriter.Create(unfinished, ManifestOf(tensors), facts))
        {
            foreach (var (_, values) in tensors)
            {
                using var scope = NewDisposeScope();
                writer.Write(values.detach().cpu().contiguous().data<float>().ToArray());
            }

            writer.Complete();
        }

        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>Fills tensors from a file that holds exactly these.</summary>
    /// <returns>What the file says beside them.</returns>
    /// <exception cref="SafetensorsException">It holds others, or is malformed.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path, IReadOnlyList<(string Name, Tensor Values)> tensors)
    {
        using var file = SafetensorsFile.Open(path);
        if (ManifestOf(tensors).FirstDifference(file.Tensors) is { } difference) throw new SafetensorsException($"{Path.GetFileName(path)}: {difference}");
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        foreach (var (name, values) in tensors) values.copy_(tensor(file.ReadAll(name), values.shape));
        return new Dictionary<string, string>(file.Metadata);
    }

    private static TensorManifest ManifestOf(IEnumerable<(string Name, Tensor Values)> tensors) =>
        new(tensors.Select(entry => new TensorSpec(entry.Name, [.. entry.Values.shape.Select(extent => checked((int)extent))])));
}
