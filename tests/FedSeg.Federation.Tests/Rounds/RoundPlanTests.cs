using System.Text;
using System.Text.Json;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Rounds;

public sealed class RoundPlanTests
{
    [Fact]
    public void Bytes_RoundTrip_AreIdentical() => Assert.Equal(Plans.Plan().ToBytes(), RoundPlan.FromBytes(Plans.Plan().ToBytes()).ToBytes());

    [Theory]
    [InlineData("\"seed\":7", "\"seed\":7,\"code\":\"import os\"")]
    [InlineData("\"seed\":7", "\"seed\":7,\"seed\":8")]
    [InlineData(",\"seed\":7", "")]
    [InlineData("\"task\":\"train\"", "\"task\":\"format\"")]
    [InlineData("\"run\":\"run-test-1\"", "\"run\":\"../../etc\"")]
    [InlineData("\"spacingMm\":[1,1,1]", "\"spacingMm\":null")]
    public void FromBytes_AnythingUndeclared_IsRefused(string find, string replace)
    {
        var text = Encoding.UTF8.GetString(Plans.Plan().ToBytes());
        Assert.Contains(find, text);

        Assert.Throws<JsonException>(() => RoundPlan.FromBytes(Encoding.UTF8.GetBytes(text.Replace(find, replace))));
    }
}
