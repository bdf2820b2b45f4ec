namespace FedSeg.Egress.Review.People;

/// <summary>What a person at this site may do.</summary>
public enum DeskRole
{
    /// <summary>Looks, and takes proofs away.</summary>
    Auditor,

    /// <summary>Looks, pauses and stops.</summary>
    SiteOperator,

    /// <summary>Decides what may leave, too.</summary>
    PrivacyOfficer,
}

/// <summary>Which role may give which order. What is not named here is denied.</summary>
public static class DeskPermissions
{
    public static bool Allows(DeskRole role, DeskOrder order) => order switch
    {
        DeskOrder.Pause or DeskOrder.Halt => role is DeskRole.SiteOperator or DeskRole.PrivacyOfficer,
        // Two people lift a halt; the second may be of the site's operation, so that one officer is enough for a hospital.
        DeskOrder.Resume or DeskOrder.Lift => role is DeskRole.SiteOperator or DeskRole.PrivacyOfficer,
        DeskOrder.Approve or DeskOrder.Refuse or DeskOrder.ApprovePlan or DeskOrder.RefusePlan => role is DeskRole.PrivacyOfficer,
        // Whoever runs the site brings the file; that a hospital takes part is an officer's word.
        DeskOrder.ImportCharter => role is DeskRole.SiteOperator or DeskRole.PrivacyOfficer,
        // A patient's wish waits for nobody in particular.
        DeskOrder.WithdrawPatient => role is DeskRole.SiteOperator or DeskRole.PrivacyOfficer,
        DeskOrder.LeaveStudy => role is DeskRole.PrivacyOfficer,
        DeskOrder.AcceptCharter or DeskOrder.DeclineCharter => role is DeskRole.PrivacyOfficer,
        // Two people agree to a changed policy, and one of them is an officer; the desk sees to that.
        DeskOrder.ApprovePolicy or DeskOrder.RefusePolicy => role is DeskRole.SiteOperator or DeskRole.PrivacyOfficer,
        DeskOrder.LocalSignIn => true,
        _ => false,
    };
}
