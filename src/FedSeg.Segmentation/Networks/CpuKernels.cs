using FedSeg.Federation.Architectures;

namespace FedSeg.Segmentation.Networks;

/// <summary>
/// Keeps oneDNN, the library behind libtorch's convolutions on a CPU, to instructions with which it computes right. In libtorch 2.10 its AVX-512 and AVX2 convolutions
/// read memory that nobody wrote where channels don't fill a vector of 16 or 8: outputs and gradients are then wrong, differ from run to run, and are NaN now and then
/// (found on AMD EPYC; <c>ConvolutionTests</c> holds every channel count to double precision). oneDNN reads its limit once, when it first computes, so the limit belongs
/// to the process: SSE4.1 unless <see cref="ChooseFor"/> allowed more: AVX2 for a network whose stages fill its vectors, AVX-512 where they fill those.
/// </summary>
public static class CpuKernels
{
    private const string Variable = "ONEDNN_MAX_CPU_ISA";

    /// <summary>oneDNN's names, narrowest first, each with the float32 channels that fill a vector.</summary>
    private static readonly (string Instructions, int Channels)[] Limits = [("SSE41", 1), ("AVX2", 8), ("AVX512_CORE", 16)];

    private static readonly Lock Gate = new();
    private static int _limit = -1;

    /// <summary>
    /// Allows a process that computes with one architecture the fastest instructions that are right for it. Call it before anything is computed; the first call decides.
    /// </summary>
    public static void ChooseFor(ArchitectureSpec architecture)
    {
        lock (Gate)
        {
            if (_limit == 0) Limit(Widest(architecture));
        }
    }

    /// <summary>Refuses a network that this process would compute wrongly.</summary>
    /// <exception cref="InvalidOperationException">Another architecture's faster instructions were chosen before.</exception>
    internal static void Check(ArchitectureSpec architecture)
    {
        if (_limit > Widest(architecture))
        {
            var (instructions, channels) = Limits[_limit];
            throw new InvalidOperationException($"This process computes with {instructions}, for which every stage needs a multiple of {channels} channels.");
        }
    }

    /// <summary>Before any code of this project can compute anything.</summary>
    internal static void Initialize() => Limit(0);

    private static int Widest(ArchitectureSpec architecture) =>
        Array.FindLastIndex(Limits, limit => ArchitectureCatalog.Topology(architecture).Stages.All(stage => stage.Features % limit.Channels == 0));

    private static void Limit(int limit)
    {
        var instructions = Limits[limit].Instructions;
        if (!NativeEnvironment.TrySetBoth(Variable, instructions)) throw new InvalidOperationException($"{Variable} could not be set.");
        _limit = limit;
    }
}
