namespace FedSeg.Hosting.Certificates;

/// <summary>What a certificate of the federation stands for.</summary>
public enum MemberKind
{
    /// <summary>A hospital's agent.</summary>
    Site,

    /// <summary>A person with the command line.</summary>
    Person,
}

/// <summary>What a person is to the federation, in all studies or in one. What each may do at the coordinator, it says.</summary>
public enum PersonRole
{
    /// <summary>Not a person, or one without a role.</summary>
    None,

    /// <summary>Looks at runs, and takes models to check them.</summary>
    Auditor,

    /// <summary>Submits and steers runs, and takes models.</summary>
    DataScientist,

    /// <summary>Keeps the coordinator running: looks, and can stop a run.</summary>
    PlatformAdmin,

    /// <summary>Runs a hospital's agent: looks.</summary>
    SiteOperator,

    /// <summary>Answers for a hospital's patients: looks. What leaves the hospital is decided there, not here.</summary>
    PrivacyOfficer,
}
