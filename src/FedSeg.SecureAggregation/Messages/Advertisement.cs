using System.Security.Cryptography;
using FedSeg.Federation.Identity;
using FedSeg.SecureAggregation.Keys;

namespace FedSeg.SecureAggregation.Messages;

/// <summary>
/// A site's two public keys of a round, signed with the key of its certificate together with all that the round is about (Bonawitz et al.
/// 2017, figure 4, round 0). Round, plan and model stand in it in the open, so that a peer can tell what differs.
/// </summary>
internal sealed record Advertisement
{
    public const int MostCertificateBytes = 4096, SignatureBytes = 64, MostBytes = 4600;
    private static readonly byte[] SignedText = "fedseg secure sum 1 advertisement"u8.ToArray();

    public required SiteId Site { get; init; }

    public required int Round { get; init; }

    public required Sha256Digest Plan { get; init; }

    public required Sha256Digest BaseModel { get; init; }

    /// <summary>DER.</summary>
    public required byte[] Certificate { get; init; }

    /// <summary>Agrees on keys for shares; c in the paper.</summary>
    public required byte[] ShareKey { get; init; }

    /// <summary>Agrees on masks; s in the paper.</summary>
    public required byte[] MaskKey { get; init; }

    /// <summary>IEEE P1363.</summary>
    public byte[] Signature { get; init; } = [];

    public static bool TryParse(ReadOnlySpan<byte> bytes, out Advertisement message)
    {
        var reader = new MessageReader(bytes);
        reader.Kind(MessageKind.Advertisement);
        message = new Advertisement
        {
            Site = reader.Site(),
            Round = reader.Number(),
            Plan = reader.Digest(),
            BaseModel = reader.Digest(),
            Certificate = reader.Counted(MostCertificateBytes),
            ShareKey = reader.Bytes(AgreementKey.PublicBytes),
            MaskKey = reader.Bytes(AgreementKey.PublicBytes),
            Signature = reader.Bytes(SignatureBytes),
        };
        return reader.Complete;
    }

    public byte[] ToBytes() => new MessageWriter(MessageKind.Advertisement)
        .Site(Site).Number(
            Round).Digest(Plan).Digest(BaseModel).Counted(Certificate).Bytes(ShareKey).Bytes(MaskKey).Bytes(Signature).ToBytes();

    public Advertisement SignedWith(SumContext context, ECDsa key) => this with { Signature = key.SignHash(SignedHash(context)) };

    /// <summary>What is wrong with it as a message of this round, apart from who may send it.</summary>
    public AbortReason? Problem(SumContext context, SiteKeyCheck check)
    {
        if (Round != context.Round) return AbortReason.Replayed;
        if (BaseModel != context.BaseModel) return AbortReason.ModelsDiffer;
        if (Plan != context.Plan) return AbortReason.PlansDiffer;
        if (!AgreementKey.IsPublicKey(ShareKey) || !AgreementKey.IsPublicKey(MaskKey)) return AbortReason.MalformedMessage;
        using var key = check(Site, Certificate);
        if (key is null) return AbortReason.CertificateRefused;
        return key.VerifyHash(SignedHash(context), Signature) ? null : AbortReason.SignatureRefused;
    }

    private byte[] SignedHash(SumContext context) =>
        SHA256.HashData([.. SignedText, .. context.Digest(), .. (this with { Signature = [] }).ToBytes()]);
}
