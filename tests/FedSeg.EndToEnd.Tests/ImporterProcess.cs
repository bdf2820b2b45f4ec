using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using FedSeg.Hosting.Programs;

namespace FedSeg.EndToEnd.Tests;

/// <summary>A hospital's importer, run as a process: settings, password file, cohort and data folder below one folder.</summary>
internal sealed class ImporterProcess
{
    private readonly string _folder;

    public ImporterProcess(string folder)
    {
        _folder = folder;
        var password = Path.Combine(folder, "pacs.password");
        File.WriteAllText(password, OrthancServer.Password);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(password, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>The cohort as a site's folder of <c>fedseg train --data</c>.</summary>
    public string Cohort => Path.Combine(Data, "north");

    public string Data => Path.Combine(_folder, "data");

    /// <summary>Files that have passed their checks, in the cohort or on their way.</summary>
    public int FilesOnDisk => new[] { Cohort, Path.Combine(_folder, "importer", "staging") }
        .Where(Directory.Exists).Sum(folder => Directory.GetFiles(folder, "*.dcm", SearchOption.AllDirectories).Length);

    public JsonElement Report => JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "importer", "report.json"))).RootElement;

    public Process Start(int pacsPort, params string[] verb)
    {
        var settings = Path.Combine(_folder, "importer.json");
        File.WriteAllText(settings, new JsonObject
        {
            ["Importer"] = new JsonObject
            {
                ["Pacs"] = new JsonObject
                {
                    ["Address"] = $"http://127.0.0.1:{pacsPort}/dicom-web",
                    ["UserName"] = OrthancServer.User,
                    ["PasswordFile"] = "pacs.password",
                    // More than one page of everything.
                    ["PageSize"] = 3,
                },
                ["Select"] = new JsonObject { ["Modalities"] = new JsonArray("MR") },
                ["CohortDirectory"] = "data/north",
                ["DataDirectory"] = "importer",
            },
        }.ToJsonString());
        string[] arguments = [ProgramFiles.Find("FedSeg.Importer"), .. verb, "--settings", settings];
        return Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    /// <summary>Runs it to its end.</summary>
    public async Task<CommandResult> RunAsync(int pacsPort, CancellationToken cancellationToken, params string[] verb)
    {
        using var process = Start(pacsPort, verb);
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return new CommandResult(process.ExitCode, await output, await error);
    }
}
