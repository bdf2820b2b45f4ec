using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>A view of the voxels of one label within a box that holds all of them; outside the box is outside the mask.</summary>
internal sealed class LabelMask
{
    private readonly LabelVolume labels;
    private readonly byte label;
    private readonly Index3 start;
    private readonly byte[] beyond;

    /// <param name="labels">The map; nothing of it is copied.</param>
    /// <param name="label">Which of its labels.</param>
    /// <param name="overlap">The box.</param>
    public LabelMask(LabelVolume labels, byte label, LabelOverlap overlap)
    {
        this.labels = labels;
        this.label = label;
        start = overlap.BoxStart;
        Size = overlap.BoxSize;
        beyond = new byte[Size.X];
        Array.Fill(beyond, (byte)~label);
    }

    /// <summary>Voxels of the box along each axis.</summary>
    public Index3 Size { get; }

    /// <summary>Whether the whole image is a single slice, and the mask thus two-dimensional.</summary>
    public bool IsPlane => labels.Grid.Size.Z == 1;

    public bool IsIn(byte voxel) => voxel == label;

    public bool HasAny(ReadOnlySpan<byte> row) => row.Contains(label);

    /// <summary>The labels along a row of the box; of the row beyond it, none is the mask's.</summary>
    public ReadOnlySpan<byte> Row(int z, int y)
    {
        if ((uint)z >= (uint)Size.Z || (uint)y >= (uint)Size.Y) return beyond;
        var size = labels.Grid.Size;
        return labels.Labels.AsSpan(((start.Z + z) * size.Y + start.Y + y) * size.X + start.X, Size.X);
    }
}
