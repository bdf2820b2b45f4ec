namespace FedSeg.Egress.Review;

/// <summary>Why a person let something not leave. A code: what else there is to say stays among people.</summary>
public enum RefusalReason
{
    /// <summary>It is not what the study was agreed for.</summary>
    OutsidePurpose,

    /// <summary>The numbers of the summary look wrong.</summary>
    SuspiciousValues,

    /// <summary>It would tell too much about patients.</summary>
    PrivacyRisk,

    /// <summary>A patient withdrew, or the cohort is not the one agreed on.</summary>
    CohortChanged,

    /// <summary>Any other reason.</summary>
    Other,

    /// <summary>Nobody decided in time. Never a person's choice.</summary>
    Expired,
}
