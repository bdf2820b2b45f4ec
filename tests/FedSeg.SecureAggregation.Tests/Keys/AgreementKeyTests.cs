using System.Security.Cryptography;
using FedSeg.SecureAggregation.Keys;

namespace FedSeg.SecureAggregation.Tests.Keys;

public sealed class AgreementKeyTests
{
    /// <summary>NIST CAVP, KAS ECC CDH primitive, P-256, COUNT = 0.</summary>
    [Fact]
    public void Agree_CavpVector_GivesItsSecret()
    {
        using var key = AgreementKey.FromPrivate(Convert.FromHexString("7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534"));
        var other = Convert.FromHexString(
            "700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac");

        Assert.Equal("46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b", Convert.ToHexStringLower(key.Agree(other)));
        Assert.Equal(
            "ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b23028af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141",
            Convert.ToHexStringLower(key.PublicKey));
    }

    [Fact]
    public void FromPrivate_OfAnExportedKey_IsTheSamePair()
    {
        using var key = AgreementKey.Create();
        using var again = AgreementKey.FromPrivate(key.ExportPrivate());

        Assert.Equal(key.PublicKey, again.PublicKey);
        Assert.Equal(AgreementKey.PrivateBytes, key.ExportPrivate().Length);
    }

    [Fact]
    public void IsPublicKey_OffTheCurve_IsFalse()
    {
        using var key = AgreementKey.Create();
        byte[] moved = [.. key.PublicKey];
        moved[40] ^= 1;

        Assert.True(AgreementKey.IsPublicKey(key.PublicKey));
        Assert.False(AgreementKey.IsPublicKey(moved));
        Assert.False(AgreementKey.IsPublicKey(new byte[AgreementKey.PublicBytes]));
    }

    [Fact]
    public void FromPrivate_Zero_IsRefused() =>
        Assert.ThrowsAny<CryptographicException>(() => AgreementKey.FromPrivate(new byte[AgreementKey.PrivateBytes]));
}
