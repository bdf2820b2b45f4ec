using System.Runtime.InteropServices;
using FedSeg.Federation.Weights;
using FedSeg.Testing;

namespace FedSeg.Federation.Tests.Weights;

public sealed class SparseUpdateTests : IDisposable
{
    private static readonly TensorManifest Small = new([new TensorSpec("a", [2, 7]), new TensorSpec("b", [3])]);
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    /// <summary>Two of fourteen and one of three; the third 5 comes after two others.</summary>
    [Fact]
    public void Write_HandWorkedTensors_HoldsTheLargestAndTheFirstOfEquals()
    {
        float[] change = [1, -5, 2, 5, -5, 0, 0, 0, 4, 0, 0, 0, -4.5f, 0, /* b */ 0, -1e-40f, 0];
        var left = Write(Small, UpdateEncoding.Top10, change);

        using var file = SafetensorsFile.Open(_folder["update"]);
        Assert.Equal(["a.indices[2] I32", "a.values[2]", "b.indices[1] I32", "b.values[1]"], file.Tensors
            .Select(tensor => tensor.ToString()));
        Span<byte> bytes = new byte[6 * 4];
        file.ReadPayloadBytes(0, bytes);
        Assert.Equal([1, 3], MemoryMarshal.Cast<byte, int>(bytes[..8]));
        Assert.Equal([-5f, 5], MemoryMarshal.Cast<byte, float>(bytes[8..16]));
        Assert.Equal([1], MemoryMarshal.Cast<byte, int>(bytes[16..20]));
        Assert.Equal([-1e-40f], MemoryMarshal.Cast<byte, float>(bytes[20..]));
        float[] told = [0, -5, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1e-40f, 0];
        Assert.Equal(told, Read(Small, UpdateEncoding.Top10));
        // What is measured before it leaves is what a reader gets.
        Assert.Equal(told, left);
    }

    [Theory]
    [InlineData(UpdateEncoding.Top10, 10_000)]
    [InlineData(UpdateEncoding.Top1, 1_000)]
    public void Read_AnyRangeOfLargeTensors_GivesTheValuesWritten(UpdateEncoding encoding, int kept)
    {
        var model = new TensorManifest([new TensorSpec("a", [100_000]), new TensorSpec("b", [7]), new TensorSpec("c", [50, 11])]);
        var chance = new Random(5);
        var change = Enumerable.Range(0, (int)model.ParameterCount).Select(_ => (float)(chance.NextDouble() - 0.5)).ToArray();
        // Every kept place in one corner, so that a block holds more than a range of elements needs.
        for (var i = 90_000; i < 100_000; i++) change[i] *= 10;
        var told = Write(model, encoding, change, pieces: 777);

        Assert.Equal(kept, told[..100_000].Count(value => value != 0));
        Assert.Equal(SafetensorsWriter.FileLength(EncodedManifest.Of(model, encoding)), new FileInfo(_folder["update"]).Length);
        using var file = UpdateFile.Open(_folder["update"], model, encoding);
        foreach (var length in new[] { told.Length, 8192, 1 })
        {
            // Forwards as a merge reads, and from places of chance.
            for (var i = 0; i < 40; i++)
            {
                var start = i < 20 ? Math.Min(i * length, told.Length - length) : chance.Next(told.Length - length + 1);
                var read = new float[length];
                file.Read(start, read);
                Assert.Equal(told[start..(start + length)], read);
            }
        }
    }

