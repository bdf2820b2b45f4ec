using System.CommandLine;
using FedSeg.Cli.Programs;
using FedSeg.Segmentation.Networks;
using static TorchSharp.torch;

namespace FedSeg.Cli.Engine;

/// <summary>Where to compute, for every command that does.</summary>
internal static class DeviceSwitch
{
    public static Option<string> Option { get; } = new("--device")
    {
        Description = "auto, cpu or cuda:N.",
        DefaultValueFactory = _ => "auto",
    };

    /// <summary>The device asked for, with every core.</summary>
    /// <exception cref="BadInputException">There is no such device.</exception>
    public static Device Choose(ParseResult parsed)
    {
        try
        {
            return ComputeDevice.Choose(parsed.GetRequiredValue(Option), Environment.ProcessorCount);
        }
        catch (ArgumentException error)
        {
            throw new BadInputException(error.Message);
        }
    }
}
