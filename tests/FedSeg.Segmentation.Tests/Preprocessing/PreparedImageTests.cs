using FedSeg.Federation.Rounds;
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

    [Fact]
    public void From_Cropped_NormalisesTheBoxAndPutsLabelsBackWhereTheyBelong()
    {
        // Rows run to the front, so the canonical order is the other way round; voxels 2 to 5 of the seven are not 0.
        var grid = SyntheticCases.Grid(1, 7, 1) with { Directions = new(new(0, 0, 1), new(0, -1, 0), new(1, 0, 0)) };
        var image = PreparedImage.From(new Volume(grid, [0, 0, 10, 0, 10, 20, 0]), SyntheticCases.Preprocessing() with { Crop = CropRule.Nonzero });

        // Of 20, 10, 0, 10: mean 10, population deviation sqrt(50).
        var unit = (float)Math.Sqrt(2);
        Assert.Equal([unit, 0, -unit, 0], image.Input.Voxels, (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal(grid.PositionMm(0, 5, 0), image.Input.Grid.OriginMm);
        Assert.Equal([5, 4, 3, 2], image.Prepare(new LabelVolume(grid, [0, 1, 2, 3, 4, 5, 6])).Labels);

        var labelling = image.StartLabelling(classes: 2);
        labelling.Add([0, 0, 0, 0, 1, -1, -1, 1]);
        var labels = image.ToScannerGrid(labelling.Finish());
        Assert.Equal(grid, labels.Grid);
        Assert.Equal([0, 0, 1, 0, 0, 1, 0], labels.Labels);
    }

    [Fact]
    public void From_CroppedAndMasked_NormalisesWithinTheBodyAlone()
    {
        // A body of 10 and 30 in the corner of a box whose other corner is a lone 20; the rest of the box is air.
        var grid = SyntheticCases.Grid(1, 2, 4);
        var image = PreparedImage.From(
            new Volume(grid, [10, 30, 0, 0, 0, 0, 0, 20]), SyntheticCases.Preprocessing() with { Crop = CropRule.NonzeroMasked });

        var unit = (float)Math.Sqrt(1.5); // mean 20, population deviation sqrt(200 / 3)
        Assert.Equal([-unit, unit, 0, 0, 0, 0, 0, 0], image.Input.Voxels, (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void PrepareCase_Masked_TellsBackgroundOutsideTheBody()
    {
        // The middle voxel is a hole in the body, the last a label drawn outside it.
        var grid = SyntheticCases.Grid(1, 1, 7);
        var image = PreparedImage.From(
            new Volume(grid, [5, 10, 30, 20, 0, 0, 9]), SyntheticCases.Preprocessing() with { Crop = CropRule.NonzeroMasked });

        var prepared = image.PrepareCase("a", new LabelVolume(grid, [0, 1, 2, 0, 1, 0, 0]), []);

        Assert.True(prepared.IsMasked);
        Assert.Equal([0, 1, 2, 0, 1, PreparedCase.Outside, 0], prepared.Labels.Labels);
        Assert.Equal([0, 1, 2, 0, 1, 0, 0], prepared.Reference.Labels);
    }

    [Fact]
    public void From_CroppedCt_KeepsTheFixedNumbers()
    {
        var image = new Volume(SyntheticCases.Grid(1, 1, 5), [0, -1000, 50, 150, 0]);
        Assert.Equal([-2.5f, 0, 1], PreparedImage.From(image, SyntheticCases.Preprocessing() with { Modality = "CT", Crop = CropRule.Nonzero }).Input.Voxels);
    }
}
