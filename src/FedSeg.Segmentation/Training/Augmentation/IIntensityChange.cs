using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Training.Augmentation;

/// <summary>One random change of a patch's grey values, in place; what a label covers stays where it is.</summary>
internal interface IIntensityChange
{
    /// <param name="patch">Normalised values, x fastest.</param>
    /// <param name="size">Voxels along z, y and x.</param>
    /// <param name="random">The sample's own draws.</param>
    void Apply(Span<float> patch, Index3 size, Random random);
}
