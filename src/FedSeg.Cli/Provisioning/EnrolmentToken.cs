using FedSeg.Cli.Programs;

namespace FedSeg.Cli.Provisioning;

/// <summary>What an operator gives to a site: a secret, and by which authority the site knows the coordinator that it may tell it to.</summary>
/// <param name="Secret">Base64Url.</param>
/// <param name="Authority">SHA-256 of the authority's certificate, 64 lower-case hexadecimal digits.</param>
internal sealed record EnrolmentToken(string Secret, string Authority)
{
    /// <exception cref="BadInputException">The text is no token.</exception>
    public static EnrolmentToken Parse(string text)
    {
        var parts = text.Trim().Split('.');
        return parts.Length == 2 && parts[0].Length > 0 && parts[1].Length == 64 ? new EnrolmentToken(parts[0], parts[1]) : throw new BadInputException("--token is not what 'fedseg provision token' printed.");
    }

    public override string ToString() => $"{Secret}.{Authority}";
}
