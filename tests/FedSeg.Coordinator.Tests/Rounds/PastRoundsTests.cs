using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Tests.Rounds;

/// <summary>What a coordinator holds of rounds that are over: what its people may ask for, and nothing of how they came about.</summary>
[Collection(nameof(Alone))]
public sealed class PastRoundsTests : IDisposable
{
    private const int RoundsOfARun = 10, WarmUpRuns = 5, Runs = 25;

    /// <summary>Two reports, their digests and signatures, and a plan; receipts of the ledger alone were twice that.</summary>
    private const double BytesOfARound = 4000;

    private readonly CoordinatorOnDisk _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public async Task Play_HundredsOfRounds_HoldsOfEachWhatMayBeAskedFor()
    {
        await PlayAsync(WarmUpRuns);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await PlayAsync(Runs);
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;

        // Each run's closing evaluation is one more.
        var ofARound = held / (double)(Runs * (RoundsOfARun + 1));
        TestContext.Current.TestOutputHelper!.WriteLine($"{ofARound:F0} bytes a round of two sites");
        Assert.InRange(ofARound, 0, BytesOfARound);
    }

    private async Task PlayAsync(int runs)
    {
        for (var i = 0; i < runs; i++)
        {
            var run = _coordinator.Create(rounds: RoundsOfARun);
            var running = _coordinator.Runner.RunAsync(run.Id, CoordinatorOnDisk.Token);
            for (var round = 1; round <= RoundsOfARun + 1; round++)
            {
                var plan = (await _coordinator.UntilAsync(run.Id, state => state.OpenRound?.Plan.Round == round)).OpenRound!.Plan;
                foreach (var site in run.Job.Sites)
                {
                    Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(SiteUpdate.Of(plan, site, _coordinator.KeyOf(site))));
                }
            }

            await running;
        }
    }
}
