using System.Collections.Immutable;
using FedSeg.Dicom;
using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Cases;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>A site's prepared cases, split by patient, in memory or in the run's folder while a run lasts.</summary>
public sealed class Cohort
{
    /// <summary>Most bytes of prepared images and labels a cohort may take in memory: 12 GiB, some 120 studies of 256³ voxels (6 bytes a voxel).</summary>
    public const long LargestBytes = 12L << 30;

    /// <summary>Most bytes that may lie in files instead: 1 TiB, some 2000 CTs of 512 × 512 × 300 voxels.</summary>
    public const long LargestCacheBytes = 1L << 40;

    private Cohort(ImmutableArray<PreparedCase> training, ImmutableArray<PreparedCase> heldBack, ImmutableSortedDictionary<string, int> quarantined)
    {
        Training = training;
        HeldBack = heldBack;
        Quarantined = quarantined;
    }

    /// <summary>Cases of the patients trained on, in ordinal order of their folders.</summary>
    public ImmutableArray<PreparedCase> Training { get; }

    /// <summary>Cases of patients no step ever sees.</summary>
    public ImmutableArray<PreparedCase> HeldBack { get; }

    /// <summary>Refused cases by reason code.</summary>
    public ImmutableSortedDictionary<string, int> Quarantined { get; }

    /// <summary>How many of the studies found are used.</summary>
    public CohortUse Use => new(Training.Length + HeldBack.Length, Training.Length + HeldBack.Length + Quarantined.Values.Sum());

    /// <summary>
    /// Reads every sub-folder of <paramref name="directory"/> as one case. A refused case is counted, not fatal.
    /// </summary>
    /// <param name="directory">One sub-folder per case.</param>
    /// <param name="vocabulary">The run's labels and how this site's files call them.</param>
    /// <param name="preprocessing">How images become input; cases of another modality are refused.</param>
    /// <param name="heldBackFraction">Share of patients held back.</param>
    /// <param name="seed">Seeds the split.</param>
    /// <param name="threads">Cases read at the same time.</param>
    /// <param name="reportPath">Where the operator's report goes, if anywhere.</param>
    /// <param name="cancellationToken">Looked at between cases and files.</param>
    /// <param name="limits">Bounds on what a file may ask for; the defaults when left out.</param>
    /// <param name="cacheDirectory">A folder for prepared cases, to be deleted with the run; <see langword="null"/> to prepare them every time.</param>
    /// <param name="isLeftOut">
    /// Patients whose images are not decoded and who count nowhere, by their key. They keep their place in the split, so that leaving one out moves nobody else from the
    /// held-back patients to those trained on.
    /// </param>
    /// <param name="split">What the run began with and keeps; <see langword="null"/> to split those present.</param>
    /// <param name="caseRead">Called after each case folder, refused ones included, from several threads.</param>
    /// <exception cref="CohortException">No usable case, a label in no case, or more than <see cref="LargestBytes"/> for which there is no room on disk.</exception>
    public static Cohort Read(
        string directory,
        LabelVocabulary vocabulary,
        PreprocessingSpec preprocessing,
        double heldBackFraction,
        ulong seed,
        int threads,
        string? reportPath,
        CancellationToken cancellationToken,
        DicomLimits? limits = null,
        string? cacheDirectory = null,
        Func<string, bool>? isLeftOut = null,
        RunSplit? split = null,
        Action? caseRead = null)
    {
        if (!Directory.Exists(directory)) throw new CohortException(CohortProblem.NoUsableCase, $"{directory}: no such folder; expected one sub-folder per case");
        var preparation = new CasePreparation(
            new CaseReader(limits, isLeftOut: isLeftOut),
            vocabulary,
            preprocessing,
            limits,
            cacheDirectory is null ? null : new CaseCache(cacheDirectory, LargestCacheBytes),
            isLeftOut);
        var read = ReadCases(preparation, directory, threads, caseRead, cancellationToken);
        var usable = read.Where(entry => entry.Case is not null).Select(entry => (entry.Folder, Case: entry.Case!)).ToArray();
        var patients = usable.Select(entry => entry.Case.PatientKey).Concat(read.Select(entry => entry.LeftOut).OfType<string>());
        var heldBack = split?.HeldBack(patients, heldBackFraction, seed) ?? PatientSplit.HeldBack(patients, heldBackFraction, seed);
        var refused = read.Select(entry => entry.Refused).OfType<QuarantinedCase>().ToImmutableArray();
        if (reportPath is not null)
        {
            new CohortReport(
                directory,
                [.. usable.Where(entry => !heldBack.Contains(entry.Case.PatientKey)).Select(entry => entry.Folder)],
                [.. usable.Where(entry => heldBack.Contains(entry.Case.PatientKey)).Select(entry => entry.Folder)],
                refused).Write(reportPath);
        }

        var counts = refused.GroupBy(entry => entry.Reason).ToImmutableSortedDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        RequireCases(directory, usable.Length, usable.Length + refused.Length, counts);
        RequireLabels(directory, usable.Select(entry => entry.Case), vocabulary);
        return Split([.. usable.Select(entry => entry.Case)], heldBack, counts);
    }

