using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FedSeg.EndToEnd.Tests;

/// <summary>
/// A real archive, Debian's orthanc with orthanc-dicomweb, on loopback with ports and a folder of its own: a service that the package may
/// have started is not touched.
/// </summary>
internal sealed class OrthancServer : IAsyncDisposable
{
    public const string User = "fedseg", Password = "geheim";
    private const string Program = "/usr/sbin/Orthanc";
    private static readonly string[] PluginFolders = ["/usr/share/orthanc/plugins", "/usr/lib/orthanc"];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedseg-orthanc-");
    private readonly HttpClient _http = new();
    private Process? _process;
    private int _dicomPort;

    private OrthancServer() => _http.DefaultRequestHeaders.Authorization =
        new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}")));

    public int HttpPort { get; private set; }

    public static async Task<OrthancServer> StartAsync(CancellationToken cancellationToken)
    {
        var plugin = PluginFolders
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.GetFiles(folder, "libOrthancDicomWeb.so*"))
            .FirstOrDefault();
        Assert.SkipUnless(
            File.Exists(Program) && plugin is not null && File.Exists("/usr/bin/storescu"),
            "No PACS to test with: apt-get install orthanc orthanc-dicomweb dcmtk. The importer was not tested end to end.");
        var server = new OrthancServer();
        // Orthanc can't choose a free port itself, and somebody may take the one we found.
        for (var attempt = 1; !await server.TryStartAsync(plugin, cancellationToken); attempt++)
        {
            Assert.True(attempt < 3, "Orthanc did not start: " + server.Log);
        }

        return server;
    }

    /// <summary>Sends files by C-STORE, as a scanner does.</summary>
    public async Task StoreAsync(IEnumerable<string> paths, CancellationToken cancellationToken)
    {
        string[] arguments = ["-R", "+sd", "+r", "127.0.0.1", $"{_dicomPort}", .. paths];
        using var storescu = Start("storescu", arguments);
        var output = storescu.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = await storescu.StandardError.ReadToEndAsync(cancellationToken);
        await storescu.WaitForExitAsync(cancellationToken);
        Assert.True(storescu.ExitCode == 0, $"storescu: {await output}{error}");
    }

    /// <summary>What a query finds.</summary>
    public async Task<JsonElement> QueryAsync(string pathAndQuery, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{HttpPort}/dicom-web/{pathAndQuery}");
        request.Headers.Accept.ParseAdd("application/dicom+json");
        using var response = await _http.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken)).RootElement;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _http.Dispose();
        _folder.Delete(recursive: true);
    }

    private string LogPath => Path.Combine(_folder.FullName, "orthanc.log");

    private string Log => File.Exists(LogPath) ? File.ReadAllText(LogPath) : "";

    private async Task<bool> TryStartAsync(string plugin, CancellationToken cancellationToken)
    {
        (HttpPort, _dicomPort) = (FreePort(), FreePort());
        var settings = Path.Combine(_folder.FullName, "orthanc.json");
        await File.WriteAllTextAsync(settings, Settings(plugin).ToJsonString(), cancellationToken);
        _process = Start(Program, [$"--logfile={LogPath}", settings]);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        while (!_process.HasExited)
        {
            try
            {
                await QueryAsync("studies", cancellationToken);
                return true;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
            }
        }

        return false;
    }

    private JsonObject Settings(string plugin) => new()
    {
        ["Name"] = "FedSegTest",
        ["StorageDirectory"] = Path.Combine(_folder.FullName, "db"),
        ["IndexDirectory"] = Path.Combine(_folder.FullName, "db"),
        [nameof(HttpPort)] = HttpPort,
        ["DicomPort"] = _dicomPort,
        ["DicomAlwaysAllowStore"] = true,
        ["RemoteAccessAllowed"] = false,
        ["AuthenticationEnabled"] = true,
        ["RegisteredUsers"] = new JsonObject { [User] = Password },
        ["Plugins"] = new JsonArray(plugin),
        ["DicomWeb"] = new JsonObject { ["Enable"] = true, ["Root"] = "/dicom-web/" },
    };

    private async Task StopAsync()
    {
        if (_process is null) return;
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static Process Start(string program, string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
