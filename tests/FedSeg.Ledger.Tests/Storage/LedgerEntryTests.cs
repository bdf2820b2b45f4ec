using System.Collections.Immutable;
using System.Text;
using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Storage;

namespace FedSeg.Ledger.Tests.Storage;

public sealed class LedgerEntryTests
{
    private static readonly LedgerEntry Entry = new(
        7,
        new DateTimeOffset(2026, 3, 1, 12, 30, 0, TimeSpan.FromHours(2)),
        MerkleHash.EmptyRoot,
        "tested",
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add("b", "é\"").Add("B", "1"));

    [Fact]
    public void ToBytes_Entry_IsCanonicalJson() => Assert.Equal(
        """{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","previous":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","action":"tested","facts":{"B":"1","b":"\u00E9\u0022"}}""",
        Encoding.UTF8.GetString(Entry.ToBytes()));

    [Fact]
    public void FromBytes_OwnBytes_GivesTheEntryBack() => Assert.Equal(Entry.ToBytes(), LedgerEntry.FromBytes(Entry.ToBytes())!.ToBytes());

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"seq":7}""")]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","previous":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","action":"a","facts":{}} """)]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","previous":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","action":"a","facts":{},"more":1}""")]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","previous":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","action":"a","facts":{"n":1}}""")]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","previous":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","action":"a","facts":{"n":null}}""")]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","previous":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","action":null,"facts":{}}""")]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","previous":"E3B0","action":"a","facts":{}}""")]
    [InlineData("""{"seq":7,"time":"2026-13-01T10:30:00.0000000Z","previous":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","action":"a","facts":{}}""")]
    [InlineData("""{"seq":7,"time":"2026-03-01T10:30:00.0000000Z","previous":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","action":"a","facts":{"n":"1","n":"2"}}""")]
    public void FromBytes_NotCanonical_IsRefused(string text) => Assert.Null(LedgerEntry.FromBytes(Encoding.UTF8.GetBytes(text)));
}
