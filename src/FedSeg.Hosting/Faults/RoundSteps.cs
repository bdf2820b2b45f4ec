namespace FedSeg.Hosting.Faults;

/// <summary>The steps of a round before and after which the programs have failpoints, in their order, each in the program that takes it.</summary>
public static class RoundSteps
{
    /// <summary>The round is entered in the journal.</summary>
    public const string Open = "open";

    /// <summary>A site is sent the plan.</summary>
    public const string Select = "select";

    /// <summary>A site is sent the model.</summary>
    public const string Publish = "publish";

    /// <summary>The site has the model.</summary>
    public const string Download = "download";

    public const string Train = "train";

    /// <summary>The update is held against the site's policy.</summary>
    public const string Policy = "policy";

    /// <summary>The decision is written into the site's ledger.</summary>
    public const string Ledger = "ledger";

    /// <summary>The update is sent and answered.</summary>
    public const string Upload = "upload";

    /// <summary>The update is entered in the journal.</summary>
    public const string Commit = "commit";

    /// <summary>The site is told that the update counts.</summary>
    public const string Acknowledge = "acknowledge";

    public const string Aggregate = "aggregate";

    /// <summary>The new model goes to the blob store.</summary>
    public const string Persist = "persist";

    /// <summary>The round's end is entered in the journal.</summary>
    public const string Close = "close";

    /// <summary>The coordinator's own.</summary>
    public static IReadOnlyList<string> OfCoordinator { get; } = [Open, Select, Publish, Commit, Acknowledge, Aggregate, Persist, Close];

    /// <summary>The agent's own.</summary>
    public static IReadOnlyList<string> OfAgent { get; } = [Download, Train, Policy, Ledger, Upload];
}
