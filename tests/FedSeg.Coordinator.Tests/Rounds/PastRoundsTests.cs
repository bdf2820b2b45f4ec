using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Tests.Rounds;

/// <summary>What a coordinator holds of rounds that are over: what its people may ask for, and nothing of how they came about.</summary>
public sealed class PastRoundsTests : IDisposable
{
    private const int RoundsOfARun = 10, Runs = 10;

    /// <summary>A plan and two reports with their digests and signatures; the ledger's receipts alone were more than that.</summary>
    private const double BytesOfARound = 4000;

    private readonly CoordinatorOnDisk _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public async Task Play_ManyRounds_HoldsOfEachWhatMayBeAskedFor()
    {
        await PlayAsync(1);
        var before = RetainedBytes.Of(_coordinator.Book, _coordinator.Ledger);
        await PlayAsync(Runs);
        var held = RetainedBytes.Of(_coordinator.Book, _coordinator.Ledger) - before;

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
