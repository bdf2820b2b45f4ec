using System.Security.Cryptography;
using System.Text.Json;
using FedSeg.Egress;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Federation;
using FedSeg.Federation.Identity;
using FedSeg.Ledger.Storage;
using FedSeg.SiteAgent.Review;
using FedSeg.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace FedSeg.SiteAgent.Tests.Review;

public sealed class DeskWatchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly LedgerWriter _ledger;
    private readonly EgressGate _gate;
    private readonly OrderBox _box;
    private readonly DeskWatch _watch;

    public DeskWatchTests()
    {
        _ledger = LedgerWriter.Open(_folder["ledger"], "fedseg/site/north", _key, TimeProvider.System);
        Directory.CreateDirectory(_folder["desk"]);
        var olga = new DeskAccount { Name = "olga", Role = DeskRole.SiteOperator, PasswordHash = "" };
        var anna = olga with { Name = "anna", Role = DeskRole.PrivacyOfficer };
        File.WriteAllBytes(_folder["desk", "accounts.json"], JsonSerializer.SerializeToUtf8Bytes(new[] { olga, anna }, FederationJson.Options));
        var options = new EgressOptions
        {
            Site = SiteId.Parse("north"),
            Recipient = "https://127.0.0.1:1",
            PolicyPath = _folder["policy.yaml"],
            OutboxDirectory = _folder["outbox"],
            DeskDirectory = _folder["desk"],
            AuthorityPath = "authority.pem",
        };
        _gate = new EgressGate(options, _ledger, TimeProvider.System, RandomNumberGenerator.Create(), Hosting.Faults.Failpoints.None);
        _box = new OrderBox(_folder["orders"]);
        _watch = new DeskWatch(_gate, _box, TimeProvider.System, NullLogger<DeskWatch>.Instance);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _watch.Dispose();
        _gate.Dispose();
        _ledger.Dispose();
        _key.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task StartAsync_OrdersGivenWhileNoAgentRan_AreObeyedBeforeItReturns()
    {
        _box.Place(new DeskOrder.Pause { Id = Id('a'), By = "olga", At = DateTimeOffset.UnixEpoch });
        await _watch.StartAsync(Token);
        await _watch.StopAsync(Token);

        Assert.True(_gate.Desk.IsPaused);
        Assert.Empty(_box.Read());
    }

    [Fact]
    public async Task StartAsync_HaltBehindAnOrderTheLedgerDoesNotTake_IsInForceAndBothStay()
    {
        _box.Place(new DeskOrder.Pause { Id = Id('a'), By = "olga", At = DateTimeOffset.UnixEpoch });
        _box.Place(new DeskOrder.Halt { Id = Id('b'), By = "olga", At = DateTimeOffset.UnixEpoch.AddSeconds(1) });
        _ledger.Halt(0, "it was rolled back");
        await _watch.StartAsync(Token);
        await _watch.StopAsync(Token);

        Assert.True(_watch.Switch.IsThrown);
        Assert.Equal(2, _box.Read().Count);
    }

    [Fact]
    public async Task StartAsync_OrderToLeaveAStudy_EndsItsRunsAndNoOthers()
    {
        await NoteRunAsync("run-1", "kidneys");
        await NoteRunAsync("run-2", "lungs");
        _box.Place(new DeskOrder.LeaveStudy { Id = Id('a'), By = "anna", At = DateTimeOffset.UnixEpoch, Study = StudyId.Parse("kidneys") });
        await _watch.StartAsync(Token);
        await _watch.StopAsync(Token);

        Assert.True(_watch.Left.TryRead(out var run));
        Assert.Equal("run-1", run.ToString());
        Assert.False(_watch.Left.TryRead(out _));

        Task NoteRunAsync(string name, string study) =>
            _ledger.AppendAsync("planOutsideCharter", new Dictionary<string, string> { ["run"] = name, ["round"] = "1", ["study"] = study, ["why"] = "-" });
    }

    private static string Id(char digit) => new(digit, 32);
}
