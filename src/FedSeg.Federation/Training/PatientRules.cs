using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Training;

/// <summary>
/// How a site names its patients to itself, and whom it leaves out. A pseudonym is HMAC-SHA-256 over the trainer's patient key, under a key that is the site's alone: nobody
/// who sees one can try out patients' numbers. Travels from the agent to its trainer and nowhere else.
/// </summary>
public sealed record PatientRules
{
    /// <summary>32 bytes.</summary>
    public required ReadOnlyMemory<byte> PseudonymKey { get; init; }

    /// <summary>Patients whose images are never decoded again, in ordinal order.</summary>
    public required ImmutableArray<Sha256Digest> Withdrawn { get; init; }

    /// <summary>Tells one set of withdrawals from another.</summary>
    public Sha256Digest WithdrawnHash => Sha256Digest.Of(Encoding.ASCII.GetBytes(string.Concat(Withdrawn)));

    /// <param name="patientKey">As the trainer knows a patient: hexadecimal SHA-256 of issuer and PatientID.</param>
    public Sha256Digest PseudonymOf(string patientKey) => Sha256Digest.FromHash(HMACSHA256.HashData(PseudonymKey.Span, Encoding.UTF8.GetBytes(patientKey)));

    public bool IsWithdrawn(string patientKey) => Withdrawn.Contains(PseudonymOf(patientKey));
}
