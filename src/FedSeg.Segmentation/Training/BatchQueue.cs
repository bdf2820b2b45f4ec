using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// Assembles batches on one thread of its own, at most two ahead, in the sampler's order: the step does not wait for data, and the draws stay those of a
/// plain loop.
/// </summary>
internal sealed class BatchQueue : IDisposable
{
    private const int Ahead = 2;

    private readonly BlockingCollection<PatchBatch> _ready = new(Ahead);
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _assembler;
    private ExceptionDispatchInfo? _fault;

    public BatchQueue(PatchSampler sampler, int batches)
    {
        _assembler = new Thread(() => Assemble(sampler, batches)) { IsBackground = true, Name = "patches" };
        _assembler.Start();
    }

    /// <summary>The next batch; waits for it.</summary>
    /// <exception cref="InvalidOperationException">All batches were taken.</exception>
    public PatchBatch Take(CancellationToken cancellationToken)
    {
        try
        {
            return _ready.Take(cancellationToken);
        }
        catch (InvalidOperationException) when (_fault is not null)
        {
            _fault.Throw();
            throw;
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _assembler.Join();
        _ready.Dispose();
        _stop.Dispose();
    }

    private void Assemble(PatchSampler sampler, int batches)
    {
        try
        {
            for (var i = 0; i < batches; i++) _ready.Add(sampler.Next(), _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // Disposed before all batches were taken.
        }
        catch (Exception error)
        {
            _fault = ExceptionDispatchInfo.Capture(error);
        }
        finally
        {
            _ready.CompleteAdding();
        }
    }
}
