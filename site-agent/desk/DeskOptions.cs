using System.Net;
using FedSeg.Federation.Identity;
using Microsoft.Extensions.Options;

namespace FedSeg.Desk;

/// <summary>The page's settings: section <c>Desk</c> of the agent's settings file, and of the section <c>Agent</c> what the two share.</summary>
internal sealed class DeskOptions
{
    /// <summary>Address and port. Beyond this machine only with a certificate.</summary>
    public string Listen { get; set; } = "127.0.0.1:7480";

    /// <summary>Names by which browsers may call the page, besides <c>localhost</c> and the address itself; others are refused.</summary>
    public string[] HostNames { get; set; } = [];

    /// <summary>The page's own certificate, PEM; needed beyond this machine.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>Its private key, PEM.</summary>
    public string PrivateKey { get; set; } = "";

    /// <summary>The hospital's own sign-in; off when it names no authority.</summary>
    public SignIn.OpenIdOptions OpenId { get; set; } = new();

    /// <summary>The site's name, from <c>Agent:Site</c>.</summary>
    internal string Site { get; set; } = "";

    /// <summary>Who receives what leaves, from <c>Agent:Coordinator</c>.</summary>
    internal string Recipient { get; set; } = "";

    /// <summary>The agent's data folder, from <c>Agent:DataDirectory</c>.</summary>
    internal string DataDirectory { get; set; } = "";

    /// <summary>The site's policy, from <c>Agent:EgressPolicy</c>.</summary>
    internal string EgressPolicy { get; set; } = "";

    internal IPEndPoint Endpoint => IPEndPoint.Parse(Listen);

    internal bool HasCertificate => Certificate.Length > 0 && PrivateKey.Length > 0;
}

/// <summary>Checks all settings at once.</summary>
internal sealed class DeskOptionsValidator : IValidateOptions<DeskOptions>
{
    public ValidateOptionsResult Validate(string? name, DeskOptions options)
    {
        var problems = new List<string>();
        if (!IPEndPoint.TryParse(options.Listen, out var endpoint)) problems.Add($"Desk:Listen is '{options.Listen}'; give an address and port, such as 127.0.0.1:7480.");
        else if (!IPAddress.IsLoopback(endpoint.Address) && !options.HasCertificate)
        {
            problems.Add($"Desk:Listen is '{options.Listen}', which others can reach; passwords would cross the network in the clear. Give Desk:Certificate and Desk:PrivateKey, or listen on 127.0.0.1.");
        }

        if (!SiteId.TryParse(options.Site, null, out _)) problems.Add("Agent:Site is missing or no site's name.");
        if (options.DataDirectory.Length == 0) problems.Add("Agent:DataDirectory is missing; the page shows what the agent keeps there.");
        problems.AddRange(options.OpenId.Problems());
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
