using Xunit;

namespace FedSeg.Testing;

/// <summary>A file of the repository that another project's tests keep.</summary>
public static class RepositoryFile
{
    public static string Find(params string[] path)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "FedSeg.sln"))) root = root.Parent;
        Assert.NotNull(root);
        return Path.Combine([root.FullName, .. path]);
    }
}
