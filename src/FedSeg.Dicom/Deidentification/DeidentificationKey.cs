using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Hosting.Storage;

namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// The secret that decides new UIDs, pseudonyms and date shifts. The same key gives the same answers in every run, so references between
/// files, and between exports years apart, stay whole; without it nobody finds the way back from a new UID or confirms a guessed one. It
/// belongs to the hospital and stays there.
/// </summary>
public sealed class DeidentificationKey
{
    private const int KeyBytes = 32;
    private const int MaxShiftDays = 3650;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly byte[] _key;

    private DeidentificationKey(byte[] key) => _key = key;

    /// <summary>A key from 32 secret bytes.</summary>
    public static DeidentificationKey FromBytes(ReadOnlySpan<byte> key) =>
        key.Length == KeyBytes ? new(key.ToArray())
            : throw new ArgumentException($"The key has {key.Length} bytes; {KeyBytes} are needed.", nameof(key));

    /// <summary>
    /// Reads a key file (32 bytes as base64), or makes one from the system's secure randomness that only its owner may read.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is not a key, or others than its owner may read it.</exception>
    public static DeidentificationKey OpenOrCreate(string path)
    {
        if (File.Exists(path))
        {
            return Open(path);
        }

        var key = RandomNumberGenerator.GetBytes(KeyBytes);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        using var stream = new FileStream(path, options);
        stream.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(key) + "\n"));
        Fsync.Flush(stream);
        return new DeidentificationKey(key);
    }

    /// <summary>The new UID of a UID: <c>2.25.</c> and 128 bits of its keyed hash as a decimal number (PS3.5 §B.2).</summary>
    internal string Uid(string uid) =>
        "2.25." + BinaryPrimitives.ReadUInt128BigEndian(Hash("uid", uid)).ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// A name for a patient that tells nothing and links the patient's studies with each other: <c>FS-</c> and 16 hexadecimal digits.
    /// </summary>
    internal string Pseudonym(string patientId) => "FS-" + Convert.ToHexString(Hash("patient", patientId).AsSpan(0, 8));

    /// <summary>How many days all dates of a patient move: 1 to 3650, always into the past.</summary>
    internal int ShiftDays(string patientId) => -1 - (int)(BinaryPrimitives.ReadUInt128BigEndian(Hash("dates", patientId)) % MaxShiftDays);

    private static DeidentificationKey Open(string path)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~OwnerOnly) != 0)
        {
            throw new InvalidDataException($"The key file {path} may be read by others than its owner; who has it can find patients again. Run 'chmod 600' on it.");
        }

        var key = new byte[KeyBytes];
        return new FileInfo(path).Length <= 256 && Convert.TryFromBase64String(File.ReadAllText(path).Trim(), key, out var length)
            && length == KeyBytes
            ? new DeidentificationKey(key)
            : throw new InvalidDataException($"{path} is not a de-identification key ({KeyBytes} bytes as base64). Name the right file, or a new one that will be made.");
    }

    private byte[] Hash(string purpose, string value) => HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(purpose + '\0' + value));
}