    /// <summary>Splits cases already prepared.</summary>
    public static Cohort Split(IEnumerable<PreparedCase> cases, double heldBackFraction, ulong seed, ImmutableSortedDictionary<string, int>? quarantined = null)
    {
        var all = cases.ToArray();
        return Split(all, PatientSplit.HeldBack(all.Select(entry => entry.PatientKey), heldBackFraction, seed), quarantined ?? ImmutableSortedDictionary<string, int>.Empty);
    }

    private static Cohort Split(IReadOnlyCollection<PreparedCase> cases, IReadOnlySet<string> heldBack, ImmutableSortedDictionary<string, int> quarantined) => new(
        [.. cases.Where(entry => !heldBack.Contains(entry.PatientKey))],
        [.. cases.Where(entry => heldBack.Contains(entry.PatientKey))],
        quarantined);

    /// <summary>The same training cases and nothing held back: for a training that is scored elsewhere.</summary>
    public Cohort WithoutHeldBack() => new(Training, [], Quarantined);

    /// <summary>Several sites' cohorts as one, each keeping its own split: what pooled training would have.</summary>
    public static Cohort Pool(params IReadOnlyCollection<Cohort> cohorts) => new(
        [.. cohorts.SelectMany(cohort => cohort.Training)],
        [.. cohorts.SelectMany(cohort => cohort.HeldBack)],
        cohorts.SelectMany(cohort => cohort.Quarantined).GroupBy(entry => entry.Key)
            .ToImmutableSortedDictionary(group => group.Key, group => group.Sum(entry => entry.Value), StringComparer.Ordinal));

    /// <summary>Cases in ordinal order of their folders, whichever thread was first.</summary>
    private static ReadCase[] ReadCases(
        CasePreparation preparation, string directory, int threads, Action? caseRead, CancellationToken cancellationToken)
    {
        var folders = Directory.GetDirectories(directory).Order(StringComparer.Ordinal).ToArray();
        var read = new ReadCase[folders.Length];
        var bytes = 0L;
        Parallel.For(
            0,
            folders.Length,
            new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken },
            (i, loop) =>
            {
                read[i] = preparation.Read(folders[i], cancellationToken);
                caseRead?.Invoke();
                if (Interlocked.Add(ref bytes, read[i].Case?.HeldBytes ?? 0) > LargestBytes) loop.Stop();
            });
        return bytes <= LargestBytes
            ? read
            : throw new CohortException(CohortProblem.TooLarge, $"{directory}: the prepared cases take more than {LargestBytes >> 30} GiB of memory; make room on the disk for them, or use a coarser spacing or fewer cases");
    }

    private static void RequireCases(string directory, int usable, int folders, ImmutableSortedDictionary<string, int> refused)
    {
        if (usable > 0) return;
        if (folders > 0 && refused.GetValueOrDefault(nameof(QuarantineReason.LabelMissing)) == folders)
        {
            throw new CohortException(
                CohortProblem.LabelNotFound,
                $"{directory}: no case has a segment of the run's labels; if this site's files call them otherwise, name that as aliases in the site's settings");
        }

        var why = folders == 0 ? "no case folders in it" : string.Join(", ", refused.Select(entry => $"{entry.Key} {entry.Value}"));
        throw new CohortException(CohortProblem.NoUsableCase, $"{directory}: no usable case ({why}); expected one sub-folder per case with an image series and its segmentation");
    }

    private static void RequireLabels(string directory, IEnumerable<PreparedCase> cases, LabelVocabulary vocabulary)
    {
        var present = new bool[256];
        foreach (var entry in cases)
        {
            foreach (var label in entry.ReferenceVoxels) present[label] = true;
        }

        var missing = vocabulary.Labels.Where((label, i) => label.Aliases.Count > 0 && !present[i + 1]).Select(label => label.Name).ToArray();
        if (missing.Length > 0)
        {
            throw new CohortException(
                CohortProblem.LabelNotFound,
                $"{directory}: no case has the label {string.Join(", ", missing)}; if this site's files call it otherwise, name that as an alias in the site's settings");
        }
    }
}

/// <summary>A cohort can't be trained on; the message is for the site's operator.</summary>
public sealed class CohortException(CohortProblem problem, string message) : Exception(message)
{
    public CohortProblem Problem { get; } = problem;
}

/// <summary>Why a cohort can't be trained on.</summary>
public enum CohortProblem
{
    NoUsableCase,
    LabelNotFound,
    TooLarge,
}
