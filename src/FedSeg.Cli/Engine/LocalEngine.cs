using FedSeg.Cli.Programs;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Networks;
using static TorchSharp.torch;

namespace FedSeg.Cli.Engine;

/// <summary>The engine on this machine: device, thread and models of the commands that compute without a federation.</summary>
internal static class LocalEngine
{
    /// <summary>The device of <c>--device</c>, with every core.</summary>
    /// <exception cref="BadInputException">There is no such device.</exception>
    public static Device Choose(string name)
    {
        try
        {
            return ComputeDevice.Choose(name, Environment.ProcessorCount);
        }
        catch (ArgumentException error)
        {
            throw new BadInputException(error.Message);
        }
    }

    /// <summary>TorchSharp's dispose scopes are per thread, so work with torch keeps one of its own.</summary>
    public static Task<T> OnOwnThread<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>The models of <c>--model</c>.</summary>
    /// <exception cref="BadInputException">One is not there, no model, or not of the others' kind.</exception>
    public static Predictor Open(IReadOnlyList<FileInfo> models, bool mirror, Device device)
    {
        var missing = models.FirstOrDefault(model => !model.Exists);
        if (missing is not null) throw new BadInputException($"There is no model '{missing.FullName}'.");
        try
        {
            return Predictor.Open([.. models.Select(model => model.FullName)], mirror, device);
        }
        catch (SafetensorsException error)
        {
            throw new BadInputException($"{string.Join(", ", models.Select(model => model.FullName))}: {error.Message}");
        }
    }
}
