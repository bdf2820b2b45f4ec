using System.Collections.Immutable;

namespace FedSeg.Federation.Fingerprints;

/// <summary>What fell into one bin.</summary>
/// <param name="Index">The bin.</param>
/// <param name="Patients">Patients with a value in it.</param>
/// <param name="Weight">Weight of the values in it.</param>
/// <param name="Sum">Weighted sum of the values in it.</param>
public readonly record struct SketchBin(int Index, int Patients, double Weight, double Sum)
{
    /// <summary>Mean of the values in it.</summary>
    public double Mean => Sum / Weight;
}

/// <summary>
/// A distribution in fixed bins that says little about any one patient and adds up across sites. A bin keeps its values' sum beside their
/// weight, so that values which agree, as the spacings of one protocol do, are known exactly. Error of <see cref="Quantile"/> against the
/// pooled values: less than the width of a bin while nothing is suppressed; suppressed weight moves a quantile's rank by at most its share
/// (<see cref="SuppressedShare"/>).
/// </summary>
public sealed record Sketch
{
    public required SketchBins Bins { get; init; }

    /// <summary>Bins that are not empty, ascending.</summary>
    public required ImmutableArray<SketchBin> Filled { get; init; }

    /// <summary>Weight in bins that were left out because too few patients fed them.</summary>
    public required double SuppressedWeight { get; init; }

    /// <summary>Weight in the bins that are told.</summary>
    public double Weight() => Filled.Sum(bin => bin.Weight);

    /// <summary>Suppressed weight as a share of all, 0 to 1.</summary>
    public double SuppressedShare() => SuppressedWeight == 0 ? 0 : SuppressedWeight / (SuppressedWeight + Weight());

    /// <summary>
    /// The value at position (weight − 1) · share among the values in order, each of weight 1, linear between neighbours.
    /// </summary>
    /// <exception cref="InvalidOperationException">No bin is filled.</exception>
    public double Quantile(double share)
    {
        var position = Math.Max(0, (Weight() - 1) * share);
        var below = Math.Floor(position);
        var (first, second) = (ValueAt(below), ValueAt(below + 1));
        return first + (second - first) * (position - below);
    }

    /// <summary>Leaves out every bin that fewer than <paramref name="leastPatients"/> patients fed.</summary>
    public Sketch Suppress(int leastPatients) => this with
    {
        Filled = [.. Filled.Where(bin => bin.Patients >= leastPatients)],
        SuppressedWeight = SuppressedWeight + Filled.Where(bin => bin.Patients < leastPatients).Sum(bin => bin.Weight),
    };

    /// <summary>
    /// The same for a sketch with one value a case. What is left out is a count there too, and anybody who knows the number of cases could
    /// subtract: where it is of fewer than <paramref name="leastPatients"/>, it counts in the nearest bin that is told, at that bin's mean.
    /// </summary>
    public Sketch SuppressCounts(int leastPatients)
    {
        var suppressed = Suppress(leastPatients);
        var few = Filled.Where(bin => bin.Patients < leastPatients).ToList();
        if (suppressed.Filled.IsEmpty || few.Sum(bin => bin.Patients) >= leastPatients) return suppressed;
        var told = suppressed.Filled.ToArray();
        foreach (var bin in few)
        {
            var nearest = Enumerable.Range(0, told.Length).MinBy(i => Math.Abs(told[i].Index - bin.Index));
            var (index, patients, weight, _) = told[nearest];
            told[nearest] = new SketchBin(index, patients + bin.Patients, weight + bin.Weight, (weight + bin.Weight) * told[nearest].Mean);
        }

        return this with { Filled = [.. told] };
    }

    /// <summary>Adds sketches of the same bins, in the order given.</summary>
    /// <exception cref="ArgumentException">None, or of different bins.</exception>
    public static Sketch Merge(IEnumerable<Sketch> sketches)
    {
        var merged = new SortedDictionary<int, SketchBin>();
        SketchBins? bins = null;
        var suppressed = 0.0;
        foreach (var sketch in sketches)
        {
            bins ??= sketch.Bins;
            if (sketch.Bins != bins) throw new ArgumentException("Sketches of different bins can't be added.", nameof(sketches));
            suppressed += sketch.SuppressedWeight;
            foreach (var bin in sketch.Filled)
            {
                merged[bin.Index] = merged.TryGetValue(bin.Index, out var sum)
                    ? new SketchBin(bin.Index, checked(sum.Patients + bin.Patients), sum.Weight + bin.Weight, sum.Sum + bin.Sum)
                    : bin;
            }
        }

        return bins is null
            ? throw new ArgumentException("There is no sketch to merge.", nameof(sketches))
            : new Sketch { Bins = bins, Filled = [.. merged.Values], SuppressedWeight = suppressed };
    }

    /// <summary>What is wrong with a sketch that came from elsewhere, or <see langword="null"/>.</summary>
    /// <param name="expected">The bins it has to have.</param>
    /// <param name="leastPatients">The fewest patients a bin may have.</param>
    public string? Problem(SketchBins expected, int leastPatients)
    {
        if (Bins != expected) return "its bins are not the agreed ones";
        if (!(SuppressedWeight >= 0) || !double.IsFinite(SuppressedWeight)) return $"its suppressed weight is {SuppressedWeight}";
        var last = -1;
        foreach (var bin in Filled)
        {
            if (bin.Index <= last || bin.Index >= Bins.Count) return $"bin {bin.Index} is out of order or range";
            if (bin.Patients < leastPatients) return $"bin {bin.Index} tells of {bin.Patients} patients, fewer than {leastPatients}";
            if (!(bin.Weight > 0) || !double.IsFinite(bin.Weight) || !double.IsFinite(bin.Sum))
            {
                return $"bin {bin.Index} has an impossible weight or sum";
            }

            if (!Bins.MayHold(bin.Index, bin.Mean)) return $"the values of bin {bin.Index} lie outside of it";

            last = bin.Index;
        }

        return null;
    }

    private double ValueAt(double rank)
    {
        if (Filled.IsEmpty) throw new InvalidOperationException("A sketch without a filled bin has no quantiles.");
        var reached = 0.0;
        foreach (var bin in Filled)
        {
            reached += bin.Weight;
            if (reached > rank) return bin.Mean;
        }

        return Filled[^1].Mean;
    }
}
