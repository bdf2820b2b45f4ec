using System.Text.Json;
using FedSeg.Federation;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Testing;

namespace FedSeg.Trainer.Tests;

public sealed class TrainerSessionTests(TrainerFixture fixture) : IClassFixture<TrainerFixture>
{
    /// <summary>Sends the commands to a fresh session and returns its answers and optimiser steps.</summary>
    private static List<TrainerEvent> Send(params TrainerCommand[] commands) => [.. SendAndHearAll(commands).Where(said => said != Alive)];

    /// <summary>The same with the signs of life between them.</summary>
    private static List<TrainerEvent> SendAndHearAll(params TrainerCommand[] commands)
    {
        var events = new List<TrainerEvent>();
        var session = new TrainerSession(events.Add, TimeProvider.System);
        foreach (var command in commands) session.Handle(JsonSerializer.Serialize(command, FederationJson.Options));
        return events;
    }

    private static TrainerEvent Alive => TrainerEvent.Stepped.Alive;

    private static TrainerFailure FailureOf(TrainerEvent answer) => Assert.IsType<TrainerEvent.Failed>(answer).Code;

    [Fact]
    public void Open_PhantomHospital_IsReadyWithASplitByPatientAndAReport()
    {
        var ready = Assert.IsType<TrainerEvent.Ready>(Assert.Single(Send(fixture.Open())));
        Assert.Equal(4, ready.TrainingCases + ready.HeldBackCases);
        Assert.InRange(ready.HeldBackCases, 1, 3);
        Assert.Empty(ready.Quarantined);
        Assert.Equal("cpu", ready.Device);
        using var report = JsonDocument.Parse(File.ReadAllBytes(fixture.ReportPath));
        Assert.Equal(ready.HeldBackCases, report.RootElement.GetProperty("heldBack").GetArrayLength());
    }

    [Fact]
    public void Run_PatientWithdrawn_IsInNoRecordAndNoCount()
    {
        var rules = new PatientRules { PseudonymKey = new byte[32], Withdrawn = [] };
        var path = fixture.Path("patients.json");
        Send(fixture.Open() with { Patients = rules }, fixture.Run() with { PatientsPath = path });
        var all = PatientUse.FromBytes(File.ReadAllBytes(path));
        // Two of the four cases are of one patient.
        Assert.Equal(3, all.Trained.Length + all.Scored.Length);

        var events = Send(fixture.Open() with { Patients = rules with { Withdrawn = [all.Trained[0]] } }, fixture.Run() with { PatientsPath = path });
        var without = PatientUse.FromBytes(File.ReadAllBytes(path));
        Assert.Equal(all.Trained.RemoveAt(0), without.Trained);
        Assert.Equal(all.Scored, without.Scored);
        var use = Assert.IsType<TrainerEvent.Finished>(events[^1]).Cohort;
        Assert.Equal(use.Found, use.Used);
        Assert.InRange(use.Used, 2, 3);
        Assert.DoesNotContain("patient", File.ReadAllText(path), StringComparison.OrdinalIgnoreCase);

        var counted = Assert.IsType<TrainerEvent.Fingerprinted>(Assert.Single(Send(fixture.Fingerprint(leastCases: 2) with { Patients = rules with { Withdrawn = [all.Trained[0]] }, PatientsPath = path })));
        Assert.Equal(use.Used, counted.Fingerprint.Cases);
        Assert.Equal(2, PatientUse.FromBytes(File.ReadAllBytes(path)).Trained.Length);
        Assert.Equal(use.Used, Assert.IsType<TrainerEvent.Surveyed>(Assert.Single(Send(
            fixture.Preflight(fixture.CohortDirectory) with { Patients = rules with { Withdrawn = [all.Trained[0]] } }))).Usable);
    }

