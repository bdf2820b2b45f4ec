using System.Text.Json;
using FedSeg.Importer.Pacs;

namespace FedSeg.Importer.Tests.Pacs;

public sealed class StoreAnswerTests
{
    private const string Name = """
        "00081155":{"vr":"UI","Value":["1.2.3"]}
        """;

    [Fact]
    public void VerdictOn_ReferencedWithWarning_IsStoredWithIt() =>
        Assert.Equal(new StoreVerdict.Stored(0xB000), Verdict(Sequence("00081199", $"{{{Name},{Code("00081196", "45056")}}}")));

    [Theory]
    [InlineData("272")]
    [InlineData("\"272\"")]
    public void VerdictOn_Failed_HasItsReasonHoweverItIsWritten(string reason) =>
        Assert.Equal(new StoreVerdict.Failed(0x0110), Verdict(Sequence("00081198", $"{{{Name},{Code("00081197", reason)}}}")));

    [Fact]
    public void VerdictOn_StoredAndFailedAtOnce_IsFailed() => Assert.Equal(
        new StoreVerdict.Failed(StoreVerdict.Failed.ReasonNotGiven),
        Verdict(Sequence("00081198", $"{{{Name}}}"), Sequence("00081199", $"{{{Name}}}")));

    [Fact]
    public void VerdictOn_FailureWithoutAName_CountsForWhatWasSent() =>
        Assert.Equal(new StoreVerdict.Failed(0x0122), Verdict(Sequence("00081198", $"{{{Code("00081197", "290")}}}")));

    [Theory]
    [InlineData("""
        "00081199":{"vr":"SQ","Value":[]}
        """)]
    [InlineData("""
        "00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["9.9"]}}]}
        """)]
    [InlineData("""
        "00081199":{"vr":"SQ","Value":[null, 1, "x"]}
        """)]
    public void VerdictOn_NotNamed_IsNotConfirmed(string json) =>
        Assert.Equal(new StoreVerdict.Failed(StoreVerdict.Failed.NotConfirmed), Verdict(json));

    private static string Sequence(string tag, string item) => $$"""
        "{{tag}}":{"vr":"SQ","Value":[{{item}}]}
        """;

    private static string Code(string tag, string value) => $$"""
        "{{tag}}":{"vr":"US","Value":[{{value}}]}
        """;

    private static StoreVerdict Verdict(params string[] elements)
    {
        Assert.True(Uid.TryParse("1.2.3", out var instance));
        var answer = JsonDocument.Parse($"{{{string.Join(',', elements)}}}").RootElement;
        return StoreAnswer.Of([new DicomJson(answer)]).VerdictOn(instance);
    }
}
