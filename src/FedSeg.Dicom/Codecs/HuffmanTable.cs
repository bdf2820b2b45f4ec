namespace FedSeg.Dicom.Codecs;

/// <summary>A Huffman table, ITU-T T.81 Annex C and §F.2.2.3, with a first look-up of nine bits.</summary>
internal sealed class HuffmanTable
{
    private const int FastBits = 9;

    private readonly short[] _fast = new short[1 << FastBits];
    private readonly int[] _maxCode = new int[18];
    private readonly int[] _valueOffset = new int[17];
    private readonly byte[] _values;

    /// <param name="counts">Number of codes of each length, 1 to 16.</param>
    /// <param name="values">The symbol of each code in order of length: a category, or a run of zeros and a category.</param>
    /// <param name="largest">Largest symbol that makes sense here.</param>
    /// <exception cref="JpegFormatException">More codes than the lengths allow, or a symbol above <paramref name="largest"/>.</exception>
    public HuffmanTable(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> values, byte largest)
    {
        _values = values.ToArray();
        if (values.ContainsAnyExceptInRange((byte)0, largest))
        {
            throw new JpegFormatException($"a Huffman table holds a symbol above {largest}");
        }

        Array.Fill(_fast, (short)-1);
        int code = 0, index = 0;
        for (var length = 1; length <= 16; length++)
        {
            _valueOffset[length] = index - code;
            for (var i = 0; i < counts[length - 1]; i++, index++, code++)
            {
                if (length <= FastBits && code < 1 << length)
                {
                    Array.Fill(_fast, (short)(length << 8 | values[index]), code << (FastBits - length), 1 << (FastBits - length));
                }
            }

            if (code > 1 << length)
            {
                throw new JpegFormatException("a Huffman table has more codes than fit");
            }

            _maxCode[length] = code;
            code <<= 1;
        }
    }

    /// <summary>Reads one category and its bits: the signed difference, §F.2.2.1 and §H.1.2.2.</summary>
    public int ReadDifference(ref JpegBitReader bits) => ReadSymbol(ref bits) switch
    {
        0 => 0,
        16 => 32768,
        var category => ReadSigned(ref bits, category),
    };

    /// <summary>Reads the bits of a category from 1 to 15: a value of that magnitude and its sign (EXTEND of §F.2.2.1).</summary>
    public static int ReadSigned(ref JpegBitReader bits, int category)
    {
        var extra = bits.Take(category);
        return extra < 1 << (category - 1) ? extra - (1 << category) + 1 : extra;
    }

    /// <summary>Reads one symbol.</summary>
    /// <exception cref="JpegFormatException">The bits are no code of this table, or end too soon.</exception>
    public int ReadSymbol(ref JpegBitReader bits)
    {
        var next = bits.Peek16();
        var fast = _fast[next >> (16 - FastBits)];
        if (fast >= 0)
        {
            bits.Skip(fast >> 8);
            return fast & 255;
        }

        for (var length = FastBits + 1; length <= 16; length++)
        {
            var code = next >> (16 - length);
            if (code < _maxCode[length])
            {
                var index = code + _valueOffset[length];
                if (index < 0 || index >= _values.Length)
                {
                    break;
                }

                bits.Skip(length);
                return _values[index];
            }
        }

        throw new JpegFormatException("a code is in no Huffman table");
    }
}
