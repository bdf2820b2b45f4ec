using System.Collections.Immutable;

namespace FedSeg.Federation.Training;

/// <summary>What becomes of a tensor of the network at a site.</summary>
public enum TensorPolicy
{
    /// <summary>Trained; its change leaves and is merged.</summary>
    Average,

    /// <summary>Trained; stays at the site from round to round and never leaves it.</summary>
    KeepLocal,

    /// <summary>The newest global model's; not trained, and nothing of it leaves.</summary>
    TakeLatest,
}

/// <summary>A named part of every network of the allow-list.</summary>
public enum TensorGroup
{
    /// <summary>Scales and shifts of the instance norms, wherever they are.</summary>
    Normalisation,

    Encoder,

    Decoder,

    /// <summary>The convolutions that give the logits.</summary>
    Head,
}

/// <summary>
/// Which tensors are merged, by group; what no rule names is averaged. Keeping <see cref="TensorGroup.Normalisation"/> local is FedBN (Li et al. 2021) for networks
/// without running statistics; keeping the head is FedPer (Arivazhagan et al. 2019).
/// </summary>
public sealed record TensorRules
{
    public static TensorRules AverageAll { get; } = new();

    /// <summary>Groups that stay at the site; they win over <see cref="TakeLatest"/> where a tensor is in both.</summary>
    public ImmutableArray<TensorGroup> KeepLocal { get; init; } = [];

    /// <summary>Groups that are not trained.</summary>
    public ImmutableArray<TensorGroup> TakeLatest { get; init; } = [];

    /// <summary>The policy of a tensor.</summary>
    /// <param name="name">Its name in the architecture's manifest.</param>
    public TensorPolicy Of(string name) =>
        KeepLocal.Any(group => Holds(group, name)) ? TensorPolicy.KeepLocal
        : TakeLatest.Any(group => Holds(group, name)) ? TensorPolicy.TakeLatest
        : TensorPolicy.Average;

    /// <summary>What is wrong with the rules; <see langword="null"/> when nothing is.</summary>
    public string? Problem()
    {
        var named = KeepLocal.Concat(TakeLatest).ToList();
        if (named.Distinct().Count() != named.Count) return "a group of tensors is named twice";
        return named.Contains(TensorGroup.Encoder) && named.Contains(TensorGroup.Decoder) && named.Contains(TensorGroup.Head)
            ? "no tensor would be averaged"
            : null;
    }

    private static bool Holds(TensorGroup group, string name) => group switch
    {
        TensorGroup.Normalisation => name.Contains(".norm.", StringComparison.Ordinal),
        TensorGroup.Encoder => name.StartsWith("encoder.", StringComparison.Ordinal),
        TensorGroup.Decoder => name.StartsWith("decoder.", StringComparison.Ordinal),
        TensorGroup.Head => name.StartsWith("head.", StringComparison.Ordinal) || name.StartsWith("auxiliary.", StringComparison.Ordinal),
        _ => throw new ArgumentOutOfRangeException(nameof(group), group, "There is no such group."),
    };
}
