using System.Runtime.CompilerServices;
using FedSeg.Protocol.V1;
using Grpc.Core;

namespace FedSeg.Coordinator.Grpc;

/// <summary>
/// Reads an upload's parts with a watchdog on silence: gRPC sets no limit on a streaming call, so a client that stops sending would hold its place for ever.
/// The transfer as a whole may take any time.
/// </summary>
internal sealed class UploadParts(IAsyncStreamReader<UploadPart> stream, TimeSpan silence, TimeProvider time, CancellationToken cancellationToken)
{
    /// <summary>The next part; <see langword="null"/> at the end.</summary>
    /// <exception cref="RpcException">Nothing came for too long.</exception>
    public async Task<UploadPart?> NextAsync()
    {
        try
        {
            return await stream.MoveNext(cancellationToken).WaitAsync(silence, time, cancellationToken) ? stream.Current : null;
        }
        catch (TimeoutException)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, $"No part of the upload arrived for {silence.TotalSeconds:F0} s."));
        }
    }

    /// <summary>The chunks that follow the header.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ChunksAsync([EnumeratorCancellation] CancellationToken enumeratorCancellation = default)
    {
        while (await NextAsync() is { } part)
        {
            enumeratorCancellation.ThrowIfCancellationRequested();
            if (part.KindCase != UploadPart.KindOneofCase.Chunk)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, "Only chunks follow an upload's header."));
            }

            yield return part.Chunk.Data.Memory;
        }
    }
}
