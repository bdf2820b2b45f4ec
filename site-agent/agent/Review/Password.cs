using System.Text;

namespace FedSeg.SiteAgent.Review;

/// <summary>Asks for a password without showing it; from a pipe, the first line is it.</summary>
internal static class Password
{
    public static string Read(string prompt)
    {
        if (Console.IsInputRedirected) return Console.ReadLine() ?? "";

        Console.Error.Write(prompt);
        var password = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key != ConsoleKey.Backspace) password.Append(key.KeyChar);
            else if (password.Length > 0) password.Length--;
        }

        Console.Error.WriteLine();
        return password.ToString();
    }
}
