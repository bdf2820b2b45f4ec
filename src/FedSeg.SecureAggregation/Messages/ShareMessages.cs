using System.Collections.Immutable;
using FedSeg.SecureAggregation.Keys;

namespace FedSeg.SecureAggregation.Messages;

/// <summary>What a site deals: a share for every other site of the roster, and what the server checks what it recovers against.</summary>
/// <param name="Roster">The roster's digest.</param>
/// <param name="SeedCommitment">SHA-256 of the seed of its own mask.</param>
/// <param name="OwnMaskKeyCommitment">Commitment to the share of its mask key that it keeps; never asked for, but of one form with the
/// others.</param>
/// <param name="OwnSelfMaskCommitment">Commitment to the share of its seed that it keeps.</param>
/// <param name="Shares">By holder, in order.</param>
internal sealed record ShareOffer(
    byte[] Roster, byte[] SeedCommitment, byte[] OwnMaskKeyCommitment, byte[] OwnSelfMaskCommitment, ImmutableArray<SealedShare> Shares)
{
    public static bool TryParse(ReadOnlySpan<byte> bytes, out ShareOffer message)
    {
        var reader = new MessageReader(bytes);
        reader.Kind(MessageKind.ShareOffer);
        message = new ShareOffer(
            reader.Bytes(KeySchedule.KeyBytes),
            reader.Bytes(SealedShare.CommitmentBytes),
            reader.Bytes(SealedShare.CommitmentBytes),
            reader.Bytes(SealedShare.CommitmentBytes),
            SealedShare.Read(ref reader));
        return reader.Complete;
    }

    public byte[] ToBytes()
    {
        var writer = new MessageWriter(
            MessageKind.ShareOffer).Bytes(Roster).Bytes(SeedCommitment).Bytes(OwnMaskKeyCommitment).Bytes(OwnSelfMaskCommitment);
        SealedShare.Write(writer, Shares);
        return writer.ToBytes();
    }
}

/// <summary>What the others dealt to a site. Who dealt takes part in the masking: itself and those named here.</summary>
/// <param name="Roster">The roster's digest.</param>
/// <param name="Shares">By dealer, in order.</param>
internal sealed record ShareDelivery(byte[] Roster, ImmutableArray<SealedShare> Shares)
{
    public static bool TryParse(ReadOnlySpan<byte> bytes, out ShareDelivery message)
    {
        var reader = new MessageReader(bytes);
        reader.Kind(MessageKind.ShareDelivery);
        message = new ShareDelivery(reader.Bytes(KeySchedule.KeyBytes), SealedShare.Read(ref reader));
        return reader.Complete;
    }

    public byte[] ToBytes()
    {
        var writer = new MessageWriter(MessageKind.ShareDelivery).Bytes(Roster);
        SealedShare.Write(writer, Shares);
        return writer.ToBytes();
    }
}
