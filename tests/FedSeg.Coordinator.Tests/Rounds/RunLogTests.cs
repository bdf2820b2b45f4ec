using System.Diagnostics.Metrics;
using FedSeg.Coordinator.Operations;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Tests.Rounds;

public sealed class RunLogTests : IDisposable
{
    private static readonly SiteId[] Sites = [CoordinatorOnDisk.North, CoordinatorOnDisk.East];

    private readonly CoordinatorOnDisk _coordinator = new();
    private readonly List<(string Instrument, double Value, string Tag)> _counted = [];
    private readonly MeterListener _listener = new();

    public RunLogTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // Other tests count at the same time, each with meters of its own.
            if (ReferenceEquals(instrument.Meter.Scope, _coordinator.Meters)) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Count(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Count(instrument, value, tags));
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _coordinator.Dispose();
    }

    [Fact]
    public async Task RunCancelledByAPerson_IsCountedAndLoggedOnce()
    {
        var run = _coordinator.CreateAndOpen().Run;

        _coordinator.Catalog.Cancel(run, "ada");
        _coordinator.Catalog.Cancel(run, "bob");
        await _coordinator.Runner.RunAsync(run, CoordinatorOnDisk.Token);

        Assert.Equal([(1.0, "Cancelled")], Counted("fedseg.runs.ended"));
        Assert.Equal($"Ended {run}: Cancelled. Cancelled by ada.", Assert.Single(_coordinator.Said.Lines, IsEnd));
    }

    [Fact]
    public async Task RunEndedByItsRunner_IsCountedAndLoggedOnce()
    {
        var run = _coordinator.CreateAndOpen().Run;
        foreach (var site in Sites) Tell(run, new RunInput.Declined(site, 1, DropReason.OutOfMemory));

        await _coordinator.Runner.RunAsync(run, CoordinatorOnDisk.Token);

        Assert.Equal([(1.0, "Failed")], Counted("fedseg.runs.ended"));
        Assert.StartsWith($"Ended {run}: Failed.", Assert.Single(_coordinator.Said.Lines, IsEnd), StringComparison.Ordinal);
    }

    [Fact]
    public void RunPausedAndLetGoOn_SaysByWhom()
    {
        var run = _coordinator.Create().Id;

        _coordinator.Catalog.Pause(run, "ada");
        _coordinator.Catalog.Pause(run, "eve");
        _coordinator.Catalog.Resume(run, "bob");

        Assert.Equal([$"ada paused {run}", $"bob let {run} go on"], _coordinator.Said.Lines);
    }

    [Fact]
    public async Task UpdateSentAgain_BecauseItsAnswerWasLost_IsCountedOnce()
    {
        var plan = _coordinator.CreateAndOpen();
        var update = SiteUpdate.Of(plan, CoordinatorOnDisk.North, _coordinator.KeyOf(CoordinatorOnDisk.North));

        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(update));
        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(update));

        Assert.Equal([(1.0, "")], Counted("fedseg.updates.accepted"));
        Assert.Equal([(update.Bytes.Length, "")], Counted("fedseg.updates.bytes"));
        Assert.Single(Counted("fedseg.updates.saved"));
        Assert.Empty(Counted("fedseg.updates.refused"));
    }

    [Fact]
    public void FingerprintRound_ThatEndsWithAPlan_CountsIntoTheDurationsOfRounds()
    {
        var asked = new PlanningSpec { Preset = PlannerPresetName.Plain, LeastCases = 5 };
        var job = CoordinatorOnDisk.Job() with { Planning = asked, Preprocessing = PreprocessingSpec.ToBePlanned("MR") };
        var run = _coordinator.Create(job).Id;
        Tell(run, new RunInput.Continued());
        foreach (var site in Sites) Tell(run, Fingerprint(_coordinator.Book.Find(run)!.OpenRound!.Plan, site));
        _coordinator.Time.Advance(TimeSpan.FromSeconds(90));
        var round = _coordinator.Book.Find(run)!.OpenRound!;

        Tell(run, new RunInput.Planned
        {
            Round = round,
            Plan = RunPlanning.Of(asked, round.Fingerprints),
            InitialModel = new ModelRef(Sha256Digest.Of("model"u8), 5),
        });

        Assert.Equal([(90.0, "Fingerprint")], Counted("fedseg.round.duration"));
    }

    private static bool IsEnd(string line) => line.StartsWith("Ended", StringComparison.Ordinal);

    private static RunInput.Stored Fingerprint(RoundPlan plan, SiteId site)
    {
        var cases = new FingerprintBuilder("MR", ["kidney", "tumour"]);
        for (var i = 0; i < 6; i++) cases.Add($"p{i}", [1, 1, 1], [40, 64, 64], 1, [0.5]);
        var report = SiteReport.Of(plan, site, cases.Seal(leastCases: 5)!);
        return new RunInput.Stored { Report = report, Digest = Sha256Digest.Of(report.ToBytes()), Weights = null, Signature = "" };
    }

    private void Tell(RunId run, RunInput input) => _coordinator.Book.Step(run, input, _coordinator.Time.GetUtcNow());

    private void Count(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_counted) _counted.Add((instrument.Name, value, tags.IsEmpty ? "" : (string)tags[0].Value!));
    }

    private IEnumerable<(double Value, string Tag)> Counted(string instrument)
    {
        lock (_counted) return [.. _counted.Where(one => one.Instrument == instrument).Select(one => (one.Value, one.Tag))];
    }
}
