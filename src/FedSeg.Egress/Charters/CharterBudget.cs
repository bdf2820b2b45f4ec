using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Privacy.Budget;

namespace FedSeg.Egress.Charters;

/// <summary>How a charter's privacy bound meets the site's own budget.</summary>
internal static class CharterBudget
{
    /// <summary>The budget that holds with the site's own: the tighter one of the two, and one for the study where the site has none.</summary>
    public static PrivacyBudget Tighten(this CharterPrivacy charter, PrivacyBudget? own, StudyId study) => own is null
        ? new PrivacyBudget($"study-{study}", charter.MaximumEpsilon, charter.Delta)
        : own with { MaximumEpsilon = Math.Min(own.MaximumEpsilon, charter.MaximumEpsilon), Delta = Math.Min(own.Delta, charter.Delta) };
}
