using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// Assembles batches ahead of the steps on threads of its own, each at most <see cref="Ahead"/> batches, and hands them out in order. A batch is a function of its
/// number alone, so neither the number of threads nor their order changes what the network sees.
/// </summary>
/// <typeparam name="T">A batch.</typeparam>
internal sealed class PatchLoader<T> : IDisposable
{
    private const int Ahead = 2;

    private readonly BlockingCollection<T>[] _ready;
    private readonly Thread[] _threads;
    private readonly CancellationTokenSource _stop = new();
    private readonly Stopwatch _waited = new();
    private ExceptionDispatchInfo? _fault;
    private int _taken;

    /// <param name="make">Makes the batch of a number; called from any thread.</param>
    /// <param name="first">Number of the first batch.</param>
    /// <param name="count">How many batches are wanted.</param>
    /// <param name="threads">Threads that make them.</param>
    public PatchLoader(Func<long, T> make, long first, int count, int threads)
    {
        _ready = [.. Enumerable.Range(0, threads).Select(_ => new BlockingCollection<T>(Ahead))];
        _threads = [.. _ready.Select((ready, own) => new Thread(() => Assemble(make, ready, first + own, first + count)) { IsBackground = true, Name = $"patches {own}" })];
        foreach (var thread in _threads) thread.Start();
    }

    /// <summary>How long <see cref="Take"/> has waited for data so far.</summary>
    public TimeSpan Waited => _waited.Elapsed;

    /// <summary>The next batch; waits for it.</summary>
    /// <exception cref="InvalidOperationException">All batches were taken.</exception>
    public T Take(CancellationToken cancellationToken)
    {
        _waited.Start();
        try
        {
            return _ready[_taken++ % _ready.Length].Take(cancellationToken);
        }
        catch (InvalidOperationException) when (_fault is not null)
        {
            _fault.Throw();
            throw;
        }
        finally
        {
            _waited.Stop();
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        foreach (var thread in _threads) thread.Join();
        foreach (var ready in _ready) ready.Dispose();
        _stop.Dispose();
    }

    private void Assemble(Func<long, T> make, BlockingCollection<T> ready, long first, long end)
    {
        try
        {
            for (var number = first; number < end; number += _ready.Length) ready.Add(make(number), _stop.Token);
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
            ready.CompleteAdding();
        }
    }
}