    [Fact]
    public void Open_OneBadStudyAmongGood_UsesTheOthersAndSaysSoInEachRound()
    {
        var cohort = fixture.CohortWithABadStudy();

        var events = Send(fixture.Open(cohort: cohort), fixture.Run());

        Assert.Equal(1, Assert.IsType<TrainerEvent.Ready>(events[0]).Quarantined.Values.Sum());
        Assert.Equal(new CohortUse(Used: 4, Found: 5), Assert.IsType<TrainerEvent.Finished>(events[^1]).Cohort);
    }

    [Fact]
    public void Preflight_OneBadStudyAmongGood_CountsItAndNamesItOnlyInTheReport()
    {
        var surveyed = Assert.IsType<TrainerEvent.Surveyed>(Assert.Single(Send(fixture.Preflight(fixture.CohortWithABadStudy()))));

        Assert.Equal(4, surveyed.Usable);
        Assert.Equal([KeyValuePair.Create("NoDicomFiles", 1)], surveyed.Quarantined);
        using var report = JsonDocument.Parse(File.ReadAllBytes(fixture.ReportPath));
        var refused = Assert.Single(report.RootElement.GetProperty("quarantined").EnumerateArray());
        Assert.EndsWith("bad-study", refused.GetProperty("case").GetString());
    }

    /// <summary>Two of the four cases are of one patient.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Fingerprint_PhantomHospital_IsToldUnlessItHasTooFewPatients(int leastPatients)
    {
        var answer = Assert.Single(Send(fixture.Fingerprint(leastPatients)));

        if (leastPatients > 3) Assert.Equal(TrainerFailure.TooFewCases, FailureOf(answer));
        else Assert.Equal(4, Assert.IsType<TrainerEvent.Fingerprinted>(answer).Fingerprint.Cases);
    }

    [Fact]
    public void Preflight_LabelNoFileHas_RefusesEveryStudy()
    {
        var surveyed = Assert.IsType<TrainerEvent.Surveyed>(Assert.Single(Send(fixture.Preflight(fixture.CohortDirectory, "spleen"))));

        Assert.Equal((0, 4), (surveyed.Usable, surveyed.Quarantined["LabelMissing"]));
    }

    [Theory]
    [InlineData(false, "UnsupportedTransferSyntax")]
    [InlineData(true, "NoSegmentation")]
    public void Preflight_Htj2k_IsReadOnlyWhereTheSiteAllowsIt(bool allowed, string reason)
    {
        var study = Directory.CreateDirectory(fixture.Path($"htj2k-{allowed}/study")).FullName;
        File.Copy(RepositoryFile.Find("tests", "FedSeg.Dicom.Tests", "Corpus", "u12.htj2k201.dcm"), Path.Combine(study, "slice.dcm"));

        var surveyed = Assert.IsType<TrainerEvent.Surveyed>(
            Assert.Single(Send(fixture.Preflight(Path.GetDirectoryName(study)!) with { AllowHtj2k = allowed })));

        Assert.Equal([KeyValuePair.Create(reason, 1)], surveyed.Quarantined);
    }

    [Fact]
    public void Preflight_NoFolder_HasTooFewCases() =>
        Assert.Equal(TrainerFailure.TooFewCases, FailureOf(Assert.Single(Send(fixture.Preflight(fixture.Path("nowhere"))))));

    [Fact]
    public void Run_Train_ReportsEachStepThenFinishes()
    {
        var events = Send(fixture.Open(), fixture.Run());
        Assert.Equal([1, 2], events.OfType<TrainerEvent.Stepped>().Select(step => step.Step));
        var finished = Assert.IsType<TrainerEvent.Finished>(events[^1]);
        Assert.Equal(2, finished.Steps);
        Assert.Equal(fixture.Open().Plan.Labels, finished.Scores.Select(score => score.Label));
        Assert.True(File.Exists(fixture.UpdatePath));
    }

