using System.Security.Cryptography;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;

namespace FedSeg.Egress.Sealing;

/// <summary>
/// What the gate's encoding makes of an update, for a simulation that has no gate: it approves nothing, and nothing it writes can be sent.
/// </summary>
public static class GateEncoding
{
    /// <summary>Writes a trained change as a site without rounding of its own would send it, and with error feedback what stays.</summary>
    /// <param name="plan">The round.</param>
    /// <param name="changePath">The trained change, float32.</param>
    /// <param name="targetPath">The encoded update.</param>
    /// <param name="residualPath">Replaced where the plan has error feedback.</param>
    /// <param name="random">Rounds up or down.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    public static void Write(
        RoundPlan plan, string changePath, string targetPath, string residualPath, RandomNumberGenerator random,
            CancellationToken cancellationToken)
    {
        var manifest = plan.UpdateManifest().All;
        var encoding = plan.Recipe.UpdateEncoding;
        using (var source = SafetensorsFile.Open(changePath))
        {
            var grid = new StochasticGrid(Requantisation.Off.AtLeast(encoding), random);
            DeltaReencoder.Reencode(source, manifest, grid, blind: null, encoding, targetPath, baseModel: null, cancellationToken);
        }

        if (plan.Recipe.ErrorFeedback) Residual.Write(changePath, targetPath, manifest, encoding, residualPath, cancellationToken);
    }
}
