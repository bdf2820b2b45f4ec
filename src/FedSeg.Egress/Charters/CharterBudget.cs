using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Privacy.Budget;

namespace FedSeg.Egress.Charters;

/// <summary>The privacy budget that a charter sets at a site.</summary>
public static class CharterBudget
{
    /// <summary>Beginning of the names of studies' budgets; no cohort's name begins so.</summary>
    public const string Prefix = "study-";

    /// <summary>The study's own budget. It holds beside the site's, and only what the study's runs released counts in it.</summary>
    public static PrivacyBudget BudgetOf(this CharterPrivacy charter, StudyId study) => new(Prefix + study, charter.MaximumEpsilon, charter.Delta);
}
