using FedSeg.Cli.Jobs;
using FedSeg.Protocol.V1;

namespace FedSeg.Cli.Benchmarks;

/// <summary>
/// The ceiling of the same wire: the stored model streamed over the same mutual TLS, a connection a site, to one process that only counts the bytes.
/// </summary>
internal static class BareStream
{
    /// <summary>Streams the model as often as there are sites, at once.</summary>
    /// <param name="profilePath">Who asks for it, and where.</param>
    /// <param name="model">The model.</param>
    /// <param name="streams">How many.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cuts it off.</param>
    /// <returns>Bytes per second over all streams; the best of three times.</returns>
    public static async Task<double> MeasureAsync(string profilePath, ModelFile model, int streams, TimeProvider time, CancellationToken cancellationToken)
    {
        var connections = Enumerable.Range(0, streams).Select(_ => CoordinatorConnection.Open(profilePath)).ToList();
        try
        {
            var best = 0.0;
            for (var attempt = 0; attempt < 3; attempt++)
            {
                var started = time.GetTimestamp();
                var counted = await Task.WhenAll(connections.Select(connection => CountAsync(connection, model, cancellationToken)));
                best = Math.Max(best, counted.Sum() / time.GetElapsedTime(started).TotalSeconds);
            }

            return best;
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
    }

    private static async Task<long> CountAsync(CoordinatorConnection connection, ModelFile model, CancellationToken cancellationToken)
    {
        using var call = connection.Runs.DownloadModel(new DownloadRequest { Sha256 = model.Sha256 }, cancellationToken: cancellationToken);
        var bytes = 0L;
        while (await call.ResponseStream.MoveNext(cancellationToken)) bytes += call.ResponseStream.Current.Data.Length;
        return bytes;
    }
}
