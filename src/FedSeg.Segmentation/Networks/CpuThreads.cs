namespace FedSeg.Segmentation.Networks;

/// <summary>
/// Lets torch's threads sleep while they wait for each other. As OpenMP comes they spin: where other programs want the cores too, a hospital's viewer or another site's trainer,
/// a step took up to twice the processor time and no less by the clock.
/// </summary>
internal static class CpuThreads
{
    private const string Variable = "OMP_WAIT_POLICY";

    /// <summary>Before torch is loaded, which reads this once. Whoever starts the program may say otherwise.</summary>
    internal static void Initialize()
    {
        // Without it the program is slower, not wrong.
        if (Environment.GetEnvironmentVariable(Variable) is null) _ = NativeEnvironment.TrySetBoth(Variable, "PASSIVE");
    }
}
