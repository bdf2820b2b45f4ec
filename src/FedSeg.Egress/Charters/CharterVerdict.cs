using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;

namespace FedSeg.Egress.Charters;

/// <summary>Whether a charter that this hospital accepted covers a run.</summary>
public abstract record CharterVerdict
{
    private CharterVerdict() { }

    /// <summary>It does.</summary>
    public sealed record Covered(Sha256Digest Hash, StudyCharter Charter) : CharterVerdict;

    /// <summary>There is none of the run's study here, and the site's policy says that runs need none.</summary>
    public sealed record NotNeeded : CharterVerdict;

    /// <summary>It does not, so nothing is trained and nothing leaves.</summary>
    public sealed record Outside(string Problem) : CharterVerdict;

    /// <summary>The charter that covers the run; <see langword="null"/> where none does.</summary>
    public Covered? Cover => this as Covered;
}
