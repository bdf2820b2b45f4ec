using FedSeg.Cli.Benchmarks;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Architectures;

namespace FedSeg.Cli.Tests.Benchmarks;

public sealed class ExchangeModelTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(100)]
    [InlineData(300)]
    [InlineData(1000)]
    public void Nearest_SizeWithinTheAllowList_IsWithinATenth(double megabytes) =>
        Assert.InRange(ArchitectureCatalog.Manifest(ExchangeModel.Nearest(megabytes)).PayloadBytes / 1e6, 0.9 * megabytes, 1.1 * megabytes);

    [Fact]
    public void Nearest_LargerThanAnythingAllowed_SaysWhatThereIs()
    {
        var error = Assert.Throws<BadInputException>(() => ExchangeModel.Nearest(1e5));

        Assert.Contains("nearest model that may be built", error.Message);
    }
}
