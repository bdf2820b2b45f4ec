using System.Diagnostics.Metrics;
using System.Net.Security;
using FedSeg.Coordinator.Connections;
using FedSeg.Coordinator.Tests.Grpc;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.V1;
using FedSeg.Testing;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using EnrolmentClient = FedSeg.Protocol.V1.Enrolment.EnrolmentClient;
using RunsClient = FedSeg.Protocol.V1.Runs.RunsClient;

namespace FedSeg.Coordinator.Tests.Connections;

/// <summary>What may be held open at the coordinator's doors, over real sockets and TLS, with the limits as shipped.</summary>
public sealed class ConnectionLimitsTests(CoordinatorServer server) : IClassFixture<CoordinatorServer>
{
    private const string Here = "127.0.0.1", There = "127.0.0.2";

    // A cut comes within the handshake's ten seconds at the very latest; nothing below waits for that.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(8);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ConnectionOptions Limits => server.Part<IOptions<CoordinatorOptions>>().Value.Connections;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Handshakes_EveryPlaceTakenFromElsewhere_OneOfThoseIsCutAndAMemberGetsIn(bool toEnrol)
    {
        var door = toEnrol ? server.EnrolmentAddress : server.Address;
        using var lone = await RawConnection.OpenAsync(door, "127.0.0.3", Token);
        var refused = 0;
        using var refusals = CountRefusals(nameof(ConnectionRefusal.Handshakes), () => Interlocked.Increment(ref refused));
        var hanging = await HangAsync(door, There, Limits.MaximumHandshakes - 1);
        var (loneCut, oldestCut) = (lone.CutAsync(Token), hanging[0].CutAsync(Token));

        await AnswerAsync(toEnrol);
        await oldestCut.WaitAsync(Soon, TimeProvider.System, Token);

        Assert.True(refused > 0);
        Assert.False(loneCut.IsCompleted, "Who has one handshake under way paid for whom has many.");
        hanging.ForEach(connection => connection.Dispose());
    }

    [Fact]
    public async Task Connections_BeyondACertificatesShare_AreClosedAndOthersGoOn()
    {
        using var certificate = server.SignMember("octopus", MemberKind.Site);
        var open = await OpenAsync(server.Address, CoordinatorServer.Raw(certificate), Here, Limits.MaximumPerCaller);
        var cuts = open.Select(connection => connection.CutAsync(Token)).ToList();

        using var beyond = await RawConnection.OpenSecureAsync(server.Address, CoordinatorServer.Raw(certificate), There, Token);

        await beyond.CutAsync(Token).WaitAsync(Soon, TimeProvider.System, Token);
        Assert.DoesNotContain(cuts, cut => cut.IsCompleted);
        await AnswerAsync(toEnrol: false);
        open.ForEach(connection => connection.Dispose());
    }

    [Fact]
    public async Task Connections_OfACertificateThatMadeRoom_AreTakenAgain()
    {
        using var certificate = server.SignMember("patient", MemberKind.Person, PersonRole.DataScientist);
        var open = await OpenAsync(server.Address, CoordinatorServer.Raw(certificate), Here, Limits.MaximumPerCaller);

        open.ForEach(connection => connection.Dispose());

        // That they are gone reaches the coordinator in its own time.
        await UntilAnsweredAsync(() => ListAsync(server.Dial(certificate)));
    }

    [Fact]
    public async Task Connections_OfAStranger_AreCountedByAddress()
    {
        var open = await OpenAsync(server.EnrolmentAddress, null, There, Limits.MaximumPerCaller);

        using var beyond = await RawConnection.OpenSecureAsync(server.EnrolmentAddress, null, There, Token);

        await beyond.CutAsync(Token).WaitAsync(Soon, TimeProvider.System, Token);
        await AnswerAsync(toEnrol: true);
        open.ForEach(connection => connection.Dispose());
    }