    /// <summary>A trainer that is silent for long is killed as hung, and reading a large cohort takes hours.</summary>
    [Theory]
    [InlineData("open")]
    [InlineData("preflight")]
    [InlineData("fingerprint")]
    public void CommandThatReadsTheCohort_SaysThatItLivesWithEveryCase(string command)
    {
        var cohort = fixture.CohortWithABadStudy();

        var events = SendAndHearAll(command switch
        {
            "open" => fixture.Open(cohort: cohort) with { Threads = 2 },
            "preflight" => fixture.Preflight(cohort) with { Threads = 2 },
            _ => fixture.Fingerprint(leastCases: 2) with { CohortDirectory = cohort, Threads = 2 },
        });

        Assert.Equal([Alive, Alive, Alive, Alive, Alive], events[..^1]);
        Assert.False(events[^1] is TrainerEvent.Stepped or TrainerEvent.Failed);
    }

    [Fact]
    public void Run_Scoring_SaysThatItLivesWithEveryCase()
    {
        var events = SendAndHearAll(fixture.Open(), fixture.Run(TrainerFixture.Plan(task: RoundTask.Evaluate)));

        var finished = Assert.IsType<TrainerEvent.Finished>(events[^1]);
        var scoring = events[(events.FindIndex(said => said is TrainerEvent.Ready) + 1)..^1];
        Assert.All(scoring, said => Assert.Equal(Alive, said));
        Assert.InRange(scoring.Count, finished.HeldBackCases, int.MaxValue);
    }

    [Fact]
    public void Run_StepsOnTheSitesOwnModel_AreCountedApartFromTheRounds()
    {
        var plan = TrainerFixture.Plan(steps: 3);
        var ditto = plan with { Recipe = plan.Recipe with { Algorithm = new LocalAlgorithm.Ditto(0.1) } };
        var tuned = plan with { Task = RoundTask.Evaluate, Recipe = plan.Recipe with { FineTuneSteps = 4 } };

        var trained = SendAndHearAll(fixture.Open(ditto), fixture.Run(ditto) with { StateDirectory = fixture.Path("own") });
        var scored = SendAndHearAll(fixture.Open(), fixture.Run(TrainerFixture.Plan(task: RoundTask.Evaluate)));
        var closed = SendAndHearAll(fixture.Open(tuned), fixture.Run(tuned) with { StateDirectory = fixture.Path("tuned") });

        // Ditto's second solve comes last.
        Assert.Equal([OwnStep(1, 3), OwnStep(2, 3), OwnStep(3, 3)], trained[^4..^1]);
        Assert.Equal([1, 2, 3], trained[..^4].OfType<TrainerEvent.Stepped>().Where(step => step != Alive && !step.Own).Select(step => step.Step));
        // Fine-tuning, and its model scored as the global one was.
        var tuning = closed.Where(said => said is TrainerEvent.Stepped { Own: true });
        Assert.Equal([OwnStep(1, 4), OwnStep(2, 4), OwnStep(3, 4), OwnStep(4, 4)], tuning);
        var signsOfScoring = scored.Count - 1 - scored.FindIndex(said => said is TrainerEvent.Ready) - 1;
        Assert.Equal(4 + 2 * signsOfScoring, closed.Count - 1 - closed.FindIndex(said => said is TrainerEvent.Ready) - 1);
        Assert.IsType<TrainerEvent.Finished>(closed[^1]);

        static TrainerEvent OwnStep(int step, int steps) => new TrainerEvent.Stepped(step, steps, null) { Own = true };
    }

    [Fact]
    public void Run_WithoutOpen_IsAFault() => Assert.Equal(TrainerFailure.Fault, FailureOf(Assert.Single(Send(fixture.Run()))));

    [Fact]
    public void Run_PlanWithAnotherSplit_IsAFault() =>
        Assert.Equal(TrainerFailure.Fault, FailureOf(Send(fixture.Open(), fixture.Run(TrainerFixture.Plan() with { Seed = 6 }))[^1]));

    [Fact]
    public void Open_EmptyFolder_HasTooFewCases()
    {
        var empty = Directory.CreateDirectory(fixture.Path("empty")).FullName;
        var failed = Assert.IsType<TrainerEvent.Failed>(Assert.Single(Send(fixture.Open(cohort: empty))));
        Assert.Equal(TrainerFailure.TooFewCases, failed.Code);
        Assert.Contains("no case folders", failed.Detail);
    }

