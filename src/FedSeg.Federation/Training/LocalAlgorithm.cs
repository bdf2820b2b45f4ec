using System.Text.Json.Serialization;

namespace FedSeg.Federation.Training;

/// <summary>What a site does beside plain steps on its own cases. Closed: these and no others.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "name")]
[JsonDerivedType(typeof(Plain), "plain")]
[JsonDerivedType(typeof(FedProx), "fedprox")]
[JsonDerivedType(typeof(Scaffold), "scaffold")]
[JsonDerivedType(typeof(Ditto), "ditto")]
public abstract record LocalAlgorithm
{
    private LocalAlgorithm() { }

    /// <summary>What is wrong with the numbers; <see langword="null"/> when nothing is.</summary>
    public virtual string? Problem() => null;

    /// <summary>The recipe's steps and nothing else.</summary>
    public sealed record Plain : LocalAlgorithm;

    /// <summary>
    /// Every step is drawn back to the global model by the gradient of µ/2 ‖w − w_global‖² (Li et al. 2020, "Federated optimization in heterogeneous networks",
    /// algorithm 2).
    /// </summary>
    /// <param name="Mu">µ, 0 to 100.</param>
    public sealed record FedProx(double Mu) : LocalAlgorithm
    {
        public override string? Problem() => Mu is >= 0 and <= 100 ? null : $"µ is {Mu}; it must be from 0 to 100";
    }

    /// <summary>
    /// Every gradient is corrected by c − cᵢ, the federation's mean gradient minus the site's own, so that sites with different cases do not drift apart (Karimireddy
    /// et al. 2020, "SCAFFOLD", algorithm 1). cᵢ becomes the mean gradient of the round: with plain SGD that is the paper's option II exactly, and unlike it, it means
    /// the same with momentum and Adam. The update carries the change of cᵢ beside that of the weights.
    /// </summary>
    public sealed record Scaffold : LocalAlgorithm;

    /// <summary>
    /// Federated averaging, and beside it a personal model that stays at the site and is drawn to the global one by λ/2 ‖v − w_global‖² (Li et al. 2021, "Ditto",
    /// algorithm 1).
    /// </summary>
    /// <param name="Lambda">λ, 0 to 100; 0 trains the personal model on the site's own cases alone.</param>
    public sealed record Ditto(double Lambda) : LocalAlgorithm
    {
        public override string? Problem() => Lambda is >= 0 and <= 100 ? null : $"λ is {Lambda}; it must be from 0 to 100";
    }
}
