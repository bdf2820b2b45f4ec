using FedSeg.Coordinator.Models;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;

namespace FedSeg.Coordinator.Tests.Models;

public sealed class GlobalModelTests
{
    private static readonly RunId Run = RunId.Parse("run-a");

    [Fact]
    public void CreateInitial_SameJobAtTwoCoordinators_GivesTheSameBytes()
    {
        using var one = new CoordinatorOnDisk();
        using var other = new CoordinatorOnDisk();

        var first = GlobalModel.CreateInitial(one.Blobs, Run, CoordinatorOnDisk.Job());
        var second = GlobalModel.CreateInitial(other.Blobs, Run, CoordinatorOnDisk.Job());

        Assert.Equal(first, second);
        Assert.Equal(first.Sha256, GlobalModel.Digest(other.Blobs.PathOf(second.Sha256)));
    }

    [Fact]
    public void CreateInitial_AnotherSeed_GivesOtherWeights()
    {
        using var coordinator = new CoordinatorOnDisk();

        var first = GlobalModel.CreateInitial(coordinator.Blobs, Run, CoordinatorOnDisk.Job());
        var second = GlobalModel.CreateInitial(coordinator.Blobs, Run, CoordinatorOnDisk.Job() with { Seed = 8 });

        Assert.NotEqual(first.Sha256, second.Sha256);
    }

    [Fact]
    public void CreateInitial_File_HasExactlyTheDeclaredTensorsAndSaysWhatItIs()
    {
        using var coordinator = new CoordinatorOnDisk();
        var job = CoordinatorOnDisk.Job();

        var model = GlobalModel.CreateInitial(coordinator.Blobs, Run, job);

        using var file = SafetensorsFile.Open(coordinator.Blobs.PathOf(model.Sha256));
        Assert.Null(job.PlanRound(Run, 1, model.Sha256, model.Bytes).Manifest().FirstDifference(file.Tensors));
        Assert.Equal(job.Labels, ModelMetadata.Parse(file.Metadata).Labels);
    }
}
