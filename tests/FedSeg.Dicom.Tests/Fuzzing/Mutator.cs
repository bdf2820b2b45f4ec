using System.Buffers.Binary;
using System.Text;

namespace FedSeg.Dicom.Tests.Fuzzing;

/// <summary>
/// Makes a hostile input of a seed file: one to four mutations, some blind, some that know where lengths, representations, tags, numbers and compressed
/// bytes stand. The places are those of the untouched seed: after an insertion they are merely near, which does no harm.
/// </summary>
internal sealed class Mutator(IReadOnlyList<FuzzSeed> seeds)
{
    private const int LongestInput = 64 * 1024;

    private static readonly uint[] Numbers = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 32, 127, 128, 255, 256, 4095, 4096, 32767, 32768, 65534, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF];
    private static readonly string[] Representations = ["OB", "OW", "UN", "SQ", "UT", "US", "UL", "DS", "IS", "PN", "OV", "AT", "FD", "ZZ", "\0\0"];

    /// <summary>Syntaxes by length of their UID, so that one can be written over the other.</summary>
    private static readonly ILookup<int, string> Syntaxes = new[]
    {
        "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90",
        "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.8.1",
    }.ToLookup(uid => uid.Length);

    /// <summary>The input of one execution, always the same for the same numbers.</summary>
    public byte[] Make(ulong runSeed, long execution)
    {
        var random = new FuzzRandom(runSeed ^ ((ulong)execution + 1) * 0xD1342543DE82EF95);
        var seed = random.Of(seeds);
        var bytes = seed.Bytes.ToArray();
        for (var i = random.Below(4); i >= 0 && bytes.Length > 8; i--)
        {
            bytes = Mutated(bytes, seed, random);
        }

        return bytes.Length <= LongestInput ? bytes : bytes[..LongestInput];
    }

    private byte[] Mutated(byte[] bytes, FuzzSeed seed, FuzzRandom random)
    {
        // Everything before the meta group is free text; hardly any finding hides there.
        var at = Math.Min(bytes.Length - 5, 128 + random.Below(bytes.Length));
        var element = seed.Elements.Count == 0 ? new FuzzSeed.Element(at, at + 1, 0) : random.Of(seed.Elements);
        switch (random.Below(16))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Below(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next();
                return bytes;
            case 2:
                return Overwritten(bytes, at, 2, random.Of(Numbers));
            case 3:
                return Overwritten(bytes, at, 4, random.Of(Numbers));
            case 4:
                return Replaced(bytes, at, random.Below(64), []);
            case 5:
                return Replaced(bytes, at, 0, new byte[random.Below(64)]);
            case 6:
                return bytes[..(1 + random.Below(bytes.Length - 1))];
            case 7:
                var (field, width) = element.LengthField(seed.IsExplicit);
                return Overwritten(bytes, field, width, random.Below(2) == 0 ? random.Of(Numbers) : (uint)(element.End - field - width + random.Below(5) - 2));
            case 8:
                return Overwritten(bytes, element.Start + 4, Encoding.ASCII.GetBytes(random.Of(Representations)));
            case 9:
                return Overwritten(bytes, element.Start, bytes.AsSpan(Math.Min(random.Of(seed.Elements.Count == 0 ? [element] : seed.Elements).Start, bytes.Length - 4), 4).ToArray());
            case 10:
                return Repeated(bytes, element, 1 + random.Below(8));
            case 11:
                return Replaced(bytes, element.Start, element.End - element.Start, []);
            case 12:
                var other = random.Of(seeds);
                var stranger = other.Elements.Count == 0 ? new FuzzSeed.Element(132, 180, 0) : random.Of(other.Elements);
                return Replaced(bytes, element.Start, 0, other.Bytes[stranger.Start..stranger.End]);
            case 13:
                return Replaced(bytes, element.Start, 0, Nesting(1 + random.Below(60), seed.IsExplicit));
            case 14:
                return Overwritten(bytes, element.ValueStart(seed.IsExplicit), 2, random.Of(Numbers));
            default:
                return random.Below(4) == 0 ? OtherSyntax(bytes, random) : DamagedPixels(bytes, seed, random);
        }
    }

    private static byte[] Overwritten(byte[] bytes, int at, int width, uint number)
    {
        var little = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(little, number);
        return Overwritten(bytes, at, little[..width]);
    }

    private static byte[] Overwritten(byte[] bytes, int at, byte[] value)
    {
        if (at + value.Length <= bytes.Length)
        {
            value.CopyTo(bytes, at);
        }

        return bytes;
    }

    private static byte[] Replaced(byte[] bytes, int at, int removed, byte[] inserted)
    {
        at = Math.Min(at, bytes.Length);
        return [.. bytes[..at], .. inserted, .. bytes[Math.Min(bytes.Length, at + removed)..]];
    }

    private static byte[] Repeated(byte[] bytes, FuzzSeed.Element element, int times)
    {
        var end = Math.Min(element.End, bytes.Length);
        var copy = element.Start < end ? bytes[element.Start..end] : [];
        return Replaced(bytes, element.Start, 0, [.. Enumerable.Repeat(copy, times).SelectMany(part => part)]);
    }

    /// <summary>Sequences and items of undefined length that nobody ends.</summary>
    private static byte[] Nesting(int depth, bool isExplicit)
    {
        byte[] sequence = isExplicit ? [8, 0, 0x15, 0x11, (byte)'S', (byte)'Q', 0, 0, 255, 255, 255, 255] : [8, 0, 0x15, 0x11, 255, 255, 255, 255];
        return [.. Enumerable.Repeat((byte[])[.. sequence, 0xFE, 0xFF, 0, 0xE0, 255, 255, 255, 255], depth).SelectMany(part => part)];
    }

    private static byte[] OtherSyntax(byte[] bytes, FuzzRandom random)
    {
        foreach (var group in Syntaxes)
        {
            foreach (var uid in group)
            {
                var at = bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(uid + "\0"));
                at = at >= 0 || uid.Length % 2 == 1 ? at : bytes.AsSpan(0, Math.Min(bytes.Length, 400)).IndexOf(Encoding.ASCII.GetBytes(uid));
                if (at >= 0)
                {
                    return Overwritten(bytes, at, Encoding.ASCII.GetBytes(random.Of(group.ToList())));
                }
            }
        }

        return bytes;
    }

    /// <summary>A few bytes in the last element, which is the pixel data; codestream headers stand at its beginning and get half of the hits.</summary>
    private static byte[] DamagedPixels(byte[] bytes, FuzzSeed seed, FuzzRandom random)
    {
        var start = seed.Elements.Count == 0 ? bytes.Length / 2 : Math.Min(seed.Elements[^1].Start, bytes.Length - 1);
        for (var hits = random.Below(4); hits >= 0; hits--)
        {
            var reach = random.Below(2) == 0 ? Math.Min(160, bytes.Length - start) : bytes.Length - start;
            bytes[start + random.Below(reach)] = random.Below(3) == 0 ? (byte)0xFF : (byte)random.Next();
        }

        return bytes;
    }
}
