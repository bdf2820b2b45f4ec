namespace FedSeg.Dicom.Codecs;

/// <summary>The bits of one entropy-coded segment, ITU-T T.81 §B.1.1.5: FF00 stands for FF, any other FF begins a marker.</summary>
internal ref struct JpegBitReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private ulong _window;
    private int _available;

    /// <summary>First byte that was not taken into the window.</summary>
    public int Position { get; private set; }

    /// <summary>The next sixteen bits, filled up with zeros beyond the end.</summary>
    public int Peek16()
    {
        if (_available < 16)
        {
            Fill();
        }

        return _available >= 16 ? (int)(_window >> (_available - 16)) & 0xFFFF : (int)(_window << (16 - _available)) & 0xFFFF;
    }

    /// <exception cref="JpegFormatException">Fewer bits are left.</exception>
    public void Skip(int count)
    {
        if (count > _available)
        {
            throw new JpegFormatException("the compressed data end too soon");
        }

        _available -= count;
        _window &= (1UL << _available) - 1;
    }

    /// <exception cref="JpegFormatException">Fewer bits are left.</exception>
    public int Take(int count)
    {
        var value = Peek16() >> (16 - count);
        Skip(count);
        return value;
    }

    /// <summary>Drops the bits before the next restart marker and passes it.</summary>
    /// <exception cref="JpegFormatException">No restart marker follows.</exception>
    public void Restart()
    {
        _window = 0;
        _available = 0;
        while (Position + 1 < _bytes.Length && _bytes[Position] == 0xFF && _bytes[Position + 1] == 0xFF)
        {
            Position++; // Fill bytes, §B.1.1.2.
        }

        if (Position + 1 >= _bytes.Length || _bytes[Position] != 0xFF || _bytes[Position + 1] is < 0xD0 or > 0xD7)
        {
            throw new JpegFormatException("a restart marker is missing");
        }

        Position += 2;
    }

    private void Fill()
    {
        while (_available <= 48 && Position < _bytes.Length)
        {
            var next = _bytes[Position];
            if (next == 0xFF)
            {
                if (Position + 1 >= _bytes.Length || _bytes[Position + 1] != 0)
                {
                    return;
                }

                Position++;
            }

            Position++;
            _window = _window << 8 | next;
            _available += 8;
        }
    }
}

/// <summary>What is wrong with a JPEG stream; never leaves the codec folder.</summary>
#pragma warning disable CA1032 // A signal between internal types; nobody else may construct it.
internal sealed class JpegFormatException(string problem) : Exception(problem);
#pragma warning restore CA1032