    /// <summary>Sixteen enrolments whose bodies stay away take one address's places, not everybody's.</summary>
    [Fact]
    public async Task Calls_OfAStranger_AreCountedByAddress()
    {
        const string Greedy = "127.0.0.5";
        var share = server.Part<IOptions<CoordinatorOptions>>().Value.MaximumCallsPerMember;
        using var hanging = await RawConnection.OpenHttp2Async(server.EnrolmentAddress, null, Greedy, Token);
        for (var call = 0; call < share; call++)
        {
            await hanging.SendAsync(RawConnection.Call(2 * call + 1, "/fedseg.v1.Enrolment/Enrol"), Token);
        }

        // When they are all there the next one of the same address finds no place.
        var greedy = new EnrolmentClient(server.DialToEnrol(from: Greedy));
        await UntilUnavailableAsync(async () => await greedy.GetAuthorityAsync(new AuthorityQuery(), cancellationToken: Token));

        await AnswerAsync(toEnrol: true);
    }

    [Fact]
    public async Task Caller_WhoTookCallsBackAgainAndAgain_IsLockedOutForAMinute()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var strict = new CoordinatorServer([], time);
        await strict.InitializeAsync();
        using var certificate = strict.SignMember("fickle", MemberKind.Person, PersonRole.DataScientist);
        using var fickle = await RawConnection.OpenHttp2Async(strict.Address, CoordinatorServer.Raw(certificate), Here, Token);

        await fickle.SendUntilCutAsync(RawConnection.CallsTakenBack(10_000, "/fedseg.v1.Runs/List"), TimeSpan.Zero, Token);

        using var again = await RawConnection.OpenSecureAsync(strict.Address, CoordinatorServer.Raw(certificate), There, Token);
        await again.CutAsync(Token).WaitAsync(Soon, TimeProvider.System, Token);
        await ListAsync(strict.Dial("steady", MemberKind.Person, PersonRole.DataScientist));
        time.Advance(TimeSpan.FromMinutes(1));
        await ListAsync(strict.Dial(certificate));
    }

    private static async Task<List<RawConnection>> HangAsync(Uri door, string from, int count)
    {
        var hanging = new List<RawConnection>();
        for (var i = 0; i < count; i++) hanging.Add(await RawConnection.OpenAsync(door, from, Token));
        return hanging;
    }

    private static async Task<List<RawConnection>> OpenAsync(Uri door, SslStreamCertificateContext? certificate, string from, int count)
    {
        var open = new List<RawConnection>();
        for (var i = 0; i < count; i++) open.Add(await RawConnection.OpenHttp2Async(door, certificate, from, Token));
        return open;
    }

    /// <summary>Asks something at the door on a new connection.</summary>
    private async Task AnswerAsync(bool toEnrol)
    {
        if (toEnrol) await new EnrolmentClient(server.DialToEnrol()).GetAuthorityAsync(new AuthorityQuery(), cancellationToken: Token);
        else await ListAsync(server.Dial("good", MemberKind.Person, PersonRole.DataScientist));
    }

    private static async Task ListAsync(GrpcChannel channel) =>
        await new RunsClient(channel).ListAsync(new ListRunsRequest(), cancellationToken: Token);

    private static async Task UntilAnsweredAsync(Func<Task> ask)
    {
        while (true)
        {
            try
            {
                await ask();
                return;
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.Unavailable or StatusCode.Internal)
            {
                Token.ThrowIfCancellationRequested();
            }
        }
    }

    private static async Task UntilUnavailableAsync(Func<Task> ask)
    {
        using var patience = new CancellationTokenSource(Soon, TimeProvider.System);
        while (true)
        {
            patience.Token.ThrowIfCancellationRequested();
            try
            {
                await ask();
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.Unavailable)
            {
                return;
            }
        }
    }

    private static MeterListener CountRefusals(string reason, Action refused)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "fedseg.connections.refused") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            if (tags.Contains(new KeyValuePair<string, object?>("reason", reason))) refused();
        });
        listener.Start();
        return listener;
    }
}
