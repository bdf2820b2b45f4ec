using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using FedSeg.Cli.Jobs;
using FedSeg.Cli.Programs;
using FedSeg.Cli.Provisioning;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Programs;
using FedSeg.Protocol.V1;
using Grpc.Core;

namespace FedSeg.Cli.Federations;

/// <summary>
/// A whole federation on this machine, set up as three hospitals would: an authority, certificates by request, settings files, a coordinator process and one agent process
/// per site, all over mutual TLS on loopback.
/// </summary>
internal sealed class LocalFederation : IAsyncDisposable
{
    private const string Scientist = "demo-scientist";
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60), CertificateValidity = TimeSpan.FromDays(2);

    /// <summary>Small sites take part in a demo: their cases are phantoms or public.</summary>
    private const string DemoPolicy = """
        # The demo's policy: lower case bounds than a hospital's, because its cases are phantoms or public.
        maximumUpdateBytes: 4294967296
        maximumNorm: 1000
        minimumTrainingCases: 3
        minimumHeldBackCases: 1
        # The same demo gives the same model, bit for bit; a hospital rounds by chance.
        requantisation: off
        # No study with a charter either.
        runsWithoutCharter: true
        # Nobody sits at a desk here: what passes every rule leaves by this standing approval. A hospital begins with every-round.
        review: auto-within-bounds
        plansWithin: { maximumRounds: 10000, maximumStepsPerRound: 1000000, maximumParameters: 1000000000, fingerprints: true }

        """;

    private static readonly IReadOnlyDictionary<string, string> NoVariables = new Dictionary<string, string>();

    private readonly string _work;
    private readonly List<LocalProcess> _processes = [];

    private LocalFederation(string work, int port, CoordinatorConnection connection)
    {
        _work = work;
        Port = port;
        Connection = connection;
    }

    /// <summary>The coordinator's port on 127.0.0.1.</summary>
    public int Port { get; }

    public CoordinatorConnection Connection { get; }

    public IReadOnlyList<LocalProcess> Processes => _processes;

    public string LogDirectory => Path.Combine(_work, "logs");

    public string CoordinatorDirectory => Path.Combine(_work, "coordinator");

    public string ProfilePath => Path.Combine(_work, "people", Scientist, "profile.json");

    public string SiteDirectory(string site) => Path.Combine(_work, "sites", site);

    public string LedgerDirectory(string site) => Path.Combine(SiteDirectory(site), "data", "ledger");

    /// <summary>Makes the authority, every certificate and every settings file; starts nothing.</summary>
    /// <param name="work">The federation's folder.</param>
    /// <param name="sites">Site name and data folder of each hospital.</param>
    /// <param name="labels">Labels every site declares.</param>
    public static LocalFederation Provision(string work, IReadOnlyDictionary<string, string> sites, IReadOnlyList<string> labels)
    {
        var port = FreePort();
        var address = $"https://127.0.0.1:{port}";
        var coordinatorDirectory = Path.Combine(work, "coordinator");
        var authority = FederationAuthority.Create(coordinatorDirectory, "demo", TimeProvider.System);
        var request = KeyFiles.CreateRequest(Path.Combine(coordinatorDirectory, "coordinator.key"), "coordinator");
        File.WriteAllText(Path.Combine(coordinatorDirectory, "coordinator.pem"), authority.SignCoordinator(request, ["127.0.0.1"], CertificateValidity));
        File.WriteAllText(Path.Combine(coordinatorDirectory, "coordinator.json"), KitFiles.CoordinatorSettings($"127.0.0.1:{port}", "data"));

        var person = CreateMember(authority, work, "people", Scientist, MemberKind.Person, PersonRole.DataScientist);
        person.WriteProfile(address);
        // Trainers share the machine: more threads than cores would slow every one of them down.
        var threads = Math.Max(1, Environment.ProcessorCount / sites.Count);
        foreach (var (site, data) in sites)
        {
            CreateMember(authority, work, "sites", site, MemberKind.Site, PersonRole.None).WriteSiteSettings(address, data, labels, DemoPolicy, "auto", threads);
        }

        Directory.CreateDirectory(Path.Combine(work, "logs"));
        return new LocalFederation(work, port, CoordinatorConnection.Open(person.ProfilePath));
    }

    /// <summary>Changes a site's settings file before its agent starts.</summary>
    /// <param name="site">The site.</param>
    /// <param name="change">Gets the section <c>Agent</c>.</param>
    public void Configure(string site, Action<JsonNode> change)
    {
        var path = Path.Combine(SiteDirectory(site), "agent.json");
        var settings = JsonNode.Parse(File.ReadAllText(path))!;
        change(settings["Agent"]!);
        File.WriteAllText(path, settings.ToJsonString());
    }

    /// <summary>Starts the coordinator; returns when it answers.</summary>
    public async Task<LocalProcess> StartCoordinatorAsync(CancellationToken cancellationToken)
    {
        var process = LaunchCoordinator(NoVariables);
        await WaitForCoordinatorAsync(cancellationToken);
        return process;
    }

    /// <summary>Starts the coordinator; returns before it answers.</summary>
    public LocalProcess LaunchCoordinator(IReadOnlyDictionary<string, string> environment) =>
        StartProgram("coordinator", "FedSeg.Coordinator", Path.Combine(CoordinatorDirectory, "coordinator.json"), environment);

    /// <summary>Starts a site's agent; it finds the coordinator by itself, now or later.</summary>
    public LocalProcess StartAgent(string site) => StartAgent(site, NoVariables);

    /// <summary>The same with variables in its environment.</summary>
    public LocalProcess StartAgent(string site, IReadOnlyDictionary<string, string> environment) =>
        StartProgram("agent-" + site, "FedSeg.SiteAgent", Path.Combine(SiteDirectory(site), "agent.json"), environment);

    /// <summary>Submits a job and follows its run to the end.</summary>
    /// <exception cref="BadInputException">The coordinator refused the job.</exception>
    /// <exception cref="IOException">The run did not complete, or a process of the federation ended.</exception>
    public async Task<Run> RunAsync(string yaml, TimeProvider time, CancellationToken cancellationToken)
    {
        var verdict = await Connection.Runs.SubmitAsync(new JobFile { Yaml = yaml }, cancellationToken: cancellationToken);
        if (verdict.Problems.Count > 0) throw new BadInputException(string.Join("; ", verdict.Problems.Select(problem => problem.Message)));

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = RunWatcher.WatchAsync(Connection, verdict.RunId, time, stop.Token);
        while (await Task.WhenAny(watch, Task.Delay(TimeSpan.FromSeconds(1), time, cancellationToken)) != watch) CheckAlive();
        var run = await watch;
        CheckAlive();
        return run.Status == "completed" ? run : throw new IOException($"The run {run.Status}: {run.Reason} Logs: {LogDirectory}");
    }

    /// <summary>Ends a process as a power cut would; it may be started again.</summary>
    public async Task KillAsync(LocalProcess process)
    {
        _processes.Remove(process);
        await process.KillAsync();
    }

    /// <summary>Throws when a process of the federation has ended by itself: waiting for it would wait for ever.</summary>
    public void CheckAlive()
    {
        foreach (var process in _processes)
        {
            process.Measure();
            if (process.HasExited) throw new IOException($"{process.Name} ended by itself: {process.LastWords()} (log: {process.LogPath})");
        }
    }

    /// <summary>Asks every process to stop and waits for it.</summary>
    public async Task StopAsync()
    {
        // Agents first: they end their trainers, and see a coordinator to the last.
        foreach (var process in Enumerable.Reverse(_processes)) await process.DisposeAsync();
        _processes.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        Connection.Dispose();
        await StopAsync();
    }

    private LocalProcess StartProgram(string name, string program, string settingsPath, IReadOnlyDictionary<string, string> environment)
    {
        var started = LocalProcess.Start(name, ProgramFiles.Find(program), settingsPath, Path.Combine(LogDirectory, name + ".log"), environment);
        _processes.Add(started);
        return started;
    }

    private async Task WaitForCoordinatorAsync(CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await Connection.Runs.ListAsync(new ListRunsRequest(), deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(10), cancellationToken: cancellationToken);
                return;
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.DeadlineExceeded && TimeProvider.System.GetElapsedTime(started) < StartPatience)
            {
                CheckAlive();
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
            }
        }
    }

    private static KitFiles CreateMember(FederationAuthority authority, string work, string folder, string name, MemberKind kind, PersonRole role)
    {
        var directory = Directory.CreateDirectory(Path.Combine(work, folder, name)).FullName;
        var kit = new KitFiles(directory, name);
        kit.WriteRequest();
        File.WriteAllText(Path.Combine(directory, name + ".pem"), authority.SignMember(File.ReadAllText(kit.RequestPath), kind, name, role, CertificateValidity));
        File.Copy(authority.CertificatePath, Path.Combine(directory, FederationAuthority.CertificateFile));
        return kit;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
