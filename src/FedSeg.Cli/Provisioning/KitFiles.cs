using System.Text.Json;
using System.Text.Json.Nodes;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Cli.Provisioning;

/// <summary>A member's folder: private key, request and settings that name them, so that signing is all that is left to do.</summary>
/// <param name="directory">The folder.</param>
/// <param name="name">The member's name.</param>
internal sealed class KitFiles(string directory, string name)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>What a site's policy says until its privacy officer writes another one.</summary>
    private const string DefaultPolicy = """
        # What may leave this hospital. Owned by the hospital: a job can add rules, never remove one. Without this file nothing leaves.
        maximumUpdateBytes: 4294967296   # longest weights file, bytes
        maximumNorm: 1000                # L2 norm of an update's weights
        minimumTrainingCases: 10         # fewer cases: no update
        minimumHeldBackCases: 5          # fewer cases: no scores
        minimumReportedCount: 5          # fewer refused studies: their number is not told
        requantisation: bits16           # off, bits16 or bits8: rounds weights by chance, so that nothing hides in their low digits
        maximumMetrics: 50               # most losses and scores in a report
        maximumNormDeviation: 10         # robust deviations from the run's last updates; 0: not compared
        maximumTensorRatio: 0            # change of a tensor over the tensor itself; 0: not compared
        maximumImageSimilarity: 0.5      # largest cosine between the change and an image it was trained on; 1: not compared
        maximumUpdatesPerDay: 500        # 0: any number
        review: every-round              # who passed every rule waits for a person: every-round, first-round, or nobody: auto-within-bounds
        reviewHours: 72                  # nobody decided by then: refused
        approvalDays: 30                 # a person's word about next rounds and a run's terms counts for so long
        approvals: 1                     # 2: two different people have to approve
        runsWithoutCharter: false        # true: runs may train here whose study has no charter that this hospital accepted
        policyChanges: atOnce            # twoPeople: a changed file counts when two people have agreed to it at the review desk
        # What all runs together may tell about one patient; with it only private training leaves:
        # privacyBudget: { cohort: kidneys, maximumEpsilon: 8, delta: 0.00001 }
        # Each run's plan waits for a person, too. A standing approval instead, for runs within bounds:
        # plansWithin: { maximumRounds: 100, maximumStepsPerRound: 1000, maximumParameters: 50000000, labels: [kidney], fingerprints: true }

        """;

    public string RequestPath => Path.Combine(directory, name + ".csr");

    public string CertificatePath => Path.Combine(directory, name + ".pem");

    public string AuthorityPath => Path.Combine(directory, FederationAuthority.CertificateFile);

    public string SettingsPath => Path.Combine(directory, "agent.json");

    public string ProfilePath => Path.Combine(directory, "profile.json");

    /// <summary>Makes the private key and the request for it.</summary>
    public void WriteRequest() => File.WriteAllText(RequestPath, KeyFiles.CreateRequest(Path.Combine(directory, name + ".key"), name));

    /// <summary>The same, for the private key that is there already if there is one.</summary>
    public void WriteRequestAgain() => File.WriteAllText(RequestPath, KeyFiles.RequestAgain(Path.Combine(directory, name + ".key"), name));

    /// <summary>Writes the agent's settings and the site's egress policy.</summary>
    public void WriteSiteSettings(string coordinator, string cohortDirectory, IEnumerable<string> labels, string policy = DefaultPolicy, string trainerDevice = "auto", int trainerThreads = 0)
    {
        var settings = new JsonObject
        {
            ["Agent"] = new JsonObject
            {
                ["Site"] = name,
                ["Coordinator"] = coordinator,
                ["Certificate"] = name + ".pem",
                ["PrivateKey"] = name + ".key",
                ["Authority"] = FederationAuthority.CertificateFile,
                ["DataDirectory"] = "data",
                ["EgressPolicy"] = "egress-policy.yaml",
                ["Cohort"] = new JsonObject
                {
                    ["Directory"] = cohortDirectory,
                    // A value that is not null: the configuration drops empty arrays. The label stands for itself.
                    ["Labels"] = new JsonObject(labels.Select(label => KeyValuePair.Create(label, (JsonNode?)new JsonArray(label)))),
                },
                ["Trainer"] = new JsonObject { ["Device"] = trainerDevice, ["Threads"] = trainerThreads },
            },
        };
        File.WriteAllText(SettingsPath, settings.ToJsonString(Indented));
        File.WriteAllText(Path.Combine(directory, "egress-policy.yaml"), policy);
    }

    /// <summary>Writes a person's profile: how the command line reaches the coordinator.</summary>
    public void WriteProfile(string coordinator)
    {
        var profile = new JsonObject
        {
            ["coordinator"] = coordinator,
            ["certificate"] = name + ".pem",
            ["privateKey"] = name + ".key",
            ["authority"] = FederationAuthority.CertificateFile,
        };
        File.WriteAllText(ProfilePath, profile.ToJsonString(Indented));
    }

    /// <summary>The coordinator's settings, for files as <c>provision init</c> names them.</summary>
    public static string CoordinatorSettings(string listen, string dataDirectory) => new JsonObject
    {
        ["Coordinator"] = new JsonObject
        {
            ["Listen"] = listen,
            ["DataDirectory"] = dataDirectory,
            ["Certificate"] = "coordinator.pem",
            ["PrivateKey"] = "coordinator.key",
            ["Authority"] = FederationAuthority.CertificateFile,
            ["Register"] = FederationAuthority.RegisterFile,
        },
    }.ToJsonString(Indented);
}
