using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// Keeps the largest connected piece of some labels taken together; voxels that touch by a face, edge or corner belong together.
/// </summary>
public static class LargestComponent
{
    /// <summary>
    /// A copy in which voxels of <paramref name="labels"/> outside their largest piece are background. The first one found wins a tie.
    /// </summary>
    public static LabelVolume Keep(LabelVolume volume, IReadOnlyCollection<byte> labels)
    {
        var wanted = new bool[256];
        foreach (var label in labels) wanted[label] = true;
        wanted[0] = false;

        var voxels = volume.Labels;
        var pieces = new int[voxels.Length];
        var (largest, largestSize, pieceCount) = (0, 0, 0);
        for (var i = 0; i < voxels.Length; i++)
        {
            if (!wanted[voxels[i]] || pieces[i] != 0) continue;
            var size = Fill(volume, wanted, pieces, i, ++pieceCount);
            if (size > largestSize) (largest, largestSize) = (pieceCount, size);
        }

        var kept = voxels.ToArray();
        for (var i = 0; i < kept.Length; i++)
        {
            if (wanted[kept[i]] && pieces[i] != largest) kept[i] = 0;
        }

        return new LabelVolume(volume.Grid, kept);
    }

    /// <summary>Marks the piece that a voxel belongs to and returns its size.</summary>
    private static int Fill(LabelVolume volume, bool[] wanted, int[] pieces, int seed, int piece)
    {
        var (size, voxels) = (volume.Grid.Size, volume.Labels);
        var open = new Stack<int>([seed]);
        pieces[seed] = piece;
        var count = 0;
        while (open.TryPop(out var at))
        {
            count++;
            int z = at / (size.Y * size.X), y = at / size.X % size.Y, x = at % size.X;
            for (var nz = Math.Max(0, z - 1); nz <= Math.Min(size.Z - 1, z + 1); nz++)
            for (var ny = Math.Max(0, y - 1); ny <= Math.Min(size.Y - 1, y + 1); ny++)
            for (var nx = Math.Max(0, x - 1); nx <= Math.Min(size.X - 1, x + 1); nx++)
            {
                var neighbour = (nz * size.Y + ny) * size.X + nx;
                if (!wanted[voxels[neighbour]] || pieces[neighbour] != 0) continue;
                pieces[neighbour] = piece;
                open.Push(neighbour);
            }
        }

        return count;
    }
}
