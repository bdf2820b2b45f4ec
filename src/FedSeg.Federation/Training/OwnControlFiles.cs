using System.Globalization;

namespace FedSeg.Federation.Training;

/// <summary>
/// A site's own control variate of SCAFFOLD (cᵢ) in a run's state, a file a round. What a round made of it counts once the coordinator has the update that carries its
/// change: counted before, a refused update would leave the federation's c apart from the mean of all cᵢ for the rest of the run.
/// </summary>
public static class OwnControlFiles
{
    /// <summary>Names the part that counts.</summary>
    public const string Part = "control";

    /// <summary>Names what a round made of it, until its update has arrived.</summary>
    public const string UnsentPart = "control-unsent";

    /// <summary>The file of a round's cᵢ that counts.</summary>
    public static string PathOf(string state, int round) => PathOf(state, round, Part);

    /// <summary>The file that becomes it.</summary>
    public static string UnsentPathOf(string state, int round) => PathOf(state, round, UnsentPart);

    private static string PathOf(string state, int round, string part) => Path.Combine(state, round.ToString(CultureInfo.InvariantCulture), part + ".safetensors");
}
