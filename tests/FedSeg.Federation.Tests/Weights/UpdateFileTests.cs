using FedSeg.Federation.Weights;
using FedSeg.Testing;

namespace FedSeg.Federation.Tests.Weights;

public sealed class UpdateFileTests : IDisposable
{
    private static readonly TensorManifest Model = new([new TensorSpec("a.weight", [5, 7]), new TensorSpec("b", [3]), new TensorSpec("c.weight", [2, 9])]);
    private static readonly float[] Steps = [0.25f, 0, 1.401298464324817e-45f];
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<UpdateEncoding, int> Encodings => new()
    {
        { UpdateEncoding.F32, 4 }, { UpdateEncoding.F16, 2 }, { UpdateEncoding.I16, 2 }, { UpdateEncoding.I8, 1 },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Read_AnyRangeOverTensors_GivesTheValuesWritten(UpdateEncoding encoding, int elementBytes)
    {
        var values = WriteSample(encoding);

        using var file = UpdateFile.Open(_folder["update"], Model, encoding);
        Assert.Equal(values.Length, file.Length);
        for (var start = 0; start < values.Length; start++)
        {
            for (var length = 0; length <= values.Length - start; length += 5)
            {
                var read = new float[length];
                file.Read(start, read);
                Assert.Equal(values[start..(start + length)], read);
            }
        }

        var stepBytes = encoding == UpdateEncoding.F32 ? 0 : Model.Tensors.Length * sizeof(float);
        Assert.Equal(values.Length * elementBytes + stepBytes, EncodedManifest.Of(Model, encoding).PayloadBytes);
        Assert.Equal(new FileInfo(_folder["update"]).Length, SafetensorsWriter.FileLength(EncodedManifest.Of(Model, encoding)));
    }

    [Fact]
    public void Write_HalfPrecision_LeavesTheNearestHalvesInPlace()
    {
        using var writer = UpdateWriter.Create(_folder["update"], new TensorManifest([new TensorSpec("a", [3])]), UpdateEncoding.F16);
        writer.BeginTensor(0.5f);
        float[] values = [0.5f * (1 + 1 / 4096f), 0.5f * (1 + 3 / 2048f), -1000.1f];
        writer.Write(values);
        writer.Complete();

        Assert.Equal([0.5f, 0.5f * (1 + 2 / 1024f), 0.5f * (float)(Half)(-2000.2f)], values);
    }

    [Theory]
    [InlineData(UpdateEncoding.I16)]
    [InlineData(UpdateEncoding.F32)]
    public void Open_OtherEncodingThanThePlans_IsRefused(UpdateEncoding written)
    {
        WriteSample(written);

        Assert.Throws<SafetensorsException>(() => UpdateFile.Open(_folder["update"], Model, UpdateEncoding.I8));
    }

    [Theory]
    [InlineData(0.3f)]
    [InlineData(-0.25f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(3e-45f * 1.5f)]
    public void Open_StepThatIsNoPowerOfTwo_IsRefused(float step)
    {
        using (var writer = SafetensorsWriter.Create(_folder["update"], EncodedManifest.Of(Model, UpdateEncoding.I8)))
        {
            writer.WriteElements(new byte[Model.ParameterCount]);
            writer.Write([1, step, 1]);
            writer.Complete();
        }

        Assert.Throws<SafetensorsException>(() => UpdateFile.Open(_folder["update"], Model, UpdateEncoding.I8));
    }

    [Fact]
    public void Read_ElementsThatAreNotFloat32_AreNotTakenForIt()
    {
        WriteSample(UpdateEncoding.I16);

        using var file = SafetensorsFile.Open(_folder["update"]);
        Assert.Throws<InvalidOperationException>(() => file.ReadAll("a.weight"));
    }

    [Fact]
    public void Open_Metadata_IsRefused()
    {
        using (var writer = SafetensorsWriter.Create(_folder["update"], Model, new Dictionary<string, string> { ["note"] = "x" }))
        {
            writer.Write(new float[Model.ParameterCount]);
            writer.Complete();
        }

        Assert.Throws<SafetensorsException>(() => UpdateFile.Open(_folder["update"], Model, UpdateEncoding.F32));
    }

    /// <summary>Whole numbers of steps that every encoding holds, to the ends of the smallest.</summary>
    private float[] WriteSample(UpdateEncoding encoding)
    {
        var values = new List<float>();
        using var writer = UpdateWriter.Create(_folder["update"], Model, encoding);
        foreach (var (tensor, step) in Model.Tensors.Zip(Steps))
        {
            var piece = Enumerable.Range(0, (int)tensor.ElementCount).Select(i => step * (i % 2 == 0 ? 127 - i : i - 127)).ToArray();
            writer.BeginTensor(step);
            writer.Write(piece.AsSpan(0, 2));
            writer.Write(piece.AsSpan(2));
            values.AddRange(piece);
        }

        writer.Complete();
        return [.. values];
    }
}
