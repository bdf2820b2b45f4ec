using System.Collections;

namespace FedSeg.Federation.Fingerprints;

/// <summary>Fills a sketch case by case; sums in double, in the order given.</summary>
public sealed class SketchBuilder(SketchBins bins)
{
    private readonly BitArray?[] _patients = new BitArray?[bins.Count];
    private readonly int[] _patientCounts = new int[bins.Count];
    private readonly double[] _weights = new double[bins.Count];
    private readonly double[] _sums = new double[bins.Count];

    /// <summary>Adds a case's only value, with weight 1.</summary>
    /// <param name="patient">Number of the patient, from 0 on without gaps.</param>
    /// <param name="value">The value.</param>
    public void AddCase(int patient, double value) => AddCase(patient, [value], caseWeight: 1);

    /// <summary>Adds a case's values, which share its weight equally.</summary>
    /// <param name="patient">Number of the patient, from 0 on without gaps.</param>
    /// <param name="values">The values.</param>
    /// <param name="caseWeight">Their weight together.</param>
    /// <exception cref="ArgumentException">A value is NaN or infinite.</exception>
    public void AddCase(int patient, ReadOnlySpan<double> values, double caseWeight)
    {
        var weight = caseWeight / values.Length;
        foreach (var value in values)
        {
            if (!double.IsFinite(value)) throw new ArgumentException($"{value} can't be counted.", nameof(values));
            var index = bins.IndexOf(value);
            CountPatient(index, patient);
            _weights[index] += weight;
            _sums[index] += weight * value;
        }
    }

    /// <summary>The sketch of all cases so far, nothing suppressed.</summary>
    public Sketch Build() => new()
    {
        Bins = bins,
        Filled =
        [
            .. Enumerable.Range(0, bins.Count)
                .Where(i => _patientCounts[i] > 0)
                .Select(i => new SketchBin(i, _patientCounts[i], _weights[i], _sums[i])),
        ],
        SuppressedWeight = 0,
    };

    private void CountPatient(int index, int patient)
    {
        var seen = _patients[index] ??= new BitArray(patient + 1);
        if (seen.Length <= patient) seen.Length = Math.Max(patient + 1, 2 * seen.Length);
        if (seen[patient]) return;
        seen[patient] = true;
        _patientCounts[index]++;
    }
}
