namespace FedSeg.Desk.Tests;

public sealed class DeskOptionsTests
{
    [Theory]
    [InlineData("127.0.0.1:7480", "", true)]
    [InlineData("[::1]:7480", "", true)]
    [InlineData("0.0.0.0:7480", "", false)]
    [InlineData("10.0.0.5:7480", "", false)]
    [InlineData("10.0.0.5:7480", "desk.pem", true)]
    [InlineData("hospital.example:7480", "desk.pem", false)]
    public void Validate_Listen_BeyondThisMachineOnlyWithACertificate(string listen, string certificate, bool valid)
    {
        var options = new DeskOptions { Listen = listen, Certificate = certificate, PrivateKey = certificate, Site = "north", DataDirectory = "/data" };

        Assert.Equal(valid, new DeskOptionsValidator().Validate(null, options).Succeeded);
    }

    [Fact]
    public void Validate_NothingOfTheAgent_NamesEveryProblem() =>
        Assert.Equal(2, new DeskOptionsValidator().Validate(null, new DeskOptions()).Failures!.Count());
}