    [Fact]
    public void Open_FolderOfTextFiles_HasTooFewCases()
    {
        var text = Directory.CreateDirectory(fixture.Path("text/case-1")).FullName;
        File.WriteAllText(Path.Combine(text, "readme.txt"), "not DICOM");
        Assert.Equal(TrainerFailure.TooFewCases, FailureOf(Assert.Single(Send(fixture.Open(cohort: fixture.Path("text"))))));
    }

    [Fact]
    public void Open_MoreCasesAskedForThanThere_HasTooFewCases() =>
        Assert.Equal(TrainerFailure.TooFewCases, FailureOf(Assert.Single(Send(fixture.Open(TrainerFixture.Plan() with { MinimumCases = 50 })))));

    [Fact]
    public void Open_LabelNoFileHas_IsNotFound() =>
        Assert.Equal(TrainerFailure.LabelNotFound, FailureOf(Assert.Single(Send(fixture.Open(TrainerFixture.Plan() with { Labels = ["spleen", "liver"] })))));

    [Fact]
    public void Run_ModelOfAnotherNetwork_IsRefused()
    {
        var other = fixture.Path("other.safetensors");
        ModelInitializer.Write(other, ArchitectureCatalog.Manifest(TrainerFixture.Plan().Architecture with { Levels = 3 }), seed: 1);
        Assert.Equal(TrainerFailure.ModelRefused, FailureOf(Send(fixture.Open(), fixture.Run(model: other))[^1]));
    }

    [Fact]
    public void Run_HugeLearningRate_IsNotFiniteAndTheNextRunSucceeds()
    {
        var events = Send(
            fixture.Open(),
            fixture.Run(TrainerFixture.Plan(steps: 30, learningRate: 1e30)),
            fixture.Run(TrainerFixture.Plan(round: 2, RoundTask.Evaluate)));
        Assert.Contains(events, answer => answer is TrainerEvent.Failed { Code: TrainerFailure.NotFinite });
        Assert.IsType<TrainerEvent.Finished>(events[^1]);
    }

    [Fact]
    public void Run_FullDisk_SaysThatItMayBeTriedAgain() =>
        Assert.Equal(TrainerFailure.Storage, FailureOf(Send(fixture.Open(), fixture.Run() with { UpdatePath = "/dev/full" })[^1]));

    [Fact]
    public void Run_PatchNoMachineHolds_IsOutOfMemoryAndTheNextRunSucceeds()
    {
        var plan = TrainerFixture.Plan();
        var huge = plan with { Preprocessing = plan.Preprocessing with { PatchVoxels = [1 << 16, 1 << 16, 1 << 16] } };
        var events = Send(fixture.Open(), fixture.Run(huge), fixture.Run());
        Assert.Equal(TrainerFailure.OutOfMemory, FailureOf(events[1]));
        Assert.IsType<TrainerEvent.Finished>(events[^1]);
    }

    [Fact]
    public void Handle_FailureOnAThreadThatReadsCases_HasTheCodeOfItsCause()
    {
        var events = new List<TrainerEvent>();
        var session = new TrainerSession(said => events.Add(said == Alive ? throw new IOException("No space left on device") : said), TimeProvider.System);
        session.Handle(JsonSerializer.Serialize<TrainerCommand>(fixture.Fingerprint(leastCases: 2), FederationJson.Options));
        Assert.Equal(TrainerFailure.Storage, FailureOf(Assert.Single(events)));
    }

    [Fact]
    public void Handle_LineThatIsNoCommand_IsAFault()
    {
        var events = new List<TrainerEvent>();
        new TrainerSession(events.Add, TimeProvider.System).Handle("""{"command":"open","extra":1}""");
        Assert.Equal(TrainerFailure.Fault, FailureOf(Assert.Single(events)));
    }
}
