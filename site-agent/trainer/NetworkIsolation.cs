namespace FedSeg.Trainer;

/// <summary>Whether this process can reach a network at all, as the kernel tells it.</summary>
internal static class NetworkIsolation
{
    private const string Interfaces = "/proc/net/dev";
    private const int HeaderLines = 2;

    /// <summary>True when the process's network namespace has no interface but loopback; false on other systems than Linux, where this can't be told.</summary>
    public static bool IsIsolated() => File.Exists(Interfaces) && OnlyLoopback(File.ReadLines(Interfaces));

    /// <summary>Judges the lines of <c>/proc/net/dev</c>: two of header, then <c>name: counters</c> each. Source: proc_pid_net(5).</summary>
    internal static bool OnlyLoopback(IEnumerable<string> lines) =>
        lines.Skip(HeaderLines).Select(line => line.Split(':')[0].Trim()).All(name => name is "lo" or "");
}
