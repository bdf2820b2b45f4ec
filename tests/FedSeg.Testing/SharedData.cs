using Xunit;

namespace FedSeg.Testing;

/// <summary>Finds <c>../shared/data</c> beside the repository; a test that needs it is skipped loudly where it is absent.</summary>
public static class SharedData
{
    public static string Folder(string name)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "FedSeg.sln")))
        {
            root = root.Parent;
        }

        Assert.NotNull(root);
        var folder = Path.GetFullPath(Path.Combine(root.FullName, "..", "shared", "data", name));
        Assert.SkipUnless(Directory.Exists(folder), $"shared data not found at {folder}");
        return folder;
    }
}
