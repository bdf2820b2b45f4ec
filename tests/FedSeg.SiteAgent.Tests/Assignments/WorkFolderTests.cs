using FedSeg.SiteAgent.Assignments;

namespace FedSeg.SiteAgent.Tests.Assignments;

public sealed class WorkFolderTests
{
    [Fact]
    public void WorkFolder_LeftoversOfACrash_AreGoneAtTheStartAndEverythingAtTheEnd()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("fedseg-work-").FullName, "run-1");
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "leftover"), "x");

        using (var folder = new WorkFolder(path))
        {
            Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
            File.WriteAllText(Path.Combine(folder.Path, "update"), "x");
        }

        Assert.False(Directory.Exists(path));
        Directory.Delete(Path.GetDirectoryName(path)!);
    }
}
