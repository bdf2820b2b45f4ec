using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Rounds;

/// <summary>
/// Everything besides weights that a site says about a round. It is written by the egress gate from checked numbers and the plan's own words: no field can carry text
/// from a file.
/// </summary>
public sealed record SiteReport
{
    /// <summary>Longest report that crosses the wire, bytes: a fingerprint of every bin of a CT, with room to spare.</summary>
    public const int LargestBytes = 768 * 1024;

    /// <summary>Reports have lengths that are multiples of this; one with some twenty labels still fits the first.</summary>
    public const int LengthStep = 2048;

    public required RunId Run { get; init; }

    public required int Round { get; init; }

    public required RoundTask Task { get; init; }

    public required SiteId Site { get; init; }

    /// <summary>SHA-256 of the plan's canonical bytes.</summary>
    public required Sha256Digest Plan { get; init; }

    /// <summary>The model the work started from.</summary>
    public required Sha256Digest BaseModel { get; init; }

    /// <summary>Cases trained on; the site's weight in federated averaging. 0 where nothing is trained.</summary>
    public required int TrainingCases { get; init; }

    /// <summary>Cases of held-back patients that the base model was scored on.</summary>
    public required int HeldBackCases { get; init; }

    /// <summary>How many of its studies the site uses; absent where the difference would tell on a few patients.</summary>
    public CohortUse? Cohort { get; init; }

    /// <summary>Training losses a report may have: from that of a perfect segmentation (Dice 1, cross-entropy 0) to one that no training reaches.</summary>
    public const double LeastLoss = -1, LargestLoss = 1e6;

    /// <summary>Optimiser steps made.</summary>
    public required int Steps { get; init; }

    /// <summary>Mean training loss over the round's steps; absent for an evaluation and where training is private.</summary>
    public required double? MeanLoss { get; init; }

    /// <summary>Scores of the base model on the held-back cases, in label order; empty where too few cases would tell on one patient.</summary>
    public required ImmutableArray<LabelScore> Scores { get; init; }

    /// <summary>What the site tells of its data; only in a fingerprint round.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SiteFingerprint? Fingerprint { get; init; }

    /// <summary>The report of a fingerprint round: the fingerprint and nothing else.</summary>
    public static SiteReport Of(RoundPlan plan, SiteId site, SiteFingerprint fingerprint) => new()
    {
        Run = plan.Run,
        Round = plan.Round,
        Task = plan.Task,
        Site = site,
        Plan = Sha256Digest.Of(plan.ToBytes()),
        BaseModel = plan.BaseModel,
        TrainingCases = 0,
        HeldBackCases = 0,
        Steps = 0,
        MeanLoss = null,
        Scores = [],
        Fingerprint = fingerprint,
    };

    /// <summary>
    /// The canonical bytes: UTF-8 JSON, properties in declaration order, then spaces up to the next multiple of <see cref="LengthStep"/>, so that
    /// the length of what is sent does not tell how many digits its numbers have, nor which were left out.
    /// </summary>
    public byte[] ToBytes()
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, FederationJson.Options);
        var padded = new byte[(json.Length + LengthStep - 1) / LengthStep * LengthStep];
        json.CopyTo(padded, 0);
        padded.AsSpan(json.Length).Fill((byte)' ');
        return padded;
    }

    /// <summary>Reads a report from the wire.</summary>
    /// <exception cref="JsonException">Not a report, or with unknown or missing properties.</exception>
    public static SiteReport FromBytes(ReadOnlySpan<byte> bytes) =>
        JsonSerializer.Deserialize<SiteReport>(bytes, FederationJson.Options) ?? throw new JsonException("The report is null.");
}

/// <summary>"Used N of M": what a site makes of the studies in its cohort folder.</summary>
/// <param name="Used">Studies trained on or held back.</param>
/// <param name="Found">Those and the ones it refused.</param>
public sealed record CohortUse(int Used, int Found);

/// <summary>How well one label was segmented.</summary>
/// <param name="Label">The plan's name of the label.</param>
/// <param name="MeanDice">Mean over cases of 2TP / (2TP + FP + FN); cases where label and prediction are both empty are left out. Absent when none is left.</param>
/// <param name="Cases">Cases that entered the mean.</param>
public sealed record LabelScore(string Label, double? MeanDice, int Cases);
