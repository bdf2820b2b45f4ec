using System.Text;

namespace FedSeg.EndToEnd.Tests;

/// <summary>No patient string leaves: canaries stand in every free text of the DICOM files and must be found nowhere else.</summary>
public sealed class PrivacyTests(PhantomCohorts cohorts)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Canaries_AfterAWholeRun_AreInNoSentByteNoCoordinatorFileAndNoLog()
    {
        await using var federation = new TestFederation(cohorts);
        var proxies = federation.Sites.Select(site => new RecordingProxy(federation, site)).ToList();
        await federation.StartAllAsync(Cancellation);
        var ended = await federation.WaitForEndAsync(await federation.SubmitAsync(federation.Job(), Cancellation), Cancellation);
        Assert.Equal("completed", ended.Status);

        await federation.Demo.StopAsync();

        // Controls: the canaries are in what was read, and the recorder sees what is sent.
        Assert.All(cohorts.Sites.Values, site => Assert.NotEmpty(FilesWith(site, "*.dcm", PhantomCohorts.Canary)));
        Assert.All(proxies, proxy => Assert.True(Contains(proxy.Sent, "kidney")));
        Assert.All(proxies, proxy => Assert.True(proxy.Sent.Length > ended.Model.Bytes * 2));

        foreach (var word in new[] { PhantomCohorts.Canary, "Canary" })
        {
            Assert.All(proxies, proxy => Assert.False(Contains(proxy.Sent, word), $"'{word}' was sent"));
            Assert.Empty(FilesWith(Path.Combine(federation.Demo.CoordinatorDirectory, "data"), "*", word));
            Assert.Empty(FilesWith(federation.Demo.LogDirectory, "*", word));
            // The site's own ledger, outbox and reports too: only its settings, which map its labels, know the words.
            Assert.All(federation.Sites, site => Assert.Empty(FilesWith(Path.Combine(federation.Demo.SiteDirectory(site), "data"), "*", word)));
        }

        federation.AssertNoErrorsLogged();
        foreach (var proxy in proxies) await proxy.DisposeAsync();
    }

    [Fact]
    public async Task CutConnection_InTheMiddleOfAnUpload_GoesOnWhereTheCoordinatorStopped()
    {
        await using var federation = new TestFederation(cohorts, "north");
        await using var proxy = new RecordingProxy(federation, "north");
        await federation.StartAllAsync(Cancellation);
        // 5.6 MB of weights; the cut comes after half of them, the model itself travels the other way.
        const long cutAfter = 3_000_000;
        proxy.CutAfter(cutAfter);
        var ended = await federation.WaitForEndAsync(await federation.SubmitAsync(federation.Job(rounds: 1, steps: 1, baseFeatures: 16, levels: 4), Cancellation), Cancellation);

        Assert.Equal("completed", ended.Status);
        Assert.Equal(1, proxy.Cuts);
        var weights = ended.Rounds[0].Sites[0].Bytes;
        Assert.True(weights > 2 * cutAfter * 0.9);
        // What was lost in flight is sent again: HTTP/2's window and a chunk or two, not the whole.
        Assert.InRange(proxy.Sent.Length, weights, weights + 1_500_000);
    }

    private static bool Contains(byte[] bytes, string word) => bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(word)) >= 0;

    private static List<string> FilesWith(string directory, string pattern, string word) =>
        [.. Directory.EnumerateFiles(directory, pattern, SearchOption.AllDirectories).Where(file => Contains(ReadShared(file), word))];

    private static byte[] ReadShared(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
