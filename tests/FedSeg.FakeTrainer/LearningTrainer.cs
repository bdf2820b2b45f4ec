using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;

namespace FedSeg.FakeTrainer;

/// <summary>
/// A trainer for the tests of crashes, which need no images. The change of the weights follows from the site, the round and the base model alone: trained again it is the
/// same, and an update that is lost, counted twice or of another round gives the model another hash.
/// </summary>
internal static class LearningTrainer
{
    private const int Cases = 10;

    public static Task RunAsync(TextReader commands, TextWriter events) =>
        new ObedientTrainer(Cases, loss: 0.5, (run, site) => WriteUpdate(run.Plan, site, run.UpdatePath, run.ResidualPath)).RunAsync(commands, events);

    private static Sha256Digest WriteUpdate(RoundPlan plan, string site, string path, string? residual)
    {
        var seed = SHA256.HashData(Encoding.UTF8.GetBytes($"{site} {plan.Round} {plan.BaseModel}"));
        var chance = new Random(BinaryPrimitives.ReadInt32LittleEndian(seed));
        var manifest = plan.Manifest();
        var values = new float[manifest.ParameterCount];
        foreach (ref var value in values.AsSpan()) value = (float)(0.001 * (2 * chance.NextDouble() - 1));
        using (var writer = SafetensorsWriter.Create(path, manifest))
        {
            writer.Write(values);
            var digest = writer.Complete();
            if (residual is null) return digest;
        }

        return Residual.Add(path, residual, manifest);
    }
}
