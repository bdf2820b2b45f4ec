using FedSeg.Importer.Pacs;

namespace FedSeg.Importer.Tests.Pacs;

public sealed class UidTests
{
    [Theory]
    [InlineData("1.2.840.10008.5.1.4.1.1.4")]
    [InlineData("2.25.0")]
    [InlineData("1.02.3")]
    public void TryParse_Identifier_IsTaken(string text) => Assert.True(Uid.TryParse(text, out _));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("1..2")]
    [InlineData(".1")]
    [InlineData("1.")]
    [InlineData("..")]
    [InlineData("1/2")]
    [InlineData("1.2 ")]
    [InlineData("1.٣")]
    [InlineData("1.2345678901234567890123456789012345678901234567890123456789012345")]
    public void TryParse_AnythingElse_IsNot(string? text) => Assert.False(Uid.TryParse(text, out _));
}
