using System.Runtime.CompilerServices;

namespace FedSeg.Segmentation.Networks;

/// <summary>What torch's native libraries read when they are loaded.</summary>
internal static class BeforeTorch
{
    /// <summary>Before any code of this project can load them.</summary>
#pragma warning disable CA2255 // A library may not surprise its program; here the surprise would be a wrong segmentation.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Initialize()
    {
        CpuKernels.Initialize();
        CpuThreads.Initialize();
    }
}
