using System.Text.Json;
using FedSeg.Importer.Pacs;

namespace FedSeg.Importer.Tests.Pacs;

public sealed class StoreAnswerTests
{
    private const string One = """{"00081155":{"vr":"UI","Value":["1.2.3"]}}""";

    [Fact]
    public void VerdictOn_ReferencedWithWarning_IsStoredWithIt() =>
        Assert.Equal(new StoreVerdict.Stored(0xB000), Verdict("""{"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2.3"]},"00081196":{"vr":"US","Value":[45056]}}]}}"""));

    [Theory]
    [InlineData("272")]
    [InlineData("\"272\"")]
    public void VerdictOn_Failed_HasItsReasonHoweverItIsWritten(string reason) =>
        Assert.Equal(new StoreVerdict.Failed(0x0110), Verdict($$$"""{"00081198":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2.3"]},"00081197":{"vr":"US","Value":[{{{reason}}}]}}]}}"""));

    [Fact]
    public void VerdictOn_StoredAndFailedAtOnce_IsFailed() =>
        Assert.Equal(new StoreVerdict.Failed(StoreVerdict.Failed.ReasonNotGiven), Verdict($$$"""{"00081198":{"vr":"SQ","Value":[{{{One}}}]},"00081199":{"vr":"SQ","Value":[{{{One}}}]}}"""));

    [Fact]
    public void VerdictOn_FailureWithoutAName_CountsForWhatWasSent() =>
        Assert.Equal(new StoreVerdict.Failed(0x0122), Verdict("""{"00081198":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[290]}}]}}"""));

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["9.9"]}}]}}""")]
    [InlineData("""{"00081199":{"vr":"SQ","Value":[null, 1, "x"]}}""")]
    public void VerdictOn_NotNamed_IsNotConfirmed(string json) => Assert.Equal(new StoreVerdict.Failed(StoreVerdict.Failed.NotConfirmed), Verdict(json));

    private static StoreVerdict Verdict(string json)
    {
        Assert.True(Uid.TryParse("1.2.3", out var instance));
        return StoreAnswer.Of([new DicomJson(JsonDocument.Parse(json).RootElement)]).VerdictOn(instance);
    }
}
