namespace FedSeg.Hosting.Certificates;

/// <summary>What a certificate of the federation stands for.</summary>
public enum MemberKind
{
    /// <summary>A hospital's agent.</summary>
    Site,

    /// <summary>A person with the command line.</summary>
    Person,
}

/// <summary>What a person may do.</summary>
public enum PersonRole
{
    /// <summary>Not a person.</summary>
    None,

    /// <summary>Looks at runs and models.</summary>
    Auditor,

    /// <summary>Also submits and cancels runs.</summary>
    DataScientist,
}
