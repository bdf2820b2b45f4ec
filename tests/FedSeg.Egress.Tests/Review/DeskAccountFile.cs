using System.Text.Json;
using FedSeg.Egress.Review.People;
using FedSeg.Federation;

namespace FedSeg.Egress.Tests.Review;

/// <summary>Accounts without usable passwords, for tests that need a role and not a sign-in: strong hashing costs a fifth of a second each.</summary>
internal static class DeskAccountFile
{
    public static void Write(string desk, params (string Name, DeskRole Role)[] accounts) =>
        Write(desk, [.. accounts.Select(account => new DeskAccount { Name = account.Name, Role = account.Role, PasswordHash = "" })]);

    public static void Write(string desk, params DeskAccount[] file)
    {
        Directory.CreateDirectory(desk);
        File.WriteAllBytes(Path.Combine(desk, "accounts.json"), JsonSerializer.SerializeToUtf8Bytes(file, FederationJson.Options));
    }
}
