using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FedSeg.Cli.Ledgers.Shipping;
using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Storage;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Ledgers.Shipping;

public sealed partial class AuditShippingTests : IDisposable
{
    private const string Origin = "fedseg.example/site/north";
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ShipAsync_Syslog_ArrivesOnceInOrderAndAsTheStandardSays()
    {
        await AppendAsync(700);
        await using var collector = new SyslogCollector();
        var shipping = To(collector);

        Assert.Equal(700, await shipping.ShipAsync(Token));
        Assert.Equal(0, await shipping.ShipAsync(Token));
        await AppendAsync(1);
        Assert.Equal(1, await shipping.ShipAsync(Token));

        var messages = collector.Messages.Select(message => Rfc5424().Match(message)).ToList();
        Assert.All(messages, message => Assert.True(message.Success));
        Assert.Equal(Enumerable.Range(0, 701).Select(seq => seq.ToString()), messages.Select(message => Regex.Match(message.Value, " seq=\"(\\d+)\"").Groups[1].Value));
    }

    [Fact]
    public async Task ShipAsync_CollectorAway_LosesNothing()
    {
        await AppendAsync(3);
        int port;
        await using (var gone = new SyslogCollector()) port = gone.Port;
        var away = new AuditShipping(Ledger, _folder["cursor"], new SyslogTarget(new DnsEndPoint("127.0.0.1", port), null, null));
        await Assert.ThrowsAsync<IOException>(() => away.ShipAsync(Token));

        await using var collector = new SyslogCollector();
        Assert.Equal(3, await To(collector).ShipAsync(Token));
        Assert.Equal(3, collector.Messages.Count());
    }

    /// <summary>Bytes that left the sender are not events that arrived.</summary>
    [Fact]
    public async Task ShipAsync_CollectorCutsTheConnection_SendsTheBatchAgain()
    {
        await AppendAsync(200);
        await using var collector = new SyslogCollector { CutAfter = 5000 };
        await Assert.ThrowsAsync<IOException>(() => To(collector).ShipAsync(Token));
        Assert.False(File.Exists(_folder["cursor"]));

        collector.CutAfter = null;
        Assert.Equal(200, await To(collector).ShipAsync(Token));
        Assert.Equal(200, collector.Messages.Count());
    }

    [Fact]
    public async Task ShipAsync_CollectorOfAnotherAuthority_IsNotTalkedTo()
    {
        await AppendAsync(1);
        await using var collector = new SyslogCollector();
        await using var other = new SyslogCollector();
        var shipping = new AuditShipping(Ledger, _folder["cursor"], new SyslogTarget(new DnsEndPoint("127.0.0.1", collector.Port), other.Authority, null));

        await Assert.ThrowsAsync<IOException>(() => shipping.ShipAsync(Token));
        Assert.Empty(collector.Messages);
    }

    [Fact]
    public async Task ShipAsync_JsonLines_GoesOnBehindALineThatACrashCutShort()
    {
        await AppendAsync(2);
        var shipping = new AuditShipping(Ledger, _folder["cursor"], new JsonLinesTarget(_folder["audit.jsonl"]));
        await shipping.ShipAsync(Token);
        File.AppendAllText(_folder["audit.jsonl"], "{\"log\":\"fedseg.exam");
        await AppendAsync(1);
        await shipping.ShipAsync(Token);

        var lines = File.ReadAllLines(_folder["audit.jsonl"]).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal([0, 1, 2], lines.Select(line => (int)line["seq"]!));
        Assert.Equal(Awkward, (string?)lines[0]["facts"]!["note"]);
        Assert.All(lines, line => Assert.Equal((Origin, 4), ((string?)line["log"], (int)line["outcome"]!)));
    }

    [Fact]
    public async Task ShipAsync_FhirServerFailsInBetween_GoesOnWhereItStopped()
    {
        await AppendAsync(3);
        var taken = new List<JsonNode>();
        using var server = new HttpListener();
        var address = Listen(server);
        var answering = AnswerAsync(server, taken, failAt: 1);
        using var target = new FhirTarget(new Uri(address + "fhir"), null, null);
        var shipping = new AuditShipping(Ledger, _folder["cursor"], target);

        await Assert.ThrowsAsync<IOException>(() => shipping.ShipAsync(Token));
        Assert.Equal(2, await shipping.ShipAsync(Token));
        server.Close();
        await answering;

        Assert.Equal(3, taken.Count);
        Assert.All(taken, resource =>
        {
            // The elements that R4 requires of an AuditEvent.
            Assert.Equal("AuditEvent", (string?)resource["resourceType"]);
            Assert.NotNull(resource["type"]!["code"]);
            Assert.True(DateTimeOffset.TryParse((string?)resource["recorded"], out _));
            Assert.True((bool)resource["agent"]![0]!["requestor"]!);
            Assert.Equal(Origin, (string?)resource["source"]!["observer"]!["display"]);
            Assert.Equal("urn:fedseg:run", (string?)resource["entity"]![0]!["what"]!["identifier"]!["system"]);
        });
    }

