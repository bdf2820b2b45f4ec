using System.Text;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.CharacterSets;

/// <summary>
/// Eight-bit text of ISO 2022: ASCII as G0, one more repertoire as G1, and escape sequences that designate others (PS3.5 §6.1.2.4 and §6.1.2.5). What was
/// designated ends at a control character, at the delimiter of values, and in a person's name at <c>^</c> and <c>=</c>.
/// </summary>
/// <param name="initialG1">What the first defined term says; <see langword="null"/> for none.</param>
/// <param name="isExtended">The defined terms allow code extensions; otherwise an escape character is just unknown.</param>
internal sealed class ExtensibleSet(Repertoire? initialG1, bool isExtended) : CharacterSet
{
    private const byte Escape = 0x1B;
    private const char Unknown = '\uFFFD';

    /// <summary>The escape sequences of PS3.3 tables C.12-3 and C.12-4, without the escape character.</summary>
    private static readonly (string Sequence, bool IsG1, Repertoire Set)[] Designations =
    [
        ("(B", false, Repertoire.Ascii), ("(J", false, Repertoire.Ascii), (")I", true, Repertoire.Katakana),
        ("-A", true, Repertoire.Latin1), ("-B", true, Repertoire.Latin2), ("-C", true, Repertoire.Latin3), ("-D", true, Repertoire.Latin4),
        ("-M", true, Repertoire.Latin5), ("-b", true, Repertoire.Latin9), ("-L", true, Repertoire.Cyrillic), ("-G", true, Repertoire.Arabic),
        ("-F", true, Repertoire.Greek), ("-H", true, Repertoire.Hebrew), ("-T", true, Repertoire.Thai),
        ("$B", false, Repertoire.Kanji), ("$(D", false, Repertoire.SupplementaryKanji),
        ("$)C", true, Repertoire.Hangul), ("$)A", true, Repertoire.SimplifiedChinese),
    ];

    public override string Decode(ReadOnlySpan<byte> bytes, DicomVr vr)
    {
        var text = new StringBuilder(bytes.Length);
        var (g0, g1) = (Repertoire.Ascii, initialG1);
        while (bytes.Length > 0)
        {
            var used = 1;
            var code = bytes[0] & 0x7F;
            if (bytes[0] == Escape && isExtended && TryDesignate(bytes[1..], ref g0, ref g1, out var length))
            {
                used += length;
            }
            else if (code is < 0x21 or 0x7F && bytes[0] < 0x80)
            {
                text.Append(bytes[0] == Escape ? Unknown : (char)bytes[0]);
                if (code < 0x20)
                {
                    (g0, g1) = (Repertoire.Ascii, initialG1);
                }
            }
            else if ((bytes[0] < 0x80 ? g0 : g1) is not { } set)
            {
                text.Append(Unknown);
            }
            else if (set.BytesPerLetter == 1)
            {
                text.Append(set.Letter(code));
                if (IsDelimiter(bytes[0], vr))
                {
                    (g0, g1) = (Repertoire.Ascii, initialG1);
                }
            }
            else if (bytes.Length > 1 && (bytes[0] ^ bytes[1]) < 0x80 && code is >= 0x21 and <= 0x7E && (bytes[1] & 0x7F) is >= 0x21 and <= 0x7E)
            {
                text.Append(set.Letter(code, bytes[1] & 0x7F));
                used = 2;
            }
            else
            {
                text.Append(Unknown);
            }

            bytes = bytes[used..];
        }

        return text.ToString();
    }

    private static bool IsDelimiter(byte letter, DicomVr vr) => letter switch
    {
        (byte)'\\' => !vr.IsSingleText(),
        (byte)'^' or (byte)'=' => vr == DicomVr.PN,
        _ => false,
    };

    private static bool TryDesignate(ReadOnlySpan<byte> bytes, ref Repertoire g0, ref Repertoire? g1, out int length)
    {
        foreach (var (sequence, isG1, set) in Designations)
        {
            length = sequence.Length;
            if (bytes.Length >= length && Ascii.Equals(bytes[..length], sequence))
            {
                (g0, g1) = isG1 ? (g0, set) : (set, g1);
                return true;
            }
        }

        length = 0;
        return false;
    }
}
