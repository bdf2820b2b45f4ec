using System.Runtime.InteropServices;

namespace FedSeg.Segmentation.Networks;

/// <summary>The system's environment, which native libraries read. .NET keeps a copy of its own on Unix and never writes through it.</summary>
internal static partial class NativeEnvironment
{
    /// <summary>Sets a variable in both.</summary>
    /// <returns>Whether native libraries see it.</returns>
    public static bool TrySetBoth(string name, string value)
    {
        Environment.SetEnvironmentVariable(name, value);
        return OperatingSystem.IsWindows() || TrySet(name, value);
    }

    /// <summary>Sets a variable there; not on Windows, where both are one.</summary>
    /// <returns>Whether it is set.</returns>
    public static bool TrySet(string name, string value) => SetNative(name, value, overwrite: 1) == 0;

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetNative(string name, string value, int overwrite);
}
