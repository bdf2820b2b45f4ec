namespace FedSeg.Hosting.Storage;

/// <summary>What the system says of a disk.</summary>
public static class DiskFault
{
    /// <summary>EIO (errno(3)), and of Windows ERROR_CRC and ERROR_IO_DEVICE.</summary>
    private const int Eio = 5, ErrorCrc = unchecked((int)0x80070017), ErrorIoDevice = unchecked((int)0x8007045D);

    /// <summary>Whether the medium itself failed: room that somebody makes on it will not help.</summary>
    public static bool IsOfTheMedium(IOException error) => error.HResult is Eio or ErrorCrc or ErrorIoDevice;
}
