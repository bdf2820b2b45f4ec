using System.Runtime.CompilerServices;
using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using Grpc.Core;

namespace FedSeg.Coordinator.Grpc;

/// <summary>Reads an upload's parts and trusts none of them: the sender must keep its pace, send whole chunks and not tiny ones.</summary>
internal sealed class UploadParts(IAsyncStreamReader<UploadPart> stream, TransferPace pace, TimeProvider time, CancellationToken cancellationToken)
{
    private TransferWatch _watch = new(pace, time);

    /// <summary>The next part; <see langword="null"/> at the end.</summary>
    /// <exception cref="RpcException">The sender did not keep its pace.</exception>
    public async Task<UploadPart?> NextAsync()
    {
        try
        {
            return await _watch.NextAsync(stream.MoveNext(cancellationToken), cancellationToken) ? stream.Current : null;
        }
        catch (TransferStalledException error)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, error.Message));
        }
    }

    /// <summary>The chunks that follow the header, up to the first damaged one: what is good is stored, and the sender goes on from there.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ChunksAsync([EnumeratorCancellation] CancellationToken enumeratorCancellation = default)
    {
        // What this end took to prove what it has already is no delay of the sender's.
        _watch = new TransferWatch(pace, time);
        var previous = FileChunks.MinimumChunkBytes;
        while (await NextAsync() is { } part)
        {
            enumeratorCancellation.ThrowIfCancellationRequested();
            if (part.KindCase != UploadPart.KindOneofCase.Chunk)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, "Only chunks follow an upload's header."));
            }

            if (previous < FileChunks.MinimumChunkBytes)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, $"Every chunk but the last has at least {FileChunks.MinimumChunkBytes} bytes."));
            }

            if (!FileChunks.IsWhole(part.Chunk)) yield break;
            previous = part.Chunk.Data.Length;
            _watch.Moved(previous);
            yield return part.Chunk.Data.Memory;
        }
    }
}
