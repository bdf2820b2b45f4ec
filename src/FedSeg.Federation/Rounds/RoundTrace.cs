using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Rounds;

/// <summary>
/// What makes a round one trace across coordinator and sites. Its ids follow from the round itself, so nobody has to send them, and a program that was started again goes
/// on in the same trace.
/// </summary>
public static class RoundTrace
{
    /// <summary>The parent of every span of a round.</summary>
    public static ActivityContext Of(RunId run, int round)
    {
        Span<byte> name = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(name, round);
        var hash = SHA256.HashData([.. "fedseg.round\0"u8, .. Encoding.UTF8.GetBytes(run.ToString()), 0, .. name]);
        return new ActivityContext(
            ActivityTraceId.CreateFromBytes(hash.AsSpan(0, 16)), ActivitySpanId.CreateFromBytes(hash.AsSpan(16, 8)), ActivityTraceFlags.Recorded, isRemote: true);
    }
}
