using System.Security.Cryptography;
using FedSeg.SecureAggregation.Keys;

namespace FedSeg.SecureAggregation.Tests.Keys;

public sealed class KeyScheduleTests
{
    private static readonly byte[] Context = [.. Enumerable.Range(0, 32).Select(value => (byte)value)];
    private static readonly byte[] Roster = [.. Enumerable.Range(32, 32).Select(value => (byte)value)];
    private static readonly byte[] Secret = [.. Enumerable.Repeat((byte)7, 32)];

    /// <summary>The primitive: RFC 5869, appendix A.1.</summary>
    [Fact]
    public void Hkdf_Rfc5869CaseOne_IsAsPrinted()
    {
        var derived = HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Convert.FromHexString("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
            42,
            Convert.FromHexString("000102030405060708090a0b0c"),
            Convert.FromHexString("f0f1f2f3f4f5f6f7f8f9"));

        Assert.Equal(
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865", Convert.ToHexStringLower(derived));
    }

    /// <summary>The construction, pinned: computed with HMAC-SHA256 of Python's standard library.</summary>
    [Fact]
    public void Keys_ByAnIndependentImplementation_AreTheSame()
    {
        var keys = new KeySchedule(Context, Roster);

        Assert.Equal(
            "37d737d16195c967e4a50dbc410c0b41eadafded9c19d8292e80d2d5e584a00b", Convert.ToHexStringLower(keys.ShareKey(Secret, 2, 1)));
        Assert.Equal(
            "bdec1af1cfd69d8ab9aea7ee1972f9adb2d0d42d30717965af67fac7c5bd7fe8", Convert.ToHexStringLower(keys.PairMaskKey(Secret, 2, 1)));
        Assert.Equal(
            "f194513b072883c106e8365873b0340c709d06910c4f11fcffcf79527f39de6b", Convert.ToHexStringLower(keys.SelfMaskKey(Secret, 3)));
    }

    [Fact]
    public void Keys_OfEveryPurposeDirectionRoundAndRoster_AreDifferent()
    {
        var (keys, otherRound, otherRoster) =
            (new KeySchedule(Context, Roster), new KeySchedule(Roster, Roster), new KeySchedule(Context, Context));
        byte[][] all =
        [
            keys.ShareKey(Secret, 1, 2), keys.ShareKey(Secret, 2, 1), keys.PairMaskKey(Secret, 1, 2), keys.SelfMaskKey(Secret, 1),
            otherRound.PairMaskKey(Secret, 1, 2), otherRoster.PairMaskKey(Secret, 1, 2),
        ];

        Assert.Equal(all.Length, all.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(keys.PairMaskKey(Secret, 1, 2), keys.PairMaskKey(Secret, 2, 1));
    }
}
