using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace FedSeg.Dicom.Writing;

/// <summary>Makes unique identifiers of the form <c>2.25.</c>128-bit number, PS3.5 §B.2.</summary>
public static class DicomUid
{
    /// <summary>The same name always gives the same UID: the first 128 bits of its SHA-256, marked as a UUID of version 8.</summary>
    public static string FromName(string name)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(name));
        hash[6] = (byte)(hash[6] & 0x0F | 0x80);
        hash[8] = (byte)(hash[8] & 0x3F | 0x80);
        return "2.25." + BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
