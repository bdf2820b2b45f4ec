using FedSeg.Testing;
using System.Security.Cryptography;
using System.Text.Json;
using FedSeg.Ledger.Storage;

namespace FedSeg.Cli.Tests.Ledgers;

public sealed class LedgerCommandsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Verify_WholeLedger_IsDone()
    {
        await WriteLedgerAsync();

        var ended = await FedsegProcess.RunAsync("ledger", "verify", Ledger, "--json");

        Assert.Equal(0, ended.ExitCode);
        using var document = JsonDocument.Parse(ended.Output);
        Assert.Equal((true, 3), (document.RootElement.GetProperty("verified").GetBoolean(), document.RootElement.GetProperty("entries").GetInt32()));
    }

    [Fact]
    public async Task Verify_OneFlippedByte_IsNoAndNamesTheEntry()
    {
        await WriteLedgerAsync();
        var (file, bytes, position) = Directory.GetFiles(Ledger, "*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) != "lock")
            .Select(path => (path, bytes: File.ReadAllBytes(path)))
            .Select(file => (file.path, file.bytes, position: file.bytes.AsSpan().IndexOf("second-site"u8)))
            .Single(file => file.position >= 0);
        bytes[position] ^= 1;
        File.WriteAllBytes(file, bytes);

        var ended = await FedsegProcess.RunAsync("ledger", "verify", Ledger);
        var asJson = await FedsegProcess.RunAsync("ledger", "verify", Ledger, "--json");

        Assert.Equal((1, 1), (ended.ExitCode, asJson.ExitCode));
        Assert.Contains("BROKEN at entry 1", ended.Output);
        using var document = JsonDocument.Parse(asJson.Output);
        Assert.Equal(1, document.RootElement.GetProperty("firstBadIndex").GetInt32());
    }

    [Fact]
    public async Task Verify_KeyOfAnother_IsNo()
    {
        await WriteLedgerAsync();
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.Equal(1, (await FedsegProcess.RunAsync("ledger", "verify", Ledger, "--key", _folder.Write("other.pem", other.ExportSubjectPublicKeyInfoPem()))).ExitCode);
    }

    [Fact]
    public async Task Verify_NoFolder_IsBadInputInOneLine()
    {
        var ended = await FedsegProcess.RunAsync("ledger", "verify", Ledger);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(Ledger, ended.ErrorLine);
    }

    [Fact]
    public async Task Verify_FolderThatIsNoLedger_IsNeverCalledWhole()
    {
        Directory.CreateDirectory(Ledger);

        Assert.InRange((await FedsegProcess.RunAsync("ledger", "verify", Ledger)).ExitCode, 1, 2);
    }

    [Fact]
    public async Task ShowAsJson_IsOneDocumentWithEveryEntry()
    {
        await WriteLedgerAsync();

        using var document = JsonDocument.Parse((await FedsegProcess.RunAsync("ledger", "show", Ledger, "--json")).Output);

        Assert.Equal(["first-site", "second-site", "third-site"], document.RootElement.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("facts").GetProperty("site").GetString()));
    }

    [Fact]
    public async Task Export_OneEntry_IsAProofThatHoldsWithoutTheLedger()
    {
        await WriteLedgerAsync();
        var (key, proof) = (_folder["key.pem"], _folder["entry.tlog-proof"]);
        File.Copy(Path.Combine(Ledger, "key.pem"), key);

        Assert.Equal(0, (await FedsegProcess.RunAsync("ledger", "export", Ledger, "--index", "1", "--out", proof)).ExitCode);
        Directory.Delete(Ledger, recursive: true);
        using var answer = JsonDocument.Parse((await FedsegProcess.RunAsync("ledger", "verify", proof, "--key", key, "--json")).Output);
        Assert.Equal((true, 3), (answer.RootElement.GetProperty("verified").GetBoolean(), answer.RootElement.GetProperty("entries").GetInt32()));
        Assert.Equal(JsonValueKind.Null, answer.RootElement.GetProperty("firstBadIndex").ValueKind);

        var bytes = await File.ReadAllBytesAsync(proof, TestContext.Current.CancellationToken);
        bytes[60] ^= 1;
        await File.WriteAllBytesAsync(proof, bytes, TestContext.Current.CancellationToken);
        Assert.Equal(1, (await FedsegProcess.RunAsync("ledger", "verify", proof, "--key", key)).ExitCode);
        Assert.Equal(2, (await FedsegProcess.RunAsync("ledger", "verify", proof)).ExitCode);
    }

    [Fact]
    public async Task Export_NoSuchEntry_IsBadInputThatNamesTheRange()
    {
        await WriteLedgerAsync();

        var ended = await FedsegProcess.RunAsync("ledger", "export", Ledger, "--index", "3", "--out", _folder["proof"]);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("0 to 2", ended.ErrorLine);
    }

    [Fact]
    public async Task Bench_ManyCallersAtOnce_KeepsAndVerifiesEveryEntry()
    {
        var ended = await FedsegProcess.RunAsync("ledger", "bench", "--entries", "5000", "--json");

        Assert.Equal(0, ended.ExitCode);
        using var document = JsonDocument.Parse(ended.Output);
        Assert.Equal(5000, document.RootElement.GetProperty("entries").GetInt64());
        // The promise is 2000; a busy machine of two cores must not make this test a matter of luck.
        Assert.True(document.RootElement.GetProperty("appendsPerSecond").GetDouble() > 200);
    }

    private string Ledger => _folder["ledger"];

    private async Task WriteLedgerAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var writer = LedgerWriter.Open(Ledger, "fedseg/site/north", key, TimeProvider.System);
        foreach (var site in new[] { "first-site", "second-site", "third-site" }) await writer.AppendAsync("egressSent", [KeyValuePair.Create("site", site)]);
    }
}
