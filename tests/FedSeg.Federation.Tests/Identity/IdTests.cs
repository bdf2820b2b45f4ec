using System.Text.Json;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Tests.Identity;

public sealed class IdTests
{
    [Theory]
    [InlineData("north")]
    [InlineData("site-1")]
    [InlineData("a")]
    public void SiteIdParse_AllowedName_RoundTrips(string name) => Assert.Equal(name, SiteId.Parse(name).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("North")]
    [InlineData("../etc")]
    [InlineData("a/b")]
    [InlineData("-north")]
    [InlineData("north\n")]
    [InlineData("nörth")]
    [InlineData("a\0")]
    [InlineData("abcdefghijklmnopqrstuvwxyz0123456")]
    public void SiteIdParse_NameThatCouldLeaveAFolder_IsRefused(string name) => Assert.Throws<FormatException>(() => SiteId.Parse(name));

    [Theory]
    [InlineData("run")]
    [InlineData("run-")]
    [InlineData("run-../x")]
    [InlineData("RUN-a")]
    public void RunIdParse_AnythingElse_IsRefused(string name) => Assert.False(RunId.TryParse(name, null, out _));

    [Fact]
    public void DigestOf_KnownBytes_IsSha256() =>
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Sha256Digest.Of("abc"u8).ToString());

    [Fact]
    public void DigestParse_UpperCase_IsRefused() =>
        Assert.False(Sha256Digest.TryParse(Sha256Digest.Of("abc"u8).ToString().ToUpperInvariant(), null, out _));

    [Fact]
    public void Json_MalformedId_IsAJsonException() =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<SiteId>("\"../x\"", FederationJson.Options));
}
