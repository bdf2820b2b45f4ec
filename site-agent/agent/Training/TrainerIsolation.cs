using System.Diagnostics;

namespace FedSeg.SiteAgent.Training;

/// <summary>
/// How a child process is cut off from the network: in an empty network namespace of its own where Linux allows it (as root, or through an unprivileged user namespace).
/// Elsewhere it starts with the agent's network and the agent says so.
/// </summary>
internal sealed class TrainerIsolation
{
    private static readonly string[][] Ways = [["unshare", "--net", "--"], ["unshare", "--net", "--map-root-user", "--"]];

    /// <param name="prefix">Words in front of the trainer's command line.</param>
    internal TrainerIsolation(string[] prefix) => Prefix = prefix;

    /// <summary>With the agent's network.</summary>
    public static TrainerIsolation None { get; } = new([]);

    /// <summary>Words in front of the trainer's command line; none where the system allows no isolation.</summary>
    public string[] Prefix { get; }

    public bool IsIsolated => Prefix.Length > 0;

    /// <summary>Tries each way with a harmless command and keeps the first that works.</summary>
    public static async Task<TrainerIsolation> DetectAsync(CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsLinux())
        {
            foreach (var way in Ways)
            {
                if (await WorksAsync(way, cancellationToken)) return new TrainerIsolation(way);
            }
        }

        return None;
    }

    private static async Task<bool> WorksAsync(string[] way, CancellationToken cancellationToken)
    {
        try
        {
            using var probe = Process.Start(new ProcessStartInfo(way[0], [.. way[1..], "true"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            await probe.WaitForExitAsync(cancellationToken);
            return probe.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
