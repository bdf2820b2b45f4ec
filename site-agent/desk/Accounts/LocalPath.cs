namespace FedSeg.Desk.Accounts;

/// <summary>Where somebody wanted to go before they had to sign in.</summary>
internal static class LocalPath
{
    /// <summary>Only a path of this page: nobody is sent elsewhere from here.</summary>
    public static string Of(string? back) => back is "/" or ['/', not ('/' or '\\'), ..] ? back : "/";
}
