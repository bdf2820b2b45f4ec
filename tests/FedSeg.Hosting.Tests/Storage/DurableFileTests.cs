using FedSeg.Hosting.Storage;
using FedSeg.Testing;

namespace FedSeg.Hosting.Tests.Storage;

public sealed class DurableFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void CreateDirectory_SeveralLevels_MakesThemAllAndIsRepeatable()
    {
        var path = _folder["a", "b", "c"];

        Assert.Equal(path, DurableFile.CreateDirectory(path));
        Assert.Equal(path, DurableFile.CreateDirectory(path));
        Assert.True(Directory.Exists(path));
    }

    [Fact]
    public void Write_OverAnOldFile_LeavesTheNewBytesAndNoTemporaryFile()
    {
        DurableFile.Write(_folder["file"], "old"u8);
        DurableFile.Write(_folder["file"], "new"u8);

        Assert.Equal("new", File.ReadAllText(_folder["file"]));
        Assert.Equal([_folder["file"]], Directory.GetFiles(Path.GetDirectoryName(_folder["file"])!));
    }

    public void Dispose() => _folder.Dispose();
}
