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

    [Fact]
    public void PublishDirectory_FreeName_MovesTheWholeFolder()
    {
        Directory.CreateDirectory(_folder["a", "case"]);
        Directory.CreateDirectory(_folder["b"]);
        File.WriteAllText(_folder["a", "case", "file"], "bytes");

        DurableFile.PublishDirectory(_folder["a", "case"], _folder["b", "case"]);

        Assert.Equal("bytes", File.ReadAllText(_folder["b", "case", "file"]));
        Assert.Empty(Directory.GetDirectories(_folder["a"]));
    }

    [Fact]
    public void PublishDirectory_NameThatIsTaken_IsRefusedAndNothingMoves()
    {
        Directory.CreateDirectory(_folder["a"]);
        Directory.CreateDirectory(_folder["b"]);

        Assert.Throws<IOException>(() => DurableFile.PublishDirectory(_folder["a"], _folder["b"]));
        Assert.True(Directory.Exists(_folder["a"]));
    }

    public void Dispose() => _folder.Dispose();
}
