using System.Collections.Immutable;
using System.Text;
using FedSeg.Ledger.Storage;

namespace FedSeg.Ledger.Tests.Storage;

public sealed class LedgerEntryTests
{
    private static readonly LedgerEntry Entry = new(
        7,
        new DateTimeOffset(2026, 3, 1, 12, 30, 0, TimeSpan.FromHours(2)),
        "tested",
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add("b", "é\"").Add("B", "1"));

    [Fact]
    public void ToBytes_Entry_IsCanonicalJson() => Assert.Equal(
        """{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","action":"tested","facts":{"B":"1","b":"\u00E9\u0022"}}""",
        Encoding.UTF8.GetString(Entry.ToBytes()));

    [Fact]
    public void FromBytes_OwnBytes_GivesTheEntryBack() => Assert.Equal(Entry.ToBytes(), LedgerEntry.FromBytes(Entry.ToBytes())!.ToBytes());

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"seq":7}""")]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","action":"a","facts":{}} """)]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","action":"a","facts":{},"more":1}""")]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","action":"a","facts":{"n":1}}""")]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","action":"a","facts":{"n":null}}""")]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","action":null,"facts":{}}""")]
    [InlineData("""{"seq":7,"time":"2026-13-01T10:30:00.0000000Z","action":"a","facts":{}}""")]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","action":"a","facts":{"n":"1","n":"2"}}""")]
    public void FromBytes_NotCanonical_IsRefused(string text) => Assert.Null(LedgerEntry.FromBytes(Encoding.UTF8.GetBytes(text)));
}
