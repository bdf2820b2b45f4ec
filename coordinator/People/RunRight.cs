using FedSeg.Hosting.Certificates;

namespace FedSeg.Coordinator.People;

/// <summary>What a person can want of a study's runs.</summary>
internal enum RunRight
{
    /// <summary>See runs, rounds, scores and which models there are.</summary>
    Look,

    /// <summary>Check and submit jobs.</summary>
    Start,

    /// <summary>Pause, resume and cancel runs.</summary>
    Steer,

    /// <summary>Take a global model away.</summary>
    TakeModels,
}

/// <summary>Which role has which right. What is not named here is denied.</summary>
internal static class RoleRights
{
    public static bool Allows(PersonRole role, RunRight right) => right switch
    {
        RunRight.Look => role is PersonRole.PlatformAdmin or PersonRole.DataScientist or PersonRole.SiteOperator or PersonRole.PrivacyOfficer or PersonRole.Auditor,
        RunRight.Start => role is PersonRole.DataScientist,
        RunRight.Steer => role is PersonRole.DataScientist or PersonRole.PlatformAdmin,
        // An auditor recomputes and compares; who only runs the platform has no need of what was learned from patients.
        RunRight.TakeModels => role is PersonRole.DataScientist or PersonRole.Auditor,
        _ => false,
    };
}
