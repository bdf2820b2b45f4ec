namespace FedSeg.Egress.Policy;

/// <summary>When a changed policy file counts.</summary>
public enum PolicyChanges
{
    /// <summary>As soon as it is there.</summary>
    AtOnce,

    /// <summary>When two people of the site have agreed to it at the desk; until then the one before does.</summary>
    TwoPeople,
}
