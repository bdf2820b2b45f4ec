using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Tests.Aggregation;

public sealed class PartialWeightsTests
{
    [Theory]
    [InlineData(0, new double[] { 0, 0, 1, 2, 3, 0, 4, 5 })]
    [InlineData(1, new double[] { 0, 1, 2 })]
    [InlineData(3, new double[] { 2, 3, 0, 4 })]
    [InlineData(6, new double[] { 4 })]
    [InlineData(8, new double[] { })]
    public void Read_AnyRange_HasZerosWhereNothingIsStored(int start, double[] expected)
    {
        var model = new TensorManifest([new("a", [2]), new("b", [3]), new("c", [1]), new("d", [2])]);
        var layout = new TensorManifest([new("own.b", [3]), new("own.d", [2])]);
        var weights = new PartialWeights(new WeightsInMemory([1, 2, 3, 4, 5]), layout, model, name => "own." + name);
        double[] values = [.. expected.Select(_ => double.NaN)];
        weights.Read(start, values);

        Assert.Equal(8, weights.Length);
        Assert.Equal(expected, values);
    }
}
