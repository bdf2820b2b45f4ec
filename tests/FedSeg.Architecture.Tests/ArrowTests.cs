namespace FedSeg.Architecture.Tests;

/// <summary>The arrows of docs/architecture.md: who may refer to whom, and which doors stay shut.</summary>
public sealed class ArrowTests
{
    /// <summary>Every project's whole list of allowed FedSeg references; an arrow also allows what lies behind its head.</summary>
    public static TheoryData<string, string[]> Arrows { get; } = new()
    {
        { "FedSeg.Federation", [] },
        { "FedSeg.Dicom", [] },
        { "FedSeg.Ledger", ["FedSeg.Hosting"] },
        { "FedSeg.Ledger.Verifier", [] },
        { "FedSeg.Hosting", [] },
        { "FedSeg.Imaging", ["FedSeg.Dicom"] },
        { "FedSeg.Protocol", ["FedSeg.Federation"] },
        { "FedSeg.Privacy", ["FedSeg.Federation"] },
        { "FedSeg.SecureAggregation", ["FedSeg.Federation"] },
        { "FedSeg.Segmentation", ["FedSeg.Imaging", "FedSeg.Federation", "FedSeg.Privacy", "FedSeg.Dicom"] },
        { "FedSeg.Egress", ["FedSeg.Federation", "FedSeg.Privacy", "FedSeg.SecureAggregation", "FedSeg.Ledger", "FedSeg.Hosting"] },
        { "FedSeg.Trainer", ["FedSeg.Segmentation", "FedSeg.Imaging", "FedSeg.Federation", "FedSeg.Privacy", "FedSeg.Dicom"] },
        { "FedSeg.Importer", ["FedSeg.Dicom", "FedSeg.Hosting"] },
        { "FedSeg.SiteAgent", ["FedSeg.Egress", "FedSeg.SecureAggregation", "FedSeg.Ledger", "FedSeg.Protocol", "FedSeg.Hosting", "FedSeg.Federation"] },
        { "FedSeg.Desk", ["FedSeg.Egress", "FedSeg.Ledger", "FedSeg.Hosting", "FedSeg.Federation"] },
        { "FedSeg.Coordinator", ["FedSeg.Federation", "FedSeg.SecureAggregation", "FedSeg.Ledger", "FedSeg.Protocol", "FedSeg.Hosting"] },
    };

    [Theory]
    [MemberData(nameof(Arrows))]
    public void Project_RefersOnlyWhereTheArrowsPoint(string project, string[] allowed)
    {
        using var assembly = new BuiltAssembly(project);

        Assert.Subset(allowed.ToHashSet(), assembly.References.Where(name => name.StartsWith("FedSeg.", StringComparison.Ordinal)).ToHashSet());
    }

    [Theory]
    [InlineData("FedSeg.Coordinator")]
    [InlineData("FedSeg.SiteAgent")]
    [InlineData("FedSeg.Desk")]
    public void NetworkedProgram_CanNeitherLoadTorchNorNameADicomType(string project)
    {
        var files = Directory.EnumerateFiles(BuiltAssembly.OutputOf(project), "*", SearchOption.AllDirectories).Select(path => Path.GetFileName(path)!).ToList();

        Assert.NotEmpty(files);
        Assert.DoesNotContain(files, file => file.Contains("torch", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(files, file => file is "FedSeg.Dicom.dll" or "FedSeg.Imaging.dll" or "FedSeg.Segmentation.dll" or "FedSeg.Trainer.dll" or "FedSeg.Importer.dll");
    }

    /// <summary>It sees patients and has a network, so nothing that could speak to the federation or train is even beside it.</summary>
    [Fact]
    public void Importer_HasNothingToTalkToTheFederationWith()
    {
        var files = Directory.EnumerateFiles(BuiltAssembly.OutputOf("FedSeg.Importer"), "*.dll", SearchOption.AllDirectories).Select(path => Path.GetFileName(path)!).ToList();

        Assert.Contains("FedSeg.Importer.dll", files);
        Assert.DoesNotContain(files, file => file.Contains("torch", StringComparison.OrdinalIgnoreCase) || file.StartsWith("Grpc.", StringComparison.Ordinal));
        Assert.DoesNotContain(files, file => file is "FedSeg.Protocol.dll" or "FedSeg.Egress.dll" or "FedSeg.Federation.dll" or "FedSeg.Imaging.dll" or "FedSeg.SiteAgent.dll");
    }

    /// <summary>Whoever breaks into the page finds nothing in it to reach the federation with, and no key of the ledger's writer.</summary>
    [Fact]
    public void Desk_HasNothingToTalkToTheFederationWith()
    {
        using var assembly = new BuiltAssembly("FedSeg.Desk");
        var files = Directory.EnumerateFiles(BuiltAssembly.OutputOf("FedSeg.Desk"), "*.dll", SearchOption.AllDirectories).Select(path => Path.GetFileName(path)!).ToList();

        Assert.DoesNotContain(files, file => file.StartsWith("Grpc.", StringComparison.Ordinal) || file is "FedSeg.Protocol.dll" or "FedSeg.SiteAgent.dll");
        // How the sign-in's library reaches the hospital's provider: it may be set up, and nothing can be sent with it.
        string[] setUp = ["System.Net.Http.SocketsHttpHandler", "System.Net.Http.HttpMessageHandler"];
        Assert.DoesNotContain(assembly.NamedTypes.Except(setUp), type => type.StartsWith("System.Net.Http.", StringComparison.Ordinal) || type.StartsWith("System.Net.Sockets.", StringComparison.Ordinal));
        Assert.DoesNotContain("FedSeg.Ledger.Storage.LedgerWriter", assembly.NamedTypes);
    }

    /// <summary>One type makes the importer's connections, and it knows one address.</summary>
    [Fact]
    public void Importer_NamesNoSocketOfItsOwn()
    {
        using var assembly = new BuiltAssembly("FedSeg.Importer");

        Assert.DoesNotContain(assembly.NamedTypes, type => type.StartsWith("System.Net.Sockets.", StringComparison.Ordinal) || type.StartsWith("System.IO.Pipes.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("FedSeg.Trainer")]
    [InlineData("FedSeg.Segmentation")]
    [InlineData("FedSeg.Imaging")]
    [InlineData("FedSeg.Dicom")]
    [InlineData("FedSeg.Federation")]
    public void TrainersHouse_CanNotNameASocket(string assemblyName)
    {
        using var assembly = new BuiltAssembly("FedSeg.Trainer", assemblyName);

        Assert.DoesNotContain(assembly.NamedTypes, type => type.StartsWith("System.Net.", StringComparison.Ordinal) || type.StartsWith("System.IO.Pipes.", StringComparison.Ordinal));
        Assert.DoesNotContain(assembly.References, name => name.StartsWith("Grpc.", StringComparison.Ordinal));
    }

    [Fact]
    public void Torch_IsNamedByTheSegmentationProjectAndItsPrograms()
    {
        string[] everywhere = ["FedSeg.Federation", "FedSeg.Dicom", "FedSeg.Ledger", "FedSeg.Hosting", "FedSeg.Imaging", "FedSeg.Protocol", "FedSeg.Egress", "FedSeg.SiteAgent", "FedSeg.Importer", "FedSeg.Coordinator"];

        Assert.All(everywhere, project =>
        {
            using var assembly = new BuiltAssembly(project);
            Assert.DoesNotContain("TorchSharp", assembly.References);
        });
    }
}