    [Fact]
    public void Find_AnyValues_AreThoseOfASort()
    {
        var chance = new Random(3);
        for (var round = 0; round < 50; round++)
        {
            // Few different magnitudes, so that there are ties at the edge; subnormals, infinities and NaN among them.
            float[] pool = [0, -0f, 1e-42f, -1e-42f, 1, -1, 1.0000001f, 3, float.PositiveInfinity, float.NaN];
            var values = Enumerable.Range(0, 300).Select(_ => pool[chance.Next(pool.Length)]).ToArray();
            var manifest = new TensorManifest([new TensorSpec("a", [300])]);
            WriteFloats(manifest, values);
            var count = chance.Next(1, 301);

            using var source = SafetensorsFile.Open(_folder["change"]);
            var places = new List<int>();
            LargestMagnitudes.Find(source, manifest.Tensors[0], count, new float[77], Token).Keep([.. values], 0, places);

            var expected = Enumerable.Range(0, 300)
                .OrderByDescending(i => BitConverter.SingleToUInt32Bits(values[i]) & 0x7FFF_FFFF).ThenBy(i => i).Take(count).Order();
            Assert.Equal(expected, places);
        }
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(5, 2)]
    [InlineData(0, 14)]
    [InlineData(-1, 2)]
    [InlineData(0, int.MinValue)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void Open_PlacesThatAreNotAscendingWithinTheTensor_IsRefused(int first, int second)
    {
        WriteRaw(EncodedManifest.Of(Small, UpdateEncoding.Top10), [first, second], [1f, 2f], [0], [1f]);

        var refused = Assert.Throws<SafetensorsException>(() => UpdateFile.Open(_folder["update"], Small, UpdateEncoding.Top10));
        Assert.Contains("places in 'a'", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>A block of places in which nothing is wrong but its first, which repeats the last of the block before.</summary>
    [Fact]
    public void Open_PlaceRepeatedAcrossBlocks_IsRefused()
    {
        var model = new TensorManifest([new TensorSpec("a", [100_000])]);
        var places = Enumerable.Range(0, 10_000).Select(i => i < 4096 ? i : i - 1).ToArray();
        WriteRaw(EncodedManifest.Of(model, UpdateEncoding.Top10), places, new float[10_000], [], []);

        Assert.Throws<SafetensorsException>(() => UpdateFile.Open(_folder["update"], model, UpdateEncoding.Top10));
    }

    [Fact]
    public void Open_MoreOrFewerPlacesThanTheShare_IsRefused()
    {
        foreach (var kept in new[] { 1, 3 })
        {
            var manifest = new TensorManifest([
                new TensorSpec("a.indices", [kept]) { Type = ElementType.I32 }, new TensorSpec("a.values", [kept]),
                new TensorSpec("b.indices", [1]) { Type = ElementType.I32 }, new TensorSpec("b.values", [1])]);
            WriteRaw(manifest, [.. Enumerable.Range(0, kept)], new float[kept], [0], [1f]);

            Assert.Throws<SafetensorsException>(() => UpdateFile.Open(_folder["update"], Small, UpdateEncoding.Top10));
        }
    }

    [Fact]
    public void Write_WithoutSifting_IsAMistakeOfTheCaller()
    {
        using var writer = UpdateWriter.Create(_folder["update"], Small, UpdateEncoding.Top1);

        Assert.Throws<InvalidOperationException>(() => writer.BeginTensor(0));
    }

    /// <summary>Sent and held back are together what was trained, and what was held back comes with the next round.</summary>
    [Fact]
    public void Residual_OfARound_IsAddedToTheNext()
    {
        float[] change = [1, -5, 2, 5, -5, 0, 0, 0, 4, 0, 0, 0, -4.5f, 0, 0.5f, 1, 0];
        Write(Small, UpdateEncoding.Top10, change);
        Residual.Write(_folder["change"], _folder["update"], Small, UpdateEncoding.Top10, _folder["residual"], Token);
        float[] held = [1, 0, 2, 0, -5, 0, 0, 0, 4, 0, 0, 0, -4.5f, 0, 0.5f, 0, 0];
        Assert.Equal(held, Floats("residual"));

        WriteFloats(Small, [.. Enumerable.Repeat(0.25f, 17)]);
        var digest = Residual.Add(_folder["change"], _folder["residual"], Small);

        Assert.Equal(held.Select(value => value + 0.25f), Floats("change"));
        Assert.Equal(Federation.Identity.Sha256Digest.Of(File.ReadAllBytes(_folder["change"])), digest);
    }

    [Fact]
    public void Add_ResidualOfAnotherNetwork_IsRefusedAndLeavesTheChange()
    {
        WriteFloats(new TensorManifest([new TensorSpec("a", [2])]), [1, 2]);
        File.Move(_folder["change"], _folder["residual"]);
        WriteFloats(Small, new float[17]);
        var before = File.ReadAllBytes(_folder["change"]);

        Assert.Throws<SafetensorsException>(() => Residual.Add(_folder["change"], _folder["residual"], Small));
        Assert.Equal(before, File.ReadAllBytes(_folder["change"]));
    }

    /// <returns>What the writer left in the values' place.</returns>
    private float[] Write(TensorManifest model, UpdateEncoding encoding, float[] change, int pieces = 4)
    {
        WriteFloats(model, change);
        using var source = SafetensorsFile.Open(_folder["change"]);
        using var writer = UpdateWriter.Create(_folder["update"], model, encoding);
        float[] left = [.. change];
        var start = 0;
        foreach (var tensor in model.Tensors)
        {
            var elements = (int)tensor.ElementCount;
            writer.BeginTensor(0, LargestMagnitudes.Find(source, tensor, encoding.KeptOf(elements), new float[pieces], Token));
            for (var at = 0; at < elements; at += pieces)
            {
                var piece = left.AsSpan(start + at, Math.Min(pieces, elements - at));
                writer.Sift(piece);
                writer.Write(piece);
            }

            start += elements;
        }

        writer.Complete();
        return left;
    }

    private void WriteFloats(TensorManifest manifest, float[] values)
    {
        using var writer = SafetensorsWriter.Create(_folder["change"], manifest);
        writer.Write(values);
        writer.Complete();
    }

    private void WriteRaw(TensorManifest manifest, int[] places, float[] values, int[] morePlaces, float[] moreValues)
    {
        using var writer = SafetensorsWriter.Create(_folder["update"], manifest);
        writer.WriteElements(MemoryMarshal.AsBytes(places.AsSpan()));
        writer.Write(values);
        writer.WriteElements(MemoryMarshal.AsBytes(morePlaces.AsSpan()));
        writer.Write(moreValues);
        writer.Complete();
    }

    private float[] Read(TensorManifest model, UpdateEncoding encoding)
    {
        using var file = UpdateFile.Open(_folder["update"], model, encoding);
        var values = new float[file.Length];
        file.Read(0, values);
        return values;
    }

    private float[] Floats(string name)
    {
        using var file = UpdateFile.Open(_folder[name], Small, UpdateEncoding.F32);
        var values = new float[file.Length];
        file.Read(0, values);
        return values;
    }
}
