using System.Runtime.InteropServices;

namespace FedSeg.Dicom.Codecs;

/// <summary>Finds a codec library that the operating system's packages bring.</summary>
internal static class NativeCodec
{
    /// <summary>The first of these files that loads, or 0.</summary>
    public static nint Load(string[] windows, string[] macOs, string[] linux)
    {
        foreach (var name in OperatingSystem.IsWindows() ? windows : OperatingSystem.IsMacOS() ? macOs : linux)
        {
            if (NativeLibrary.TryLoad(name, out var handle))
            {
                return handle;
            }
        }

        return 0;
    }
}
