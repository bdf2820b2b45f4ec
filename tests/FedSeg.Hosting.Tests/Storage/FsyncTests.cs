using System.Runtime.InteropServices;
using FedSeg.Hosting.Storage;
using FedSeg.Testing;
using Microsoft.Win32.SafeHandles;

namespace FedSeg.Hosting.Tests.Storage;

/// <summary>A disk that does not confirm: here a descriptor that was closed behind the stream's back, so that the real call really fails.</summary>
public sealed partial class FsyncTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _ends = [];

    public FsyncTests() => Fsync.End = (message, _) => _ends.Add(message);

    [Fact]
    public void Flush_DiskConfirms_GoesOn()
    {
        using (var stream = File.Create(_folder["file"]))
        {
            stream.WriteByte(1);

            DurableFile.Flush(stream);
        }

        Assert.Empty(_ends);
        Assert.Equal([1], File.ReadAllBytes(_folder["file"]));
    }

    [Fact]
    public void Flush_DiskDoesNotConfirm_EndsTheProcessAndLetsNobodyGoOn()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Descriptors are closed by Linux' calls.");
        using var stream = Unconfirmed();

        Assert.ThrowsAny<Exception>(() => DurableFile.Flush(stream));

        Assert.Contains(stream.Name, Assert.Single(_ends), StringComparison.Ordinal);
    }

    [Fact]
    public void Flush_DiskIsFullBefore_IsNoReasonToEnd()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "The device that is always full is Linux'.");
        var stream = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 4096);
        stream.WriteByte(1);

        Assert.Throws<IOException>(() => DurableFile.Flush(stream));

        Assert.Empty(_ends);
        // It tries once more.
        Assert.Throws<IOException>(stream.Dispose);
    }

    public void Dispose()
    {
        Fsync.End = Environment.FailFast;
        _folder.Dispose();
    }

    /// <summary>A stream whose descriptor is closed; its number is too high for anybody to get it meanwhile.</summary>
    private FileStream Unconfirmed()
    {
        using var file = File.OpenHandle(_folder["unconfirmed"], FileMode.Create, FileAccess.Write);
        const int duplicateFrom = 0, high = 900;
        var descriptor = Control((int)file.DangerousGetHandle(), duplicateFrom, high);
        var stream = new FileStream(new SafeFileHandle(descriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        _ = Close(descriptor);
        return stream;
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
