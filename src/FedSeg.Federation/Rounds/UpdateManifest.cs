using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Rounds;

/// <summary>
/// The tensors of an update, in file order: those of the model that are averaged, then for SCAFFOLD the same again for the change of the site's control variate. Trainer,
/// gate and coordinator each derive it from the plan; a tensor that stays at a site is in none of them.
/// </summary>
public sealed class UpdateManifest
{
    private const string ControlPrefix = "control.";

    internal UpdateManifest(TensorManifest model, TrainingRecipe recipe)
    {
        Weights = new TensorManifest(model.Tensors.Where(tensor => recipe.Tensors.Of(tensor.Name) == TensorPolicy.Average));
        Control = recipe.Algorithm is LocalAlgorithm.Scaffold
            ? new TensorManifest(Weights.Tensors.Select(tensor => tensor with { Name = ControlPrefix + tensor.Name }))
            : new TensorManifest([]);
        IsWholeModel = Weights.Tensors.Length == model.Tensors.Length && Control.Tensors.IsEmpty;
        All = new TensorManifest([.. Weights.Tensors, .. Control.Tensors]);
    }

    /// <summary>The whole file.</summary>
    public TensorManifest All { get; }

    /// <summary>Changes of weights, under the model's names.</summary>
    public TensorManifest Weights { get; }

    /// <summary>Changes of the control variate; none but for SCAFFOLD. Their names are not the model's.</summary>
    public TensorManifest Control { get; }

    /// <summary>Whether it is exactly the model's tensors.</summary>
    public bool IsWholeModel { get; }

    /// <summary>The name of a model's tensor among <see cref="Control"/>.</summary>
    public static string ControlName(string tensor) => ControlPrefix + tensor;
}
