using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Segmentation.Tests.Preprocessing;

public sealed class PreparedImageTests
{
    [Fact]
    public void From_Ct_ClipsToTheWindowAndMapsByFixedNumbers()
    {
        var image = new Volume(SyntheticCases.Grid(1, 1, 4), [-1000, 50, 150, 3000]);
        Assert.Equal([-2.5f, 0, 1, 2.5f], PreparedImage.From(image, SyntheticCases.Preprocessing() with { Modality = "CT" }).Input.Voxels);
    }

    [Theory]
    [InlineData(1.0, 0.93)]
    [InlineData(2.0, 0.85)]
    public void StartLabelling_LogitsOfTheReference_GivesTheReferenceBackOnTheStudysGrid(double spacing, double smallestDice)
    {
        // A sagittal stack, flipped and anisotropic, with a ball of label 2.
        var study = new GridGeometry(
            new Index3(20, 24, 28),
            new Vector3D(0.8, 1, 1.5),
            new Vector3D(5, -7, 11),
            new AxisDirections(new Vector3D(-1, 0, 0), new Vector3D(0, 0, -1), new Vector3D(0, 1, 0)));
        var labels = new byte[study.VoxelCount];
        var centre = study.PositionMm(9, 11, 15);
        for (var i = 0; i < labels.Length; i++)
        {
            var distance = study.PositionMm(i / (24 * 28), i / 28 % 24, i % 28) - centre;
            labels[i] = (byte)(distance.Length < 7 ? 2 : 0);
        }

        var image = PreparedImage.From(
            new Volume(study, [.. labels.Select(label => (float)label)]),
            SyntheticCases.Preprocessing() with { SpacingMm = [spacing, spacing, spacing] });
        var prepared = image.Prepare(new LabelVolume(study, labels));
        var labelling = image.StartLabelling(classes: 3);
        foreach (var slice in prepared.Labels.Chunk(prepared.Grid.Size.Y * prepared.Grid.Size.X))
        {
            labelling.Add([.. Enumerable.Range(0, 3).SelectMany(label => slice.Select(drawn => drawn == label ? 1f : 0f))]);
        }

        var restored = image.ToScannerGrid(labelling.Finish());
        Assert.Equal(study, restored.Grid);
        var dice = FedSeg.Segmentation.Inference.Evaluation.DicePerLabel(restored, new LabelVolume(study, labels), 2);
        Assert.Null(dice[0]);
        Assert.InRange(dice[1]!.Value, smallestDice, 1);
    }
}
