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

    [Theory]
    [InlineData(3, true)]
    [InlineData(5, false)]
    public void Problem_EqualRowsApartFromEachOther_AreFoundWhereverTheyLie(int oneIn, bool found)
    {
        // No two equal rows are neighbours; the others point anywhere.
        const int rows = 60, width = 432;
        var random = new Random(1);
        var manifest = new TensorManifest([new TensorSpec("layer.weight", [rows, 16, 3, 3, 3])]);
        var same = Enumerable.Range(0, width).Select(_ => random.NextSingle() - 0.5f).ToArray();
        Write(manifest, (_, i) => i / width % oneIn == 0 ? same[i % width] * (1 + i / width) : random.NextSingle() - 0.5f);

        Assert.Equal(found, Problem(manifest) is not null);
    }

    [Fact]
    public void Problem_RowsThatOnlyBeginAlike_IsNone()
    {
        const int rows = 32, width = 540;
        var random = new Random(1);
        var manifest = new TensorManifest([new TensorSpec("layer.weight", [rows, 20, 3, 3, 3])]);
        Write(manifest, (_, i) => i % width < 256 ? 0.001f : random.NextSingle() - 0.5f);

        Assert.Null(Problem(manifest));
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
