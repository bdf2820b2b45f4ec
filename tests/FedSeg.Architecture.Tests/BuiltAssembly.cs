using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace FedSeg.Architecture.Tests;

/// <summary>An assembly as the build left it, read without loading it.</summary>
internal sealed class BuiltAssembly : IDisposable
{
    private readonly PEReader _file;
    private readonly MetadataReader _metadata;

    /// <param name="project">The project whose output folder is looked at, such as <c>FedSeg.Coordinator</c>.</param>
    /// <param name="assembly">The assembly in it; the project's own when not given.</param>
    public BuiltAssembly(string project, string? assembly = null)
    {
        Directory = OutputOf(project);
        _file = new PEReader(File.OpenRead(Path.Combine(Directory, (assembly ?? project) + ".dll")));
        _metadata = _file.GetMetadataReader();
    }

    /// <summary>The output folder.</summary>
    public string Directory { get; }

    /// <summary>Names of the assemblies it refers to.</summary>
    public IReadOnlyList<string> References =>
        [.. _metadata.AssemblyReferences.Select(handle => _metadata.GetString(_metadata.GetAssemblyReference(handle).Name))];

    /// <summary>Full names of the types outside itself that its code names.</summary>
    public IReadOnlyList<string> NamedTypes =>
        [.. _metadata.TypeReferences.Select(handle => _metadata.GetTypeReference(handle)).Select(type => $"{_metadata.GetString(type.Namespace)}.{_metadata.GetString(type.Name)}")];

    /// <summary>Artifacts folder of a project: beside this test's own.</summary>
    public static string OutputOf(string project)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(here.Parent!.Parent!.FullName, project, here.Name);
    }

    public void Dispose() => _file.Dispose();
}
