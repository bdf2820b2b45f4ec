using System.Globalization;
using System.Numerics;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using FedSeg.Dicom.Deidentification;
using FedSeg.Testing;

namespace FedSeg.Dicom.Tests.Deidentification;

[UnsupportedOSPlatform("windows")]
public sealed class DeidentificationKeyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Uid_AnyUid_Is128BitsOfItsKeyedHashInDecimal()
    {
        var secret = Enumerable.Range(0, 32).Select(value => (byte)value).ToArray();
        var hash = HMACSHA256.HashData(secret, "uid\01.2.3"u8);

        var uid = DeidentificationKey.FromBytes(secret).Uid("1.2.3");

        Assert.Equal("2.25." + new BigInteger(hash.AsSpan(0, 16), isUnsigned: true,
            isBigEndian: true).ToString(CultureInfo.InvariantCulture), uid);
        Assert.True(uid.Length <= 64);
    }

    [Fact]
    public void OpenOrCreate_AbsentFile_MakesOneForItsOwnerThatGivesTheSameAnswersAgain()
    {
        var path = _folder["site.key"];

        var made = DeidentificationKey.OpenOrCreate(path);
        var read = DeidentificationKey.OpenOrCreate(path);

        Assert.Equal(made.Uid("1.2.3"), read.Uid("1.2.3"));
        Assert.NotEqual(made.Uid("1.2.3"), DeidentificationKey.OpenOrCreate(_folder["other.key"]).Uid("1.2.3"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void OpenOrCreate_FileThatOthersMayRead_IsRefused()
    {
        var path = _folder["site.key"];
        DeidentificationKey.OpenOrCreate(path);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);

        var refusal = Assert.Throws<InvalidDataException>(() => DeidentificationKey.OpenOrCreate(path));

        Assert.Contains("chmod 600", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenOrCreate_FileThatIsNoKey_IsRefused()
    {
        var path = _folder.Write("notes.txt", "c2hvcnQ=");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        Assert.Throws<InvalidDataException>(() => DeidentificationKey.OpenOrCreate(path));
    }

    [Fact]
    public void ShiftDays_ManyPatients_AreBetweenOneDayAndTenYearsIntoThePast()
    {
        var key = DeidentificationKey.FromBytes(new byte[32]);

        Assert.All(Enumerable.Range(0, 500), patient => Assert.InRange(key.ShiftDays($"P{patient}"), -3650, -1));
        Assert.Equal(key.ShiftDays("P1"), key.ShiftDays("P1"));
    }
}
