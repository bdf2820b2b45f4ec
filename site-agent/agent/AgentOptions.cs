using System.ComponentModel.DataAnnotations;
using FedSeg.Federation.Identity;
using FedSeg.SiteAgent.Coordinator.Pace;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent;

/// <summary>The agent's settings, section <c>Agent</c> of its settings file. Relative paths start at that file's folder.</summary>
internal sealed class AgentOptions
{
    /// <summary>This site's name in the federation.</summary>
    [Required(ErrorMessage = "Agent:Site is missing; give the site's name as the authority signed it.")]
    public string Site { get; set; } = "";

    /// <summary>The coordinator's address, such as <c>https://coordinator.example.org:7443</c>.</summary>
    [Required(ErrorMessage = "Agent:Coordinator is missing; give its address, such as https://coordinator.example.org:7443.")]
    [RegularExpression("https://.+", ErrorMessage = "Agent:Coordinator must begin with https://.")]
    public string Coordinator { get; set; } = "";

    /// <summary>The site's certificate, PEM.</summary>
    [Required(ErrorMessage = "Agent:Certificate is missing; the authority returns it for the site's request.")]
    public string Certificate { get; set; } = "";

    /// <summary>Its private key, PEM; made at the site, never leaves it.</summary>
    [Required(ErrorMessage = "Agent:PrivateKey is missing; 'fedseg provision request' makes it.")]
    public string PrivateKey { get; set; } = "";

    /// <summary>The federation authority's certificate, PEM.</summary>
    [Required(ErrorMessage = "Agent:Authority is missing; it comes with the site's certificate.")]
    public string Authority { get; set; } = "";

    /// <summary>Folder of the agent's own files: models, outbox, ledger, reports.</summary>
    [Required(ErrorMessage = "Agent:DataDirectory is missing; give a folder for models, outbox and ledger.")]
    public string DataDirectory { get; set; } = "";

    /// <summary>
    /// Where traces and metrics are sent by OTLP over gRPC: a collector on this machine, such as <c>http://127.0.0.1:4317</c>; empty for nowhere. No other machine, because
    /// what leaves the hospital leaves by the gate.
    /// </summary>
    public string Collector { get; set; } = "";

    /// <summary>The collector, if it is one on this machine.</summary>
    internal Uri? CollectorOnThisMachine => Uri.TryCreate(Collector, UriKind.Absolute, out var address) && address.IsLoopback ? address : null;

    /// <summary>The site's egress policy, YAML. Without it nothing leaves.</summary>
    [Required(ErrorMessage = "Agent:EgressPolicy is missing; without a policy nothing may leave.")]
    public string EgressPolicy { get; set; } = "";

    /// <summary>How fast and when models and updates may move; at any time and without a cap when not given.</summary>
    public PaceOptions Pace { get; set; } = new();

    public CohortOptions Cohort { get; set; } = new();

    [ValidateObjectMembers]
    public TrainerOptions Trainer { get; set; } = new();
}

/// <summary>What this site trains on.</summary>
internal sealed class CohortOptions
{
    /// <summary>Folder with one sub-folder per case. Read by the trainer only.</summary>
    public string Directory { get; set; } = "";

    /// <summary>
    /// Labels this site has, each with the segment labels of its own files that mean it; an empty list means the label itself. The names are told to the
    /// coordinator, the segment labels never leave.
    /// </summary>
    public Dictionary<string, string[]> Labels { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Decode HTJ2K, the high-throughput JPEG 2000. Off, because the OpenJPEG of today's systems ends the trainer on some corrupt files, and one bad file must
    /// not end a run: only for images whose origin is trusted.
    /// </summary>
    public bool AllowHtj2k { get; set; }
}

/// <summary>How the trainer process runs.</summary>
internal sealed class TrainerOptions
{
    /// <summary>The trainer's assembly; found beside the agent when empty.</summary>
    public string Path { get; set; } = "";

    /// <summary>Arguments of the trainer's assembly; the agent's own trainer takes none.</summary>
    public string[] Arguments { get; set; } = [];

    /// <summary><c>auto</c>, <c>cpu</c> or <c>cuda:N</c>.</summary>
    [RegularExpression(@"auto|cpu|cuda:\d{1,2}", ErrorMessage = "Agent:Trainer:Device must be auto, cpu or cuda:N.")]
    public string Device { get; set; } = "auto";

    /// <summary>CPU threads; 0 takes all cores.</summary>
    [Range(0, 1024, ErrorMessage = "Agent:Trainer:Threads must be from 0 to 1024.")]
    public int Threads { get; set; }

    /// <summary>Refuse to train where the trainer's process can't be cut off from the network.</summary>
    public bool RequireIsolation { get; set; }

    /// <summary>Longest silence of a working trainer before it counts as hung, minutes.</summary>
    [Range(1, 1440, ErrorMessage = "Agent:Trainer:SilenceMinutes must be from 1 to 1440.")]
    public int SilenceMinutes { get; set; } = 30;
}

/// <summary>Checks all settings at once: what is missing, which folder does not exist, what to do.</summary>
[OptionsValidator]
internal sealed partial class AgentOptionsValidator : IValidateOptions<AgentOptions>;

/// <summary>The checks that attributes can't say.</summary>
internal sealed class AgentPathsValidator : IValidateOptions<AgentOptions>
{
    public ValidateOptionsResult Validate(string? name, AgentOptions options)
    {
        var problems = new List<string>();
        if (options.Site.Length > 0 && !SiteId.TryParse(options.Site, null, out _)) problems.Add("Agent:Site must be 1 to 32 of a-z, 0-9 and '-', starting with a letter or digit.");
        if (options.Cohort.Directory.Length == 0) problems.Add("Agent:Cohort:Directory is missing; give the folder with one sub-folder per case.");
        else if (!Directory.Exists(options.Cohort.Directory)) problems.Add($"Agent:Cohort:Directory is '{options.Cohort.Directory}', which does not exist.");
        else if (!Directory.EnumerateDirectories(options.Cohort.Directory).Any()) problems.Add($"Agent:Cohort:Directory is '{options.Cohort.Directory}', which has no case folder; put each case's DICOM files into a folder of its own below it.");
        if (options.Cohort.Labels.Count == 0) problems.Add("Agent:Cohort:Labels is empty; name the labels this site has, such as \"Labels\": { \"tumour\": [] }.");
        if (options.EgressPolicy.Length > 0 && !File.Exists(options.EgressPolicy)) problems.Add($"Agent:EgressPolicy is '{options.EgressPolicy}', which does not exist; without a policy nothing may leave.");
        if (options.Collector.Length > 0 && options.CollectorOnThisMachine is null) problems.Add($"Agent:Collector is '{options.Collector}'; give the URL of a collector on this machine, such as http://127.0.0.1:4317.");
        problems.AddRange(options.Pace.Problems());
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
