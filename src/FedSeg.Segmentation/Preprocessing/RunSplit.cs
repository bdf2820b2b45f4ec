using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Federation;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>
/// Who is held back in a run, kept in the run's state at its site: patients stay on the side they were on at first, whoever comes or goes meanwhile. Were the share taken
/// anew of those present, one study more in the folder would make a held-back patient of somebody the model was trained on.
/// </summary>
/// <param name="path">Its file; the patients' keys are pseudonyms and stay at the site.</param>
public sealed class RunSplit(string path)
{
    /// <summary>The keys of the held-back patients among those of this and earlier times; who is new is held back by the same hash, on its own.</summary>
    /// <param name="patientKeys">Patients present, left out ones included.</param>
    /// <param name="fraction">Share of patients held back.</param>
    /// <param name="seed">Seeds the split.</param>
    /// <exception cref="IOException">The file can't be read or written.</exception>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public IReadOnlySet<string> HeldBack(IEnumerable<string> patientKeys, double fraction, ulong seed)
    {
        var patients = patientKeys.ToImmutableSortedSet(StringComparer.Ordinal);
        var earlier = File.Exists(path) ? Read() : null;
        var sides = earlier is null
            ? Sides.Of(patients, PatientSplit.HeldBack(patients, fraction, seed))
            : earlier.With(patients.Except(earlier.HeldBack).Except(earlier.Trained), key => PatientSplit.IsHeldBackAlone(key, fraction, seed));
        if (sides != earlier) FlushedFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(sides, FederationJson.Options));
        return sides.HeldBack;
    }

    /// <summary>The keys of the held-back patients as the run has them; nobody is added.</summary>
    /// <exception cref="IOException">There is no such file, or it can't be read.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or no run's split.</exception>
    public IReadOnlySet<string> Known() => Read().HeldBack;

    private Sides Read()
    {
        try
        {
            // Never none: a split made anew would hold back patients who were trained on.
            var sides = JsonSerializer.Deserialize<Sides>(File.ReadAllBytes(path), FederationJson.Options);
            if (sides is { HeldBack: not null, Trained: not null }) return sides;
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw new InvalidDataException($"{path}: who is held back in this run can't be read any more");
    }

    /// <summary>Patients by side.</summary>
    private sealed record Sides(ImmutableSortedSet<string> HeldBack, ImmutableSortedSet<string> Trained)
    {
        public static Sides Of(ImmutableSortedSet<string> patients, IReadOnlySet<string> heldBack) => new([.. patients.Where(heldBack.Contains)], [.. patients.Where(key => !heldBack.Contains(key))]);

        /// <summary>The same with more patients; itself where there is none.</summary>
        public Sides With(ImmutableSortedSet<string> patients, Func<string, bool> isHeldBack) => patients.IsEmpty
            ? this
            : new Sides(HeldBack.Union(patients.Where(isHeldBack)), Trained.Union(patients.Where(key => !isHeldBack(key))));
    }
}
