using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Operations;
using FedSeg.Federation.Identity;
using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using Grpc.Core;

namespace FedSeg.Coordinator.Grpc;

/// <summary>Sends a stored model in chunks from an offset, to a reader that keeps its pace.</summary>
internal static class ModelStream
{
    public static async Task SendAsync(
        BlobStore blobs, Sha256Digest model, long offset, IServerStreamWriter<Chunk> stream, TransferPace pace,
            CoordinatorTelemetry telemetry, TimeProvider time, CancellationToken cancellationToken)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            var path = Find(blobs, model);
            // From here on: fetching it was no delay of the reader's.
            var watch = new TransferWatch(pace, time);
            await foreach (var chunk in FileChunks.ReadFileAsync(path, offset, cancellationToken))
            {
                // A reader that takes nothing would hold its buffers for ever: the write waits for it, the watch does not.
                var written = WrittenAsync(chunk);
                try
                {
                    await watch.NextAsync(written, CancellationToken.None);
                }
                catch (TransferStalledException)
                {
                    // A write that outlived its call would find it gone when the line ends.
                    await cut.CancelAsync();
                    await Task.WhenAny(written);
                    throw;
                }

                watch.Moved(chunk.Data.Length);
                telemetry.Sent(chunk.Data.Length);
            }
        }
        catch (TransferStalledException error)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, error.Message));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RpcException(new Status(StatusCode.NotFound, "There is no such model."));
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new RpcException(new Status(StatusCode.OutOfRange, "The offset lies outside the model."));
        }

        async Task<bool> WrittenAsync(Chunk chunk)
        {
            await stream.WriteAsync(chunk, cut.Token);
            return true;
        }
    }

    private static string Find(BlobStore blobs, Sha256Digest model)
    {
        try
        {
            return blobs.PathOf(model);
        }
        catch (Exception error) when (error is IOException or InvalidDataException)
        {
            // The bucket is away or damaged: for those who run the coordinator to see to.
            throw new RpcException(new Status(StatusCode.Unavailable, "The model can't be fetched just now; try again."));
        }
    }
}
