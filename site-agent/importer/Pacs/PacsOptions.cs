using System.ComponentModel.DataAnnotations;

namespace FedSeg.Importer.Pacs;

/// <summary>Where the PACS is, how to prove who we are, and how much of it to believe.</summary>
internal sealed class PacsOptions
{
    /// <summary>The DICOMweb root, such as <c>https://pacs.example.org/dicom-web</c>; the only address this process ever dials.</summary>
    [Required(ErrorMessage = "Importer:Pacs:Address is missing; give the DICOMweb root, such as https://pacs.example.org/dicom-web.")]
    public string Address { get; set; } = "";

    /// <summary>
    /// Allow <c>http://</c> to another machine: images then cross the network in clear. To this machine it is always allowed.
    /// </summary>
    public bool AllowPlainHttp { get; set; }

    /// <summary>Certificates of the authorities that may vouch for the PACS, PEM; the machine's own trust when empty.</summary>
    public string Authority { get; set; } = "";

    /// <summary>This client's certificate, PEM; none when empty.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>Its private key, PEM.</summary>
    public string PrivateKey { get; set; } = "";

    /// <summary>User name of basic authentication; none when empty.</summary>
    public string UserName { get; set; } = "";

    /// <summary>File whose first line is the password; readable by the importer only.</summary>
    public string PasswordFile { get; set; } = "";

    /// <summary>
    /// Longest silence of the PACS before a request counts as hung, seconds. There is no bound on the whole of a transfer that makes
    /// progress.
    /// </summary>
    [Range(1, 3600)]
    public int SilenceSeconds { get; set; } = 60;

    /// <summary>How often a request is repeated after the first try.</summary>
    [Range(1, 20)]
    public int Retries { get; set; } = 5;

    /// <summary>Wait before the first repetition, seconds; doubles with each, with jitter, up to two minutes.</summary>
    [Range(0.01, 120.0)]
    public double RetryDelaySeconds { get; set; } = 2;

    /// <summary>Instances fetched at the same time.</summary>
    [Range(1, 32)]
    public int Connections { get; set; } = 4;

    /// <summary>Matches asked for in one query.</summary>
    [Range(1, 10_000)]
    public int PageSize { get; set; } = 200;

    /// <summary>
    /// Most studies a query may list, those of other modalities included; more is taken for a filter that does not filter.
    /// </summary>
    [Range(1, 10_000_000)]
    public int MaximumStudies { get; set; } = 100_000;

    /// <summary>Most instances of one study.</summary>
    [Range(1, 1_000_000)]
    public int MaximumInstances { get; set; } = 20_000;

    /// <summary>Largest single instance, bytes.</summary>
    [Range(1L, 1L << 40)]
    public long MaximumInstanceBytes { get; set; } = 2L << 30;

    /// <summary>Largest answer, which may hold a whole series, bytes.</summary>
    [Range(1L, 1L << 42)]
    public long MaximumAnswerBytes { get; set; } = 32L << 30;

    /// <summary>What attributes can't say.</summary>
    internal IEnumerable<string> Problems()
    {
        if (Address.Length > 0)
        {
            if (!Uri.TryCreate(Address, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http"))
            {
                yield return $"Importer:Pacs:Address is '{Address}'; it must be a whole address that begins with https://.";
            }
            else if (address.UserInfo.Length > 0 || address.Query.Length > 0 || address.Fragment.Length > 0)
            {
                yield return "Importer:Pacs:Address holds a password or a query; use Importer:Pacs:UserName and PasswordFile.";
            }
            else if (address.Scheme == "http" && !address.IsLoopback && !AllowPlainHttp)
            {
                yield return $"Importer:Pacs:Address is '{Address}', so images go in clear; use https://, or set AllowPlainHttp.";
            }
            else if (address.Scheme == "http" && !address.IsLoopback && UserName.Length > 0)
            {
                yield return "Importer:Pacs:UserName needs https://; over http:// the password would cross the network in clear.";
            }
        }

        if (Certificate.Length > 0 != PrivateKey.Length > 0)
        {
            yield return "Importer:Pacs:Certificate and Importer:Pacs:PrivateKey belong together; give both or none.";
        }
        if (UserName.Length > 0 != PasswordFile.Length > 0)
        {
            yield return "Importer:Pacs:UserName and Importer:Pacs:PasswordFile belong together; give both or none.";
        }
        (string Key, string Path)[] secrets = [("PrivateKey", PrivateKey), ("PasswordFile", PasswordFile)];
        foreach (var (key, path) in secrets.Concat([("Authority", Authority), ("Certificate", Certificate)]))
        {
            if (path.Length > 0 && !File.Exists(path)) yield return $"Importer:Pacs:{key} is '{path}', which does not exist.";
        }

        foreach (var (key, path) in secrets)
        {
            if (IsOpenToOthers(path))
            {
                yield return $"Importer:Pacs:{key} is '{path}', which every user of this machine can read; 'chmod o-rwx' it.";
            }
        }
    }

    private static bool IsOpenToOthers(string path) =>
        !OperatingSystem.IsWindows() && File.Exists(path)
        && (File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != UnixFileMode.None;
}
