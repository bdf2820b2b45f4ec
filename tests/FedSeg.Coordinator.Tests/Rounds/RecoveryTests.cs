using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using Microsoft.Data.Sqlite;

namespace FedSeg.Coordinator.Tests.Rounds;

/// <summary>A coordinator with a long past is back soon: journal folded, ledger read, the open round waited for again.</summary>
[Collection(nameof(Alone))]
public sealed class RecoveryTests : IDisposable
{
    private const int PastRounds = 10_000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private readonly CoordinatorOnDisk _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public async Task Reopen_TenThousandPastRounds_IsBackWithinFiveSeconds()
    {
        var run = _coordinator.Create(quorum: 2, rounds: PastRounds).Id;
        Fill(_coordinator.Book.Find(run)!);
        _coordinator.Reopen();
        await _coordinator.Ledger.NoteAsync(_coordinator.Book.Find(run)!);
        // The best of three: other programs share the machine.
        var best = TimeSpan.MaxValue;
        for (var attempt = 1; attempt <= 3 && best > Limit; attempt++)
        {
            var took = await RecoverAsync(run);
            if (took < best) best = took;
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{best.TotalSeconds:F2} s with {_coordinator.Ledger.Read().Count} entries in the ledger");
        Assert.InRange(best, TimeSpan.Zero, Limit);
    }

    private async Task<TimeSpan> RecoverAsync(RunId run)
    {
        var started = TimeProvider.System.GetTimestamp();
        _coordinator.Reopen();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(CoordinatorOnDisk.Token);
        var running = _coordinator.Runner.RunAsync(run, stop.Token);
        await _coordinator.UntilAsync(run, state => state.OpenRound?.Plan.Round == PastRounds);
        var took = TimeProvider.System.GetElapsedTime(started);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        return took;
    }

    /// <summary>Every round but the last, in one transaction: the journal's own way flushes the disk for each entry.</summary>
    private void Fill(RunState state)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_coordinator.Settings.DataDirectory, "journal.db")};Pooling=False");
        connection.Open();
        using var transaction = connection.BeginTransaction();
        using var command = connection.CreateCommand();
        command.CommandText = "INSERT INTO events (run, event) VALUES ($run, $event)";
        var run = command.Parameters.AddWithValue("$run", state.Id.ToString());
        var entry = command.Parameters.Add("$event", SqliteType.Text);
        var model = state.Model;
        for (var round = 1; round < PastRounds; round++)
        {
            var plan = state.Job.PlanRound(state.Id, round, model.Sha256, model.Bytes);
            Enter(new RunEvent.RoundOpened { At = default, Round = round, BaseModel = model });
            foreach (var site in state.Job.Sites)
            {
                Enter(new RunEvent.UpdateAccepted
                {
                    At = default,
                    Report = SiteUpdate.Report(plan, site),
                    Digest = Sha256Digest.Of(BitConverter.GetBytes(round * 10 + site.ToString().Length)),
                    Weights = new ModelRef(model.Sha256, model.Bytes),
                    Signature = "",
                });
            }

            model = new ModelRef(Sha256Digest.Of(BitConverter.GetBytes(round)), model.Bytes);
            Enter(new RunEvent.RoundClosed { At = default, Round = round, Model = model });
        }

        transaction.Commit();

        void Enter(RunEvent next)
        {
            entry.Value = next.ToJson();
            command.ExecuteNonQuery();
        }
    }
}
