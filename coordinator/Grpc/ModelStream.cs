using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using Grpc.Core;

namespace FedSeg.Coordinator.Grpc;

/// <summary>Sends a stored model in chunks from an offset.</summary>
internal static class ModelStream
{
    public static async Task SendAsync(string path, long offset, IServerStreamWriter<Chunk> stream, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var chunk in FileChunks.ReadFileAsync(path, offset, cancellationToken)) await stream.WriteAsync(chunk, cancellationToken);
        }
        catch (FileNotFoundException)
        {
            throw new RpcException(new Status(StatusCode.NotFound, "There is no such model."));
        }
        catch (DirectoryNotFoundException)
        {
            throw new RpcException(new Status(StatusCode.NotFound, "There is no such model."));
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new RpcException(new Status(StatusCode.OutOfRange, "The offset lies outside the model."));
        }
    }
}
