using FedSeg.SecureAggregation.Masking;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FedSeg.SecureAggregation.Tests.Masking;

public sealed class Words24Tests
{
    [Fact]
    public void Pack_HandWorkedWords_AreLittleEndianWithoutGaps()
    {
        var bytes = new byte[9];

        Words24.Pack([0x010203, 0xFFFFFE, 0x000080], bytes);

        Assert.Equal([0x03, 0x02, 0x01, 0xFE, 0xFF, 0xFF, 0x80, 0x00, 0x00], bytes);
    }

    [Property(MaxTest = 200)]
    public bool Unpack_OfPackedWords_GivesThemBack(uint[] words)
    {
        var bytes = new byte[words.Length * Words24.BytesPerWord];
        var unpacked = new uint[words.Length];
        Words24.Pack(words, bytes);
        Words24.Unpack(bytes, unpacked);
        return unpacked.SequenceEqual(words.Select(word => word & 0xFFFFFF));
    }

    [Property(MaxTest = 200)]
    public bool Pack_OfUnpackedBytes_GivesThemBack(byte[] some)
    {
        var bytes = some[..(some.Length / 3 * 3)];
        var words = new uint[bytes.Length / 3];
        var packed = new byte[bytes.Length];
        Words24.Unpack(bytes, words);
        Words24.Pack(words, packed);
        return packed.SequenceEqual(bytes) && words.Select((word, i) =>
            bytes[3 * i] + 256u * bytes[3 * i + 1] + 65536u * bytes[3 * i + 2]).SequenceEqual(words);
    }

    [Property(MaxTest = 200)]
    public bool Levels_OfAllSitesTogether_SumWithoutWrapping(short[] levels)
    {
        // 256 sites at the most; each short of -32768, which the grid does not have.
        var most = levels.Take(256).Select(level => Math.Max(level, (short)-32767)).ToArray();
        var sum = most.Aggregate(0u, (words, level) => words + Words24.FromLevel(level)) & 0xFFFFFF;
        return Words24.ToLevel(sum) == most.Sum(level => level);
    }

    [Theory]
    [InlineData(32767)]
    [InlineData(-32767)]
    public void Levels_OfTwoHundredFiftySixSitesAtTheEnd_StayInside(int level)
    {
        var sum = Enumerable.Repeat(Words24.FromLevel(level), 256).Aggregate(0u, (total, word) => total + word) & 0xFFFFFF;

        Assert.Equal(256 * level, Words24.ToLevel(sum));
    }

    [Fact]
    public void Unpack_OfTheWrongLength_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => Words24.Unpack(new byte[7], new uint[2]));
        Assert.Throws<ArgumentException>(() => Words24.Pack(new uint[2], new byte[7]));
    }
}
