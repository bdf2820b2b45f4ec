using FedSeg.Segmentation.Training;

namespace FedSeg.Segmentation.Tests.Training;

public sealed class PatchLoaderTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static PatchBatch Numbered(long number) => new([number], [0], 1, (1, 1, 1));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Take_AnyNumberOfThreads_HandsBatchesOutInOrder(int threads)
    {
        using var loader = new PatchLoader<PatchBatch>(Numbered, first: 100, count: 50, threads);
        Assert.Equal(Enumerable.Range(100, 50).Select(i => (float)i), Enumerable.Range(0, 50).Select(_ => loader.Take(Cancellation).Images[0]));
        Assert.Throws<InvalidOperationException>(() => loader.Take(Cancellation));
    }

    [Fact]
    public void Take_MakingABatchFails_ThrowsThatFault()
    {
        using var loader = new PatchLoader<PatchBatch>(number => number < 2 ? Numbered(number) : throw new InvalidDataException("bad"), first: 0, count: 9, threads: 1);
        loader.Take(Cancellation);
        loader.Take(Cancellation);
        Assert.Throws<InvalidDataException>(() => loader.Take(Cancellation));
    }

    [Fact]
    public void Waited_BatchesLate_CountsTheWait()
    {
        using var gate = new ManualResetEventSlim();
        using var loader = new PatchLoader<PatchBatch>(
            number =>
            {
                gate.Wait(TimeSpan.FromMilliseconds(50), Cancellation);
                return Numbered(number);
            },
            first: 0,
            count: 1,
            threads: 1);
        loader.Take(Cancellation);
        Assert.True(loader.Waited > TimeSpan.FromMilliseconds(20), $"{loader.Waited}");
    }

    [Fact]
    public void Dispose_BeforeTheLastBatch_EndsTheThreads()
    {
        var made = 0;
        using (var loader = new PatchLoader<PatchBatch>(number => Numbered(Interlocked.Increment(ref made)), first: 0, count: 1_000_000, threads: 2)) loader.Take(Cancellation);
        Assert.InRange(made, 1, 20);
    }
}
