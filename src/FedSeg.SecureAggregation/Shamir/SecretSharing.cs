using System.Security.Cryptography;

namespace FedSeg.SecureAggregation.Shamir;

/// <summary>
/// Shamir's secret sharing byte by byte over <see cref="GaloisField"/> (Shamir 1979): of the shares of a secret, any <c>threshold</c> give
/// it back and fewer say nothing about it.
/// </summary>
public static class SecretSharing
{
    /// <summary>Splits a secret.</summary>
    /// <param name="secret">Any number of bytes.</param>
    /// <param name="threshold">Shares that give it back, 1 to the number of points.</param>
    /// <param name="points">Where each share lies, 1 to 255, all different.</param>
    /// <param name="random">Cryptographic.</param>
    /// <returns>A share for each point, as long as the secret; the caller clears them.</returns>
    /// <exception cref="ArgumentException">The points or the threshold are impossible.</exception>
    public static byte[][] Split(ReadOnlySpan<byte> secret, int threshold, ReadOnlySpan<byte> points, RandomNumberGenerator random)
    {
        if (threshold < 1 || threshold > points.Length) throw new ArgumentException(
            $"{threshold} of {points.Length} shares is impossible.");
        CheckPoints(points);

        var shares = new byte[points.Length][];
        for (var i = 0; i < shares.Length; i++) shares[i] = new byte[secret.Length];
        var coefficients = new byte[threshold];
        try
        {
            for (var position = 0; position < secret.Length; position++)
            {
                random.GetBytes(coefficients);
                coefficients[0] = secret[position];
                for (var i = 0; i < shares.Length; i++) shares[i][position] = Evaluate(coefficients, points[i]);
            }

            return shares;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(coefficients);
        }
    }

    /// <summary>The secret from shares; all of those given are used. With fewer than the threshold, something else comes out.</summary>
    /// <param name="points">Where each share lies.</param>
    /// <param name="shares">As many, all of one length.</param>
    /// <returns>The secret; the caller clears it.</returns>
    /// <exception cref="ArgumentException">The points or the lengths are impossible.</exception>
    public static byte[] Combine(ReadOnlySpan<byte> points, IReadOnlyList<byte[]> shares)
    {
        if (points.Length != shares.Count || points.IsEmpty) throw new ArgumentException(
            $"{points.Length} points for {shares.Count} shares.");
        if (shares.Any(share => share.Length != shares[0].Length)) throw new ArgumentException("The shares differ in length.");
        CheckPoints(points);

        var secret = new byte[shares[0].Length];
        for (var i = 0; i < shares.Count; i++)
        {
            var weight = WeightAtZero(points, i);
            for (var position = 0; position < secret.Length; position++) secret[position] ^= GaloisField.Multiply(
                weight, shares[i][position]);
        }

        return secret;
    }

    /// <summary>Horner's rule.</summary>
    private static byte Evaluate(ReadOnlySpan<byte> coefficients, byte point)
    {
        byte value = 0;
        for (var i = coefficients.Length - 1; i >= 0; i--) value = (byte)(GaloisField.Multiply(value, point) ^ coefficients[i]);
        return value;
    }

    /// <summary>Lagrange's basis polynomial of one point at 0: Π xⱼ / (xⱼ − xᵢ); subtraction is exclusive or.</summary>
    private static byte WeightAtZero(ReadOnlySpan<byte> points, int index)
    {
        byte weight = 1;
        for (var j = 0; j < points.Length; j++)
        {
            if (j == index) continue;
            weight = GaloisField.Multiply(weight, GaloisField.Multiply(points[j], GaloisField.Inverse((byte)(points[j] ^ points[index]))));
        }

        return weight;
    }

    // Points are public.
    private static void CheckPoints(ReadOnlySpan<byte> points)
    {
        Span<bool> seen = stackalloc bool[byte.MaxValue + 1];
        foreach (var point in points)
        {
            if (point == 0 || seen[point]) throw new ArgumentException("A point is 0 or occurs twice.");
            seen[point] = true;
        }
    }
}
