namespace FedSeg.Segmentation.Training;

/// <summary>What a local algorithm adds to every gradient, after backpropagation and before clipping.</summary>
internal interface IGradientTerm : IDisposable
{
    /// <summary>Adds to the gradients of this step.</summary>
    void Add();

    /// <summary>What it remembers from step to step, by name: a checkpoint has to hold it.</summary>
    IEnumerable<(string Name, TorchSharp.torch.Tensor Values)> History { get; }
}
