namespace FedSeg.SecureAggregation.Server;

/// <summary>What a secure sum waits for.</summary>
public enum SumStage
{
    /// <summary>Advertised keys.</summary>
    Keys,

    /// <summary>Dealt shares.</summary>
    Shares,

    /// <summary>Masked updates; they come another way.</summary>
    Masked,

    /// <summary>Signatures over who survived.</summary>
    Confirmations,

    /// <summary>Disclosed shares.</summary>
    Disclosures,

    /// <summary>Nothing: the masks are known, or the sum has failed.</summary>
    Done,
}
