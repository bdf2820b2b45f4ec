using FedSeg.Segmentation.Networks;
using TorchSharp;

namespace FedSeg.Segmentation.Tests.Networks;

public sealed class ComputeDeviceTests
{
    [Fact]
    public void Choose_Cpu_SetsTheThreads()
    {
        var before = torch.get_num_threads();
        Assert.Equal(DeviceType.CPU, ComputeDevice.Choose("cpu", 1).type);
        Assert.Equal(1, torch.get_num_threads());
        torch.set_num_threads(before);
    }

    [Theory]
    [InlineData("gpu", "is not one of auto, cpu, cuda:N")]
    [InlineData("cuda:", "is not one of auto, cpu, cuda:N")]
    [InlineData("cuda:-1", "is not one of auto, cpu, cuda:N")]
    [InlineData("cuda:99", "is not there")]
    public void Choose_NoSuchDevice_SaysWhatThereIs(string device, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => ComputeDevice.Choose(device, 1)).Message);
}
