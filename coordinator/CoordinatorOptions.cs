using System.ComponentModel.DataAnnotations;
using System.Net;
using FedSeg.Coordinator.Connections;
using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Coordinator.People;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.Transfer;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator;

/// <summary>The coordinator's settings, section <c>Coordinator</c> of its settings file. Relative paths start at that file's folder.</summary>
internal sealed class CoordinatorOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Coordinator";

    /// <summary>Address and port to listen on, such as <c>0.0.0.0:7443</c>.</summary>
    [Required(ErrorMessage = "Coordinator:Listen is missing; give address and port, such as 0.0.0.0:7443.")]
    public string Listen { get; set; } = "";

    /// <summary>Folder of models, updates and, unless <see cref="Journal"/> says otherwise, the run journal.</summary>
    [Required(ErrorMessage = "Coordinator:DataDirectory is missing; give the folder for journal, models and updates.")]
    public string DataDirectory { get; set; } = "";

    /// <summary>
    /// Where the run journal lies when not as a file in the data folder: a PostgreSQL database, such as
    /// <c>Host=db;Database=fedseg;Username=fedseg;Passfile=/etc/fedseg/pgpass</c>.
    /// </summary>
    public string Journal { get; set; } = "";

    /// <summary>An S3-compatible store for models and updates; without one they are safe in the data folder.</summary>
    public BucketOptions Bucket { get; set; } = new();

    /// <summary>The server certificate, PEM.</summary>
    [Required(ErrorMessage = "Coordinator:Certificate is missing; 'fedseg provision init' writes coordinator.pem.")]
    public string Certificate { get; set; } = "";

    /// <summary>Its private key, PEM.</summary>
    [Required(ErrorMessage = "Coordinator:PrivateKey is missing; 'fedseg provision init' writes coordinator.key.")]
    public string PrivateKey { get; set; } = "";

    /// <summary>The federation authority's certificate, PEM.</summary>
    [Required(ErrorMessage = "Coordinator:Authority is missing; 'fedseg provision init' writes authority.pem.")]
    public string Authority { get; set; } = "";

    /// <summary>The register of members, read again whenever it changes.</summary>
    [Required(ErrorMessage = "Coordinator:Register is missing; 'fedseg provision init' writes register.json.")]
    public string Register { get; set; } = "";

    /// <summary>A folder of signed charters, read whenever a job is handed in; empty where the sites alone hold jobs against them.</summary>
    public string Charters { get; set; } = "";

    /// <summary>Rounds of a run whose raw updates are kept, the last ones; 0 for all. Of older ones the hashes stay, and every model.</summary>
    [Range(0, 100_000, ErrorMessage = "Coordinator:KeepUpdateRounds must be from 0 to 100000.")]
    public int KeepUpdateRounds { get; set; } = 20;

    /// <summary>Address and port for health checks and metrics, plain HTTP, such as <c>127.0.0.1:9464</c>; empty for none.</summary>
    public string Operations { get; set; } = "";

    /// <summary>Where traces and metrics are sent by OTLP over gRPC, such as <c>http://127.0.0.1:4317</c>; empty for nowhere.</summary>
    public string Collector { get; set; } = "";

    /// <summary>Longest accepted weights file, bytes.</summary>
    [Range(1L, 1L << 40, ErrorMessage = "Coordinator:MaximumUpdateBytes must be from 1 to 2^40.")]
    public long MaximumUpdateBytes { get; set; } = 4L << 30;

    /// <summary>Least average of an upload or download over each window, bytes per second; the transfer as a whole may take any time.</summary>
    [Range(1, 1 << 30, ErrorMessage = "Coordinator:MinimumBytesPerSecond must be from 1 to 2^30.")]
    public int MinimumBytesPerSecond { get; set; } = TransferPace.Default.BytesPerSecond;

    /// <summary>That window, seconds.</summary>
    [Range(1, 3600, ErrorMessage = "Coordinator:TransferWindowSeconds must be from 1 to 3600.")]
    public int TransferWindowSeconds { get; set; } = (int)TransferPace.Default.Window.TotalSeconds;

    /// <summary>Calls that one member may have open at once, or one address those without a name; further ones are told to come back.</summary>
    [Range(2, 1000, ErrorMessage = "Coordinator:MaximumCallsPerMember must be from 2 to 1000.")]
    public int MaximumCallsPerMember { get; set; } = 16;

    /// <summary>What may be held open at each door.</summary>
    [ValidateObjectMembers]
    public ConnectionOptions Connections { get; set; } = new();

    /// <summary>How sites enrol over the wire; off unless it names an issuing authority.</summary>
    public EnrolmentOptions Enrolment { get; set; } = new();

    /// <summary>How people sign in with a token; off unless it names a provider.</summary>
    public OpenIdOptions OpenId { get; set; } = new();

    /// <summary>The least progress of a transfer, from the two settings above.</summary>
    internal TransferPace Pace => new(MinimumBytesPerSecond, TimeSpan.FromSeconds(TransferWindowSeconds));

    /// <summary>Makes every path that is set one from the root.</summary>
    /// <param name="full">A path as in the settings file, from the root.</param>
    internal void ResolvePaths(Func<string, string> full)
    {
        string Resolve(string path) => path.Length == 0 ? path : full(path);
        DataDirectory = Resolve(DataDirectory);
        Certificate = Resolve(Certificate);
        PrivateKey = Resolve(PrivateKey);
        Authority = Resolve(Authority);
        Register = Resolve(Register);
        Charters = Resolve(Charters);
        Bucket.Credentials = Resolve(Bucket.Credentials);
        Enrolment.Issuing = Resolve(Enrolment.Issuing);
        Enrolment.Former = [.. Enrolment.Former.Select(Resolve)];
    }
}

