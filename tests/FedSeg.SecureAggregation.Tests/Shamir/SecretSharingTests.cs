using System.Security.Cryptography;
using FedSeg.SecureAggregation.Shamir;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FedSeg.SecureAggregation.Tests.Shamir;

public sealed class SecretSharingTests
{
    private static readonly RandomNumberGenerator Chance = RandomNumberGenerator.Create();

    /// <summary>
    /// f(x) = 42 + 3x + 7x² by hand, in the field of AES: f(1) = 42⊕03⊕07 = 46, f(2) = 42⊕06⊕1C = 58, f(3) = 42⊕05⊕1B = 5C.
    /// </summary>
    [Fact]
    public void Combine_HandWorkedPolynomial_GivesItsConstant() =>
        Assert.Equal([0x42], SecretSharing.Combine([1, 2, 3], [[0x46], [0x58], [0x5C]]));

    [Property(MaxTest = 200)]
    public bool Combine_OfAnyThresholdManyShares_GivesTheSecretBack(byte[] secret, byte some, int seed)
    {
        var count = 3 + some % 28;
        var threshold = 2 * count / 3 + 1;
        byte[] points = [.. Enumerable.Range(1, count).Select(point => (byte)point)];
        var shares = SecretSharing.Split(secret, threshold, points, Chance);
        int[] chosen = [.. Enumerable.Range(0, count).OrderBy(index => HashCode.Combine(seed, index)).Take(threshold)];
        return SecretSharing.Combine([.. chosen.Select(index =>
            points[index])], [.. chosen.Select(index => shares[index])]).SequenceEqual(secret);
    }

    /// <summary>
    /// With one share fewer, every secret is as possible as any other: there is a polynomial through the shares for each.
    /// </summary>
    [Property(MaxTest = 50)]
    public bool Shares_OneFewerThanTheThreshold_FitEverySecret(byte secret)
    {
        var shares = SecretSharing.Split([secret], 3, [1, 2, 3], Chance);
        var reachable = Enumerable.Range(0, 256)
            .Select(third => SecretSharing.Combine([1, 2, 3], [shares[0], shares[1], [(byte)third]])[0])
            .Distinct();
        return reachable.Count() == 256;
    }

    [Fact]
    public void Split_ForTheMostShares_StillCombines()
    {
        byte[] points = [.. Enumerable.Range(1, 255).Select(point => (byte)point)];
        var secret = RandomNumberGenerator.GetBytes(32);
        var shares = SecretSharing.Split(secret, 171, points, Chance);

        Assert.Equal(secret, SecretSharing.Combine(points.AsSpan(84), shares[84..]));
    }

    [Theory]
    [InlineData(new byte[] { 0, 1, 2 }, 2)]
    [InlineData(new byte[] { 1, 1, 2 }, 2)]
    [InlineData(new byte[] { 1, 2, 3 }, 4)]
    [InlineData(new byte[] { 1, 2, 3 }, 0)]
    public void Split_ImpossiblePointsOrThreshold_AreRefused(byte[] points, int threshold) =>
        Assert.Throws<ArgumentException>(() => SecretSharing.Split([1], threshold, points, Chance));

    [Fact]
    public void Combine_SharesThatDiffer_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => SecretSharing.Combine([1, 2], [[1], [1, 2]]));
        Assert.Throws<ArgumentException>(() => SecretSharing.Combine([1, 2], [[1]]));
        Assert.Throws<ArgumentException>(() => SecretSharing.Combine([], []));
    }
}
