using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;

namespace FedSeg.FakeTrainer;

/// <summary>
/// Delivers changes that follow from site and round alone and lie on a grid of 2⁻¹⁵, after 128 cases: every sum and mean of a few of them
/// is exact, so a test knows a round's model to the bit. It reads no cohort.
/// </summary>
public static class Deliveries
{
    public const int Cases = 128, GridExponent = -15;

    /// <summary>Largest magnitude of a change, in steps of the grid.</summary>
    public const int LargestLevel = 1000;

    /// <summary>The change of one weight.</summary>
    public static float Change(int site, int round, long weight) =>
        (float)Math.ScaleB((31 * weight + 1009 * site + 17 * round) % (2 * LargestLevel + 1) - LargestLevel, GridExponent);

    /// <summary>Works commands off until the agent closes the pipe.</summary>
    public static Task RunAsync(int site, TextReader commands, TextWriter events) =>
        new ObedientTrainer(Cases, loss: 0, (run, _) => Write(run.Plan, run.UpdatePath, site)).RunAsync(commands, events);

    private static Sha256Digest Write(RoundPlan plan, string path, int site)
    {
        var manifest = plan.Manifest();
        using var writer = SafetensorsWriter.Create(path, manifest);
        for (var weight = 0L; weight < manifest.ParameterCount; weight++) writer.Write([Change(site, plan.Round, weight)]);
        return writer.Complete();
    }
}
