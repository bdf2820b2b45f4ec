using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Phantoms;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Testing;

namespace FedSeg.Segmentation.Tests.Preprocessing;

public sealed class CohortFingerprintTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _site;

    public CohortFingerprintTests() =>
        _site = _folder[PhantomHospitals.Write(_folder["."], new PhantomOptions { Sites = 1, CasesPerSite = 4 }).Single().Site];

    public void Dispose() => _folder.Dispose();

    private (byte[] Fingerprint, List<string> Counted) Of(int threads, Func<string, bool>? isLeftOut = null, Action? caseRead = null)
    {
        var counted = new List<string>();
        var fingerprint = CohortFingerprint.Of(
            _site,
            LabelVocabulary.Of(PhantomHospitals.Kidney, PhantomHospitals.Tumour),
            "MR",
            leastCases: 2,
            threads,
            TestContext.Current.CancellationToken,
            isLeftOut: isLeftOut,
            counted: counted.Add,
            caseRead: caseRead);
        return (fingerprint!.ToBytes(), counted);
    }

    /// <summary>The first case is held up until another one was read.</summary>
    [Fact]
    public void Of_CasesReadInAnotherOrderOnSeveralThreads_IsTheSameToTheLastBit()
    {
        var alone = Of(threads: 1);
        using var anotherRead = new ManualResetEventSlim();
        var firstCameLast = true;

        var together = Of(
            threads: 4,
            key =>
            {
                if (key != alone.Counted[0]) return false;
                firstCameLast &= anotherRead.Wait(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
                return false;
            },
            anotherRead.Set);

        Assert.NotEqual(alone.Counted[0], alone.Counted[^1]);
        Assert.True(firstCameLast);
        Assert.Equal(alone.Counted, together.Counted);
        Assert.Equal(alone.Fingerprint, together.Fingerprint);
    }
}
