using FedSeg.Egress.Imprint;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;

namespace FedSeg.Egress.Tests.Imprint;

public sealed class EqualRowsTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(4, 3)]
    [InlineData(16, 4)]
    public void Problem_InitialModelOfEveryAllowedSize_IsNone(int features, int levels)
    {
        var manifest = ArchitectureCatalog.Manifest(new ArchitectureSpec { Name = "unet3d", Classes = 3, BaseFeatures = features, Levels = levels });
        ModelInitializer.Write(_path, manifest, 1, new Dictionary<string, string>());

        Assert.Null(Problem(manifest));
    }

    [Fact]
    public void Problem_EqualRowsWithABiasLadder_IsFound()
    {
        // Every row measures the mean brightness; only the biases, a ladder, tell the rows apart.
        var manifest = new TensorManifest([new TensorSpec("layer.weight", [64, 1, 3, 3, 3]), new TensorSpec("layer.bias", [64])]);
        Write(manifest, (tensor, i) => tensor.Shape.Length == 1 ? i * 0.1f : 1f / 27);

        Assert.Equal("a layer's rows of weights are equal", Problem(manifest));
    }

    [Fact]
    public void Problem_EqualRowsScaledAndTurned_IsFound()
    {
        var manifest = new TensorManifest([new TensorSpec("layer.weight", [32, 1, 3, 3, 3])]);
        Write(manifest, (_, i) => (float)Math.Sin(i % 27) * (i / 27 % 2 == 0 ? 1 + i / 27 : -0.5f));

        Assert.NotNull(Problem(manifest));
    }

    private string? Problem(TensorManifest manifest)
    {
        using var model = SafetensorsFile.Open(_path);
        return EqualRows.Problem(model, manifest);
    }

    private void Write(TensorManifest manifest, Func<TensorSpec, int, float> value)
    {
        using var writer = SafetensorsWriter.Create(_path, manifest, null);
        foreach (var tensor in manifest.Tensors) writer.Write([.. Enumerable.Range(0, (int)tensor.ElementCount).Select(i => value(tensor, i))]);
        writer.Complete();
    }
}