/// <summary>Enrolment of sites by token, section <c>Coordinator:Enrolment</c>.</summary>
internal sealed class EnrolmentOptions
{
    /// <summary>The folder that <c>fedseg provision issuing</c> made; empty for no enrolment over the wire.</summary>
    public string Issuing { get; set; } = "";

    /// <summary>
    /// Folders of issuing authorities that <see cref="Issuing"/> follows. What they signed is good until its own end, or revoked in its own folder, and is renewed by
    /// <see cref="Issuing"/>.
    /// </summary>
    public string[] Former { get; set; } = [];

    /// <summary>Address and port for sites that have no certificate yet, such as <c>0.0.0.0:7444</c>.</summary>
    public string Listen { get; set; } = "";

    /// <summary>Whether there is an issuing authority here.</summary>
    internal bool IsOn => Issuing.Length > 0;

    /// <summary>The folders of all issuing authorities whose certificates are good, the one that signs first.</summary>
    internal IEnumerable<string> Authorities => IsOn ? Former.Prepend(Issuing) : [];
}

/// <summary>The checks that attributes can't say.</summary>
internal sealed class EnrolmentValidator : IValidateOptions<CoordinatorOptions>
{
    public ValidateOptionsResult Validate(string? name, CoordinatorOptions options)
    {
        var enrolment = options.Enrolment;
        if (!enrolment.IsOn) return enrolment.Listen.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail("Coordinator:Enrolment:Issuing is missing; 'fedseg provision issuing' makes that folder.");
        var problems = new List<string>();
        problems.AddRange(enrolment.Former
            .Where(folder => !File.Exists(Path.Combine(folder, FederationAuthority.RegisterFile)))
            .Select(folder => $"Coordinator:Enrolment:Former names '{folder}', which holds no issuing authority."));
        if (!File.Exists(Path.Combine(enrolment.Issuing, FederationAuthority.KeyFile))) problems.Add($"Coordinator:Enrolment:Issuing is '{enrolment.Issuing}', which holds no issuing authority; 'fedseg provision issuing' makes one.");
        if (!IPEndPoint.TryParse(enrolment.Listen, out _)) problems.Add($"Coordinator:Enrolment:Listen is '{enrolment.Listen}'; give an address and port, such as 0.0.0.0:7444.");
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}

/// <summary>A folder of charters that is not there would let every job pass.</summary>
internal sealed class ChartersValidator : IValidateOptions<CoordinatorOptions>
{
    public ValidateOptionsResult Validate(string? name, CoordinatorOptions options) => options.Charters.Length == 0 || Directory.Exists(options.Charters)
        ? ValidateOptionsResult.Success
        : ValidateOptionsResult.Fail($"Coordinator:Charters is '{options.Charters}', which is no folder; make it, and put what 'fedseg charter sign' writes into it.");
}

/// <summary>The checks of the bucket that attributes can't say.</summary>
internal sealed class BucketValidator : IValidateOptions<CoordinatorOptions>
{
    public ValidateOptionsResult Validate(string? name, CoordinatorOptions options)
    {
        var problems = options.Bucket.Problems(options.MaximumUpdateBytes).ToList();
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}

[OptionsValidator]
internal sealed partial class CoordinatorOptionsValidator : IValidateOptions<CoordinatorOptions>;
