using System.Collections.Immutable;
using FedSeg.Dicom;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Uncertainty;

namespace FedSeg.Segmentation.Inference;

/// <summary>A scored case.</summary>
/// <param name="PatientKey">Pseudonym of the patient, stays at the site.</param>
/// <param name="Labels">The metrics of each of the model's labels, in class order.</param>
/// <param name="Trial">What cutting labels down to their largest piece would have done.</param>
/// <param name="Agreement">How well the members agreed, where that was asked for and there are several.</param>
public sealed record EvaluatedCase(
    string Site, string Case, string PatientKey, ImmutableArray<LabelMetrics> Labels, PostProcessingTrial Trial, MemberAgreement? Agreement)
{
    /// <summary>Scores a prediction against its reference, both on one grid, by every label of the model.</summary>
    internal static EvaluatedCase Of(
        string site, string name, string patientKey, int labels, LabelVolume prediction, LabelVolume reference, MemberAgreement? agreement)
    {
        var classes = Enumerable.Range(1, labels).Select(label => (byte)label);
        var metrics = SegmentationMetrics.Compute(reference, prediction, classes, new MetricsOptions());
        return new EvaluatedCase(site, name, patientKey, [.. metrics], PostProcessingTrial.Of(prediction, reference, labels), agreement);
    }

    /// <summary>Over the labels that reference or prediction has; NaN where there is none.</summary>
    public double MeanDice => Labels.Select(metrics => metrics.Dice).Where(dice => !double.IsNaN(dice)).DefaultIfEmpty(double.NaN).Average();
}

/// <summary>A case that could not be scored.</summary>
public sealed record RefusedCase(string Site, string Case, string Reason);

/// <summary>A model's score of one label over all cases.</summary>
/// <param name="MeanDice">Over the cases that have the label in reference or prediction; NaN when none has.</param>
/// <param name="Interval">95 % interval of the mean over patients.</param>
/// <param name="MeanHd95">mm, over the cases that have it in both; NaN when none has.</param>
/// <param name="Cases">Cases behind <paramref name="MeanDice"/>.</param>
public sealed record LabelSummary(string Label, double MeanDice, BootstrapInterval Interval, double MeanHd95, int Cases);

/// <summary>A model scored on every labelled case below <c>DIR/&lt;site&gt;/&lt;case&gt;/…</c>, one in memory at a time.</summary>
public sealed record CohortEvaluation(IReadOnlyList<EvaluatedCase> Cases, IReadOnlyList<RefusedCase> Refused)
{
    /// <summary>Cases of patients who were left out; their pixels were not looked at.</summary>
    public int LeftOut { get; init; }

    /// <param name="predictor">The model.</param>
    /// <param name="directory">The data folder; sites and cases are taken in ordinal order.</param>
    /// <param name="withAgreement">Whether each member segments every case once more, to see how well they agree.</param>
    /// <param name="limits">Bounds on what a file may ask for; the defaults when there are none.</param>
    /// <param name="scored">Called after each case.</param>
    /// <param name="cancellationToken">Looked at before each window.</param>
    /// <param name="isLeftOut">Patients who are not scored, by their key; <see langword="null"/> for nobody.</param>
    /// <exception cref="IOException">The folder is not there or can't be listed.</exception>
    public static CohortEvaluation Run(
        Predictor predictor,
        string directory,
        bool withAgreement,
        DicomLimits? limits,
        Action<EvaluatedCase>? scored,
        CancellationToken cancellationToken,
        Func<string, bool>? isLeftOut = null)
    {
        var (cases, refused, leftOut) = (new List<EvaluatedCase>(), new List<RefusedCase>(), 0);
        var (reader, vocabulary) = (new CaseReader(limits, isLeftOut: isLeftOut), LabelVocabulary.Of(predictor.Model.Labels));
        foreach (var folder in Subfolders(directory).SelectMany(Subfolders))
        {
            var (site, name) = (Path.GetFileName(Path.GetDirectoryName(folder)!), Path.GetFileName(folder));
            switch (reader.Read(folder, vocabulary, cancellationToken))
            {
                case CaseOutcome.Quarantined quarantined:
                    refused.Add(new RefusedCase(site, name, quarantined.Reason.ToString()));
                    break;
                case CaseOutcome.LeftOut:
                    leftOut++;
                    break;
                case CaseOutcome.Usable { Case: var usable } when usable.Modality != predictor.Model.Preprocessing.Modality:
                    refused.Add(new RefusedCase(site, name, nameof(QuarantineReason.UnsupportedImage)));
                    break;
                case CaseOutcome.Usable { Case: var usable } when PreparedImage.Problem(usable.Image.Grid, predictor.Model.Preprocessing) is not null:
                    refused.Add(new RefusedCase(site, name, nameof(QuarantineReason.LimitExceeded)));
                    break;
                case CaseOutcome.Usable { Case: var usable }:
                    var prediction = predictor.Segment(usable.Image, progress: null, cancellationToken);
                    var agreement = withAgreement ? predictor.Agreement(usable.Image, progress: null, cancellationToken) : null;
                    cases.Add(EvaluatedCase.Of(site, name, usable.PatientKey, predictor.Model.Labels.Length, prediction, usable.Labels, agreement));
                    scored?.Invoke(cases[^1]);
                    break;
            }
        }

        return new CohortEvaluation(cases, refused) { LeftOut = leftOut };
    }

    /// <summary>
    /// Whether the members' agreement finds the bad segmentations; <see langword="null"/> with fewer than two cases that have both a Dice and
    /// an agreement.
    /// </summary>
    public RiskCoverage? RiskCoverage()
    {
        var known = Cases.Where(entry => entry.Agreement is not null && !double.IsNaN(entry.MeanDice)).ToList();
        return known.Count < 2
            ? null
            : Uncertainty.RiskCoverage.Of([.. known.Select(entry => entry.Agreement!.Score)], [.. known.Select(entry => 1 - entry.MeanDice)]);
    }

    /// <summary>Means and intervals of each label.</summary>
    /// <param name="labels">The model's labels in class order.</param>
    /// <param name="seed">Seeds the bootstrap.</param>
    public IReadOnlyList<LabelSummary> Summarise(IReadOnlyList<string> labels, int seed)
    {
        return [.. labels.Select((label, i) =>
        {
            var dice = Known(Cases, metrics => metrics.Dice).ToList();
            // A patient's key is unique at its site only.
            var byPatient = Cases.GroupBy(entry => (entry.Site, entry.PatientKey))
                .Select(patient => (IReadOnlyList<double>)[.. Known(patient, metrics => metrics.Dice)])
                .ToList();
            var interval = BootstrapInterval.OfMean(byPatient, seed);
            return new LabelSummary(label, Mean(dice), interval, Mean([.. Known(Cases, metrics => metrics.Hd95)]), dice.Count);

            IEnumerable<double> Known(IEnumerable<EvaluatedCase> cases, Func<LabelMetrics, double> value) =>
                cases.Select(entry => value(entry.Labels[i])).Where(known => !double.IsNaN(known));
        })];

        static double Mean(List<double> values) => values.Count == 0 ? double.NaN : values.Average();
    }

    private static IEnumerable<string> Subfolders(string directory) => Directory.GetDirectories(directory).Order(StringComparer.Ordinal);
}
