namespace FedSeg.Dicom.DataSets;

/// <summary>Value representations, PS3.5 §6.2. The number is the two ASCII characters, first one in the high byte.</summary>
public enum DicomVr : ushort
{
    AE = 'A' << 8 | 'E',
    AS = 'A' << 8 | 'S',
    AT = 'A' << 8 | 'T',
    CS = 'C' << 8 | 'S',
    DA = 'D' << 8 | 'A',
    DS = 'D' << 8 | 'S',
    DT = 'D' << 8 | 'T',
    FD = 'F' << 8 | 'D',
    FL = 'F' << 8 | 'L',
    IS = 'I' << 8 | 'S',
    LO = 'L' << 8 | 'O',
    LT = 'L' << 8 | 'T',
    OB = 'O' << 8 | 'B',
    OD = 'O' << 8 | 'D',
    OF = 'O' << 8 | 'F',
    OL = 'O' << 8 | 'L',
    OV = 'O' << 8 | 'V',
    OW = 'O' << 8 | 'W',
    PN = 'P' << 8 | 'N',
    SH = 'S' << 8 | 'H',
    SL = 'S' << 8 | 'L',
    SQ = 'S' << 8 | 'Q',
    SS = 'S' << 8 | 'S',
    ST = 'S' << 8 | 'T',
    SV = 'S' << 8 | 'V',
    TM = 'T' << 8 | 'M',
    UC = 'U' << 8 | 'C',
    UI = 'U' << 8 | 'I',
    UL = 'U' << 8 | 'L',
    UN = 'U' << 8 | 'N',
    UR = 'U' << 8 | 'R',
    US = 'U' << 8 | 'S',
    UT = 'U' << 8 | 'T',
    UV = 'U' << 8 | 'V',
}

internal static class DicomVrTraits
{
    /// <summary>Explicit VR writes these with a two-byte length; all others with two reserved bytes and four of length (PS3.5 §7.1.2).</summary>
    public static bool HasShortLength(this DicomVr vr) => vr is
        DicomVr.AE or DicomVr.AS or DicomVr.AT or DicomVr.CS or DicomVr.DA or DicomVr.DS or DicomVr.DT or DicomVr.FD or DicomVr.FL
        or DicomVr.IS or DicomVr.LO or DicomVr.LT or DicomVr.PN or DicomVr.SH or DicomVr.SL or DicomVr.SS or DicomVr.ST or DicomVr.TM
        or DicomVr.UI or DicomVr.UL or DicomVr.US;

    /// <summary>One of PS3.5's; any other pair of letters is read like UN (PS3.5 §6.2).</summary>
    public static bool IsKnown(this DicomVr vr) => vr.HasShortLength() || vr is
        DicomVr.OB or DicomVr.OD or DicomVr.OF or DicomVr.OL or DicomVr.OV or DicomVr.OW or DicomVr.SQ or DicomVr.SV
        or DicomVr.UC or DicomVr.UN or DicomVr.UR or DicomVr.UT or DicomVr.UV;

    /// <summary>The value is text of any kind, dates and numbers as text included.</summary>
    public static bool IsText(this DicomVr vr) => vr is
        DicomVr.AE or DicomVr.AS or DicomVr.CS or DicomVr.DA or DicomVr.DS or DicomVr.DT or DicomVr.IS or DicomVr.LO or DicomVr.LT
        or DicomVr.PN or DicomVr.SH or DicomVr.ST or DicomVr.TM or DicomVr.UC or DicomVr.UI or DicomVr.UR or DicomVr.UT;

    /// <summary>Text whose letters follow SpecificCharacterSet (PS3.5 §6.1.2.3).</summary>
    public static bool FollowsCharacterSet(this DicomVr vr) => vr is
        DicomVr.LO or DicomVr.LT or DicomVr.PN or DicomVr.SH or DicomVr.ST or DicomVr.UC or DicomVr.UT;

    /// <summary>A backslash is a letter here, not a separator of values.</summary>
    public static bool IsSingleText(this DicomVr vr) => vr is DicomVr.LT or DicomVr.ST or DicomVr.UT or DicomVr.UR;
}