    [Fact]
    public async Task ShipAsync_AnotherLedgerUnderTheCursor_IsRefused()
    {
        await AppendAsync(2);
        var target = new JsonLinesTarget(_folder["audit.jsonl"]);
        await new AuditShipping(Ledger, _folder["cursor"], target).ShipAsync(Token);
        Directory.Delete(Ledger, recursive: true);
        await AppendAsync(5);

        await Assert.ThrowsAsync<LedgerCorruptException>(() => new AuditShipping(Ledger, _folder["cursor"], target).ShipAsync(Token));
    }

    [Theory]
    [InlineData("egressSent", "", 0, true)]
    [InlineData("egressDecided", "approved", 0, false)]
    [InlineData("egressDecided", "refused", 4, false)]
    [InlineData("egressFailed", "", 4, false)]
    [InlineData("noticeRefused", "", 4, false)]
    [InlineData("siteHalted", "", 8, false)]
    [InlineData("ledgerRepaired", "", 8, false)]
    [InlineData("roundRefused", "", 4, false)]
    [InlineData("blindAborted", "", 8, false)]
    [InlineData("secondSession", "", 8, false)]
    [InlineData("sharedKey", "", 8, false)]
    public void Outcome_OfAnAction_SaysHonestlyWhatBecameOfIt(string action, string decision, int outcome, bool export)
    {
        var facts = ImmutableSortedDictionary<string, string>.Empty;
        if (decision.Length > 0) facts = facts.Add("decision", decision);
        var record = new AuditRecord(Origin, new LedgerEntry(0, DateTimeOffset.UnixEpoch, MerkleHash.OfLeaf([]), action, facts), MerkleHash.OfLeaf([]));

        Assert.Equal((outcome, export), (record.Outcome, record.IsExport));
    }

    [Fact]
    public async Task Ship_TwoTargetsOrNone_IsBadInput()
    {
        await AppendAsync(1);

        Assert.Equal(2, (await FedsegProcess.RunAsync("ledger", "ship", Ledger, "--cursor", _folder["cursor"])).ExitCode);
        var ended = await FedsegProcess.RunAsync("ledger", "ship", Ledger, "--cursor", _folder["cursor"], "--jsonl", _folder["audit.jsonl"], "--json");
        Assert.Equal((0, 1), (ended.ExitCode, JsonDocument.Parse(ended.Output).RootElement.GetProperty("shipped").GetInt32()));
    }

    private string Ledger => _folder["ledger"];

    private const string Awkward = "a \"quoted\" ] back\\slash ñ";

    private AuditShipping To(SyslogCollector collector) =>
        new(Ledger, _folder["cursor"], new SyslogTarget(new DnsEndPoint("127.0.0.1", collector.Port), collector.Authority, null));

    private async Task AppendAsync(int count)
    {
        var keyPath = _folder["ledger.pem"];
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(keyPath)) key.ImportFromPem(await File.ReadAllTextAsync(keyPath, Token));
        else await File.WriteAllTextAsync(keyPath, key.ExportECPrivateKeyPem(), Token);
        using var writer = LedgerWriter.Open(Ledger, Origin, key, TimeProvider.System);
        var facts = new Dictionary<string, string> { ["run"] = "run-1", ["note"] = Awkward, ["decision"] = "refused" };
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => writer.AppendAsync("egressDecided", facts)));
    }

    private static string Listen(HttpListener server)
    {
        for (var port = 20_000 + Environment.ProcessId % 20_000; ; port++)
        {
            try
            {
                server.Prefixes.Clear();
                server.Prefixes.Add($"http://127.0.0.1:{port}/");
                server.Start();
                return server.Prefixes.Single();
            }
            catch (HttpListenerException)
            {
                // Somebody has it: the next one.
            }
        }
    }

    private static async Task AnswerAsync(HttpListener server, List<JsonNode> taken, int failAt)
    {
        for (var request = 0; ; request++)
        {
            try
            {
                var context = await server.GetContextAsync();
                Assert.Equal("/fhir/AuditEvent", context.Request.Url!.AbsolutePath);
                var resource = await JsonNode.ParseAsync(context.Request.InputStream);
                context.Response.StatusCode = request == failAt ? 503 : 201;
                if (request != failAt) taken.Add(resource!);
                context.Response.Close();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    /// <summary>RFC 5424 section 6: header, one element, no message.</summary>
    [GeneratedRegex("""\A<(1\d\d|\d\d?)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]{1,255} fedseg - [!-~]{1,32} \[fedseg@32473( [!-~]{1,32}="([^"\\\]]|\\["\\\]])*")+\]\z""")]
    private static partial Regex Rfc5424();
}
