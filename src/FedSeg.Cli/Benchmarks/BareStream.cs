using FedSeg.Cli.Jobs;
using FedSeg.Protocol.V1;

namespace FedSeg.Cli.Benchmarks;

/// <summary>The ceiling of the same wire: the stored model streamed over the same mutual TLS to one process that only counts the bytes.</summary>
internal static class BareStream
{
    /// <summary>Streams the model as often as there are sites, at once.</summary>
    /// <returns>Bytes per second over all streams.</returns>
    public static async Task<double> MeasureAsync(CoordinatorConnection connection, ModelFile model, int streams, TimeProvider time, CancellationToken cancellationToken)
    {
        await CountAsync(connection, model, cancellationToken);
        var started = time.GetTimestamp();
        var counted = await Task.WhenAll(Enumerable.Range(0, streams).Select(_ => CountAsync(connection, model, cancellationToken)));
        return counted.Sum() / time.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task<long> CountAsync(CoordinatorConnection connection, ModelFile model, CancellationToken cancellationToken)
    {
        using var call = connection.Runs.DownloadModel(new DownloadRequest { Sha256 = model.Sha256 }, cancellationToken: cancellationToken);
        var bytes = 0L;
        while (await call.ResponseStream.MoveNext(cancellationToken)) bytes += call.ResponseStream.Current.Data.Length;
        return bytes;
    }
}
