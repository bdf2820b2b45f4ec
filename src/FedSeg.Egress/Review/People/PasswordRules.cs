using System.Text;

namespace FedSeg.Egress.Review.People;

/// <summary>
/// What a password must be: long, and not one of those that are tried first (NIST SP 800-63B, sections 3.1.1.2 and 3.2.2; no classes of characters, no expiry). A list of
/// known passwords holds few this long, since they are mostly short ones strung together; so what is common is taken out, and enough has to be left.
/// </summary>
internal static class PasswordRules
{
    private const int Longest = 256, FewestDistinct = 6, FewestUncommon = 6, ShortestRun = 3;

    /// <summary>The parts of which the most common passwords are made, longest first so that none hides in a longer one.</summary>
    private static readonly string[] Common =
    [
        .. new[]
        {
            "password", "passwort", "passw0rd", "p@ssword", "p@ssw0rd", "kennwort", "geheim", "secret", "letmein", "welcome", "willkommen", "changeme", "default", "admin",
            "administrator", "root", "user", "login", "test", "guest", "qwertyuiop", "qwertzuiop", "qwerty", "qwertz", "azerty", "asdfghjkl", "asdf", "yxcvbnm", "zxcvbnm",
            "qazwsx", "1q2w3e4r", "1qaz2wsx", "iloveyou", "monkey", "dragon", "football", "baseball", "fussball", "master", "superman", "batman", "sunshine", "princess",
            "shadow", "hello", "hallo", "whatever", "trustno1", "spring", "summer", "autumn", "winter", "sommer", "herbst", "january", "hospital", "klinik", "privacy",
            "officer", "fedseg", "monday", "abc",
        }.OrderByDescending(part => part.Length),
    ];

    /// <summary>What is wrong with a password; <see langword="null"/> when nothing is.</summary>
    public static string? Problem(string account, string password)
    {
        if (password.Length is < DeskAccounts.ShortestPassword or > Longest)
        {
            return $"A password has {DeskAccounts.ShortestPassword} to {Longest} characters; a few words in a row do.";
        }

        var rest = password.ToLowerInvariant();
        foreach (var part in Common.Prepend(account)) rest = rest.Replace(part, "", StringComparison.Ordinal);
        rest = WithoutRuns(rest);
        return rest.Length < FewestUncommon || rest.Distinct().Count() < FewestDistinct
            ? "This password is made of what is tried first: common passwords, the account's name, rows of digits or letters, repetitions. A few words that belong to nobody do."
            : null;
    }

    /// <summary>Takes out rows of three or more characters that count up, count down or stand still.</summary>
    private static string WithoutRuns(string text)
    {
        var rest = new StringBuilder();
        for (var start = 0; start < text.Length;)
        {
            var end = start + 1;
            while (end < text.Length && (end == start + 1 ? Math.Abs(text[end] - text[start]) <= 1 : text[end] - text[end - 1] == text[start + 1] - text[start])) end++;
            if (end - start < ShortestRun) end = start + 1;
            if (end - start < ShortestRun) rest.Append(text[start]);
            start = end;
        }

        return rest.ToString();
    }
}
