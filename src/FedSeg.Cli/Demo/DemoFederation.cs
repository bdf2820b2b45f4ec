using System.Net;
using System.Net.Sockets;
using FedSeg.Cli.Jobs;
using FedSeg.Cli.Programs;
using FedSeg.Cli.Provisioning;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Programs;
using FedSeg.Protocol.V1;
using Grpc.Core;

namespace FedSeg.Cli.Demo;

/// <summary>
/// A whole federation on this machine, set up as three hospitals would: an authority, certificates by request, settings files, a coordinator process and one agent process
/// per site, all over mutual TLS on loopback.
/// </summary>
internal sealed class DemoFederation : IAsyncDisposable
{
    private const string Scientist = "demo-scientist";
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    /// <summary>Small sites take part in a demo: their cases are phantoms or public.</summary>
    private const string DemoPolicy = """
        # The demo's policy: lower case bounds than a hospital's, because its cases are phantoms or public.
        maximumUpdateBytes: 4294967296
        maximumNorm: 1000
        minimumTrainingCases: 3
        minimumHeldBackCases: 1

        """;

    private readonly string _work;
    private readonly List<DemoProcess> _processes = [];

    private DemoFederation(string work, CoordinatorConnection connection)
    {
        _work = work;
        Connection = connection;
    }

    public CoordinatorConnection Connection { get; }

    public IReadOnlyList<DemoProcess> Processes => _processes;

    public string LogDirectory => Path.Combine(_work, "logs");

    public string LedgerDirectory(string site) => Path.Combine(_work, "sites", site, "data", "ledger");

    /// <summary>Provisions and starts everything; returns when the coordinator answers.</summary>
    /// <param name="work">The demo's folder.</param>
    /// <param name="sites">Site name and data folder of each hospital.</param>
    /// <param name="labels">Labels every site declares.</param>
    /// <param name="cancellationToken">Stops the start.</param>
    public static async Task<DemoFederation> StartAsync(string work, IReadOnlyDictionary<string, string> sites, IReadOnlyList<string> labels, CancellationToken cancellationToken)
    {
        var port = FreePort();
        var address = $"https://127.0.0.1:{port}";
        var coordinatorDirectory = Path.Combine(work, "coordinator");
        var authority = FederationAuthority.Create(coordinatorDirectory, "demo", TimeProvider.System);
        var request = KeyFiles.CreateRequest(Path.Combine(coordinatorDirectory, "coordinator.key"), "coordinator");
        File.WriteAllText(Path.Combine(coordinatorDirectory, "coordinator.pem"), authority.SignCoordinator(request, ["127.0.0.1"], TimeSpan.FromDays(2)));
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
        var federation = new DemoFederation(work, CoordinatorConnection.Open(person.ProfilePath));
        try
        {
            federation.StartProgram("coordinator", "FedSeg.Coordinator", Path.Combine(coordinatorDirectory, "coordinator.json"));
            await federation.WaitForCoordinatorAsync(cancellationToken);
            foreach (var site in sites.Keys) federation.StartProgram("agent-" + site, "FedSeg.SiteAgent", Path.Combine(work, "sites", site, "agent.json"));
            return federation;
        }
        catch
        {
            await federation.DisposeAsync();
            throw;
        }
    }

    /// <summary>Throws when a process of the federation has ended by itself: waiting for it would wait for ever.</summary>
    public void CheckAlive()
    {
        foreach (var process in _processes)
        {
            process.MeasureMemory();
            if (process.HasExited) throw new IOException($"{process.Name} ended by itself: {process.LastWords()} (log: {process.LogPath})");
        }
    }

    public async ValueTask DisposeAsync()
    {
        Connection.Dispose();
        // Agents first: they end their trainers, and see a coordinator to the last.
        foreach (var process in Enumerable.Reverse(_processes)) await process.DisposeAsync();
    }

    private void StartProgram(string name, string program, string settingsPath) =>
        _processes.Add(DemoProcess.Start(name, ProgramFiles.Find(program), settingsPath, Path.Combine(LogDirectory, name + ".log")));

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
            catch (RpcException error) when (error.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded && TimeProvider.System.GetElapsedTime(started) < StartPatience)
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
        File.WriteAllText(Path.Combine(directory, name + ".pem"), authority.SignMember(File.ReadAllText(kit.RequestPath), kind, name, role, TimeSpan.FromDays(2)));
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
