using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Tests.Fuzzing;

/// <summary>A file of the corpus with its structure, which some mutations aim at.</summary>
internal sealed class FuzzSeed
{
    private FuzzSeed(byte[] bytes, bool isExplicit, IReadOnlyList<Element> elements)
    {
        Bytes = bytes;
        IsExplicit = isExplicit;
        Elements = elements;
    }

    public byte[] Bytes { get; }

    public bool IsExplicit { get; }

    /// <summary>The top-level elements in file order; empty for a deflated file, whose elements have no place in it.</summary>
    public IReadOnlyList<Element> Elements { get; }

    /// <param name="Start">Where the tag stands.</param>
    /// <param name="End">Where the next element starts.</param>
    public sealed record Element(int Start, int End, DicomVr Vr)
    {
        /// <summary>Where the length stands, and how many bytes it has.</summary>
        public (int At, int Bytes) LengthField(bool isExplicit) => !isExplicit ? (Start + 4, 4) : Vr.HasShortLength() ? (Start + 6, 2) : (Start + 8, 4);

        public int ValueStart(bool isExplicit) => LengthField(isExplicit) is var (at, bytes) ? at + bytes : 0;
    }

    public static FuzzSeed Of(string path)
    {
        var bytes = File.ReadAllBytes(path);
        using var file = DicomFile.Parse(bytes, path);
        var isInPlace = file.TransferSyntax != TransferSyntax.DeflatedExplicitLittleEndian;
        var elements = isInPlace ? file.DataSet.Elements : [];
        return new FuzzSeed(bytes, file.TransferSyntax.IsExplicit, [.. elements.Select((element, i) =>
            new Element((int)element.Offset, i + 1 < elements.Count ? (int)elements[i + 1].Offset : bytes.Length, element.Vr))]);
    }
}
