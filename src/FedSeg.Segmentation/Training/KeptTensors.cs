using FedSeg.Federation.Training;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>The tensors that a site trains and keeps (<see cref="TensorPolicy.KeepLocal"/>), from round to round.</summary>
internal static class KeptTensors
{
    private const string Part = "kept";

    /// <summary>Puts the site's own tensors in place of the global model's; in its first round the site has none yet.</summary>
    public static void Load(nn.Module network, TensorRules rules, SiteState? state)
    {
        if (state?.FindEarlier(Part) is { } path) TensorFile.Read(path, Of(network, rules));
    }

    /// <summary>Keeps them for the next round.</summary>
    public static void Save(nn.Module network, TensorRules rules, SiteState? state)
    {
        if (rules.KeepLocal.Length > 0) TensorFile.Write(state!.PathOf(Part), Of(network, rules));
    }

    private static List<(string, Tensor)> Of(nn.Module network, TensorRules rules) =>
        [.. NamedWeights.Of(network).Where(weights => rules.Of(weights.Name) == TensorPolicy.KeepLocal).Select(weights => (weights.Name, (Tensor)weights.Values))];
}
