using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Training;

namespace FedSeg.Federation.Tests.Charters;

public sealed class StudyCharterTests
{
    private static readonly JobSpec Job = Plans.Job() with { Study = StudyId.Parse("kidneys-2026") };

    [Fact]
    public void Problems_JobWithinTheCharter_HasNone()
    {
        Assert.Empty(CharterFileTests.Charter().Problems(Job));
        Assert.Empty(CharterFileTests.Charter(("maximumParameters: 100000", "maximumParameters: 100000, fingerprints: true")).Problems(Plans.ToBePlanned(Job)));
    }

    [Fact]
    public void Problems_JobThatLeavesItEverywhere_AreAllNamed()
    {
        var charter = CharterFileTests.Charter(
            ("south, north, east", "south, east"),
            ("maximumParameters: 100000", "maximumParameters: 10, labels: [tumour], networks: [unet]"),
            ("expires:", "privacy: { maximumEpsilon: 1, delta: 0.00001 }\nexpires:"));
        var privacy = new PatientPrivacy { ClippingNorm = 1, ExpectedBatch = 4, PatchesPerPatient = 1, Delta = 1e-4, Epsilon = 2 };
        var blind = new BlindOptions { Range = 0.5, MaximumCases = 100, StepMinutes = 5 };
        var job = Job with { Rounds = 6, Blind = blind, Recipe = Job.Recipe with { StepsPerRound = 21, Privacy = privacy } };

        Assert.Equal(
            [
                "6 rounds; 5 are approved",
                "21 steps in a round; 20 are approved",
                $"a network of {job.PlanRound(Plans.Run, 1, Plans.InitialModel.Sha256, 1).Manifest().ParameterCount} numbers; 10 are approved",
                "labels beyond the approved ones",
                "a network 'unet3d'; approved: unet",
                "a blind run; only inspectable ones are agreed on",
                "δ = 0.0001; at most 1E-05 is agreed on",
                "ε = 2 for the run; at most 1 is agreed on",
                "'north' is not one of the study's hospitals: east, south",
            ],
            charter.Problems(job));
    }

    [Fact]
    public void Problems_InspectableJobOfABlindStudy_IsNamed() =>
        Assert.Equal(["an inspectable run; only blind ones are approved"], CharterFileTests.Charter(("mode: inspectable", "mode: blind")).Problems(Job));

    [Fact]
    public void Problems_NetworkToBePlanned_IsAskedAboutFingerprintAndPrivacyBeforeAndItsSizeAfter()
    {
        var charter = CharterFileTests.Charter(("expires:", "privacy: { maximumEpsilon: 1, delta: 0.00001 }\nexpires:"));

        Assert.Equal(
            ["a fingerprint of the cohort; none is approved", "training without differential privacy; the charter asks for it"],
            charter.Problems(Plans.ToBePlanned(Job)));
        var planned = Plans.ToBePlanned(Job) with { Architecture = Job.Architecture with { BaseFeatures = 32 } };
        Assert.Contains(charter.Problems(planned), problem => problem.EndsWith("numbers; 100000 are approved", StringComparison.Ordinal));
    }
}
