using System.Buffers.Binary;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Tests.Reading;

public sealed class FragmentMapTests
{
    private static readonly byte[] ImageStart = [0xFF, 0xD8, 0xFF, 0xC0];
    private static readonly byte[] Continuation = [1, 2, 3, 4, 5, 6];

    [Fact]
    public void FramesOf_NoTable_CutsWhereAnImageBegins() =>
        Assert.Equal([2, 1, 3], Sizes(Encapsulated([], ImageStart, Continuation, ImageStart, ImageStart, Continuation, Continuation), [], 3));

    [Fact]
    public void FramesOf_NoTableAndFewerImagesThanFrames_IsMalformed() =>
        Assert.Equal(DicomFault.Malformed, Refused(Encapsulated([], ImageStart, Continuation, ImageStart, Continuation), [], 3));

    [Fact]
    public void FramesOf_BasicTable_CutsWhereItPoints() => Assert.Equal([2, 1], Sizes(Encapsulated(Table32(0, 26), ImageStart, Continuation, ImageStart), [], 2));

    [Fact]
    public void FramesOf_BasicTableBetweenFragments_IsMalformed() =>
        Assert.Equal(DicomFault.Malformed, Refused(Encapsulated(Table32(0, 20), ImageStart, Continuation, ImageStart), [], 2));

    [Fact]
    public void FramesOf_ExtendedTable_GivesEachFrameItsFragment() => Assert.Equal([1, 1], Sizes(Encapsulated([], ImageStart, Continuation), Table64(0, 12), 2));

    [Theory]
    [InlineData(0UL, 13UL)]
    [InlineData(8UL, 12UL)]
    [InlineData(0UL, ulong.MaxValue)]
    public void FramesOf_ExtendedTableThatPointsElsewhere_IsMalformed(ulong first, ulong second) =>
        Assert.Equal(DicomFault.Malformed, Refused(Encapsulated([], ImageStart, Continuation), Table64(first, second), 2));

    [Fact]
    public void FramesOf_FewerFragmentsThanFrames_IsMalformed() => Assert.Equal(DicomFault.Malformed, Refused(Encapsulated([], ImageStart), [], 2));

    private static DicomFault Refused(EncapsulatedValue value, byte[] extended, int frames) =>
        Assert.Throws<DicomException>(() => FragmentMap.FramesOf(value, extended, frames, "test.dcm")).Fault;

    private static IEnumerable<int> Sizes(EncapsulatedValue value, byte[] extended, int frames) =>
        FragmentMap.FramesOf(value, extended, frames, "test.dcm").Select(frame => frame.Length);

    private static EncapsulatedValue Encapsulated(byte[] table, params byte[][] fragments) => new(new DicomBytes(table), [.. fragments.Select(bytes => new DicomBytes(bytes))]);

    private static byte[] Table32(params uint[] offsets)
    {
        var table = new byte[4 * offsets.Length];
        for (var i = 0; i < offsets.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(4 * i), offsets[i]);
        }

        return table;
    }

    private static byte[] Table64(params ulong[] offsets)
    {
        var table = new byte[8 * offsets.Length];
        for (var i = 0; i < offsets.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(8 * i), offsets[i]);
        }

        return table;
    }
}
