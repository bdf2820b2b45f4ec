namespace FedSeg.Ledger.Witnessing;

/// <summary>The origins of a federation's ledgers: what each is called in checkpoints and cosignatures.</summary>
public static class LedgerNames
{
    public const string Coordinator = "fedseg/coordinator";

    /// <param name="site">The site's name in the federation.</param>
    public static string OfSite(string site) => "fedseg/site/" + site;
}
