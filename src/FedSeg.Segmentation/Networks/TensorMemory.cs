using System.Runtime.InteropServices;
using System.Text;

namespace FedSeg.Segmentation.Networks;

/// <summary>
/// Keeps the memory of tensors in the process between training steps, in large pages where the system has them. As glibc comes, it gives every large tensor back to
/// the system when it is freed and takes fresh pages for the next one: a step of a small 3D U-Net spent more time on page faults than on convolutions (1148 ms of processor
/// time against 414). glibc reads these settings only when a program starts, and only the thread that runs <c>Main</c> could change them later, so the process starts itself once more.
/// </summary>
public static partial class TensorMemory
{
    private const string Variable = "GLIBC_TUNABLES";

    // From the system's heap only, never trimmed, one heap for all threads, large pages asked for.
    private const string Settings = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.arena_max=1:glibc.malloc.hugetlb=1";

    /// <summary>
    /// Starts this process's program again in its place, with the same arguments, identity, files and namespaces, unless that was done already. Call it first of all: nothing
    /// of the process survives. Where the system has no such settings, or refuses, the program goes on as it is, only slower.
    /// </summary>
    public static void Prepare()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal)) return;
        var given = Environment.GetEnvironmentVariable(Variable);
        if (given?.EndsWith(Settings, StringComparison.Ordinal) == true)
        {
            // Done; programs that this one starts have other needs.
            var rest = given[..^Settings.Length].TrimEnd(':');
            Environment.SetEnvironmentVariable(Variable, rest.Length == 0 ? null : rest);
            return;
        }

        var arguments = ReadArguments();
        if (NativeEnvironment.TrySet(Variable, given is null ? Settings : $"{given}:{Settings}")) _ = Execute("/proc/self/exe", arguments);
    }

    /// <summary>Null-terminated, as the kernel keeps them.</summary>
    private static string?[] ReadArguments() =>
        [.. Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/cmdline"))[..^1].Split('\0'), null];

    [LibraryImport("libc", EntryPoint = "execv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] arguments);
}
