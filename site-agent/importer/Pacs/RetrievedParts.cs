using System.Buffers;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.WebUtilities;

namespace FedSeg.Importer.Pacs;

/// <summary>
/// The instances of a WADO-RS answer, one after the other as they arrive: <c>multipart/related; type="application/dicom"</c>, PS3.18
/// §8.6.1.2, RFC 2387. Nothing is
/// held but one buffer. A body that ends before its last boundary is refused, even where the transport saw a regular end.
/// </summary>
internal sealed class RetrievedParts
{
    private const int BufferBytes = 64 * 1024, LongestBoundary = 200, MostHeaders = 16, LongestHeaders = 8 * 1024;
    private readonly MultipartReader _reader;
    private readonly int _mostParts;
    private Stream? _current;
    private int _count;

    private RetrievedParts(MultipartReader reader, int mostParts)
    {
        _reader = reader;
        _mostParts = mostParts;
    }

    /// <param name="contentType">The answer's; it holds the boundary.</param>
    /// <param name="mostParts">More than these is against the protocol.</param>
    /// <exception cref="PacsException">The answer is not a multipart of DICOM instances.</exception>
    public static RetrievedParts Open(MediaTypeHeaderValue? contentType, Stream body, long largestPart, int mostParts)
    {
        if (!string.Equals(contentType?.MediaType, "multipart/related", StringComparison.OrdinalIgnoreCase))
        {
            throw Unexpected("it is not multipart/related");
        }
        var type = Parameter(contentType!, "type");
        if (type is not null && !IsDicom(type)) throw Unexpected("its parts are not declared as application/dicom");
        // RFC 2046 allows 70 characters; servers that take longer ones exist.
        var boundary = Parameter(contentType!, "boundary");
        if (boundary is not { Length: > 0 and <= LongestBoundary }) throw Unexpected("it has no usable boundary");
        var reader = new MultipartReader(boundary, body, BufferBytes)
        {
            HeadersCountLimit = MostHeaders,
            HeadersLengthLimit = LongestHeaders,
            BodyLengthLimit = largestPart,
        };
        return new RetrievedParts(reader, mostParts);
    }

    /// <summary>Goes to the next instance, over what is left of the current one.</summary>
    /// <returns>False after the last one.</returns>
    public async Task<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        var section = await ReadAsync(
            () => _reader.ReadNextSectionAsync(cancellationToken),
            _ => Unexpected("its parts' headers are malformed or too long"));
        if (section is null) return false;
        if (++_count > _mostParts) throw Unexpected($"it has more than {_mostParts} parts");
        if (!MediaTypeHeaderValue.TryParse(section.ContentType, out var type) || !IsDicom(type.MediaType))
        {
            throw Unexpected("a part of it is not application/dicom");
        }
        _current = section.Body;
        return true;
    }

    /// <summary>Writes the current instance's bytes as they come.</summary>
    public async Task CopyToAsync(Stream destination, CancellationToken cancellationToken)
    {
        var source = _current ?? throw new InvalidOperationException("There is no current part.");
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read;
            while ((read = await ReadAsync(() => source.ReadAsync(buffer, 0, buffer.Length, cancellationToken), TooLarge)) > 0)
            {
                await destination.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <param name="refusal">What the reader's own limits mean at this place.</param>
    private static async Task<T> ReadAsync<T>(Func<Task<T>> read, Func<InvalidDataException, PacsException> refusal)
    {
        try
        {
            return await read();
        }
        catch (InvalidDataException limit)
        {
            throw refusal(limit);
        }
        catch (IOException cut)
        {
            throw new PacsException(PacsFault.ConnectionLost, "An answer of the PACS ended before its last boundary.", cut);
        }
    }

    private static string? Parameter(MediaTypeHeaderValue contentType, string name) =>
        contentType.Parameters
            .FirstOrDefault(parameter => string.Equals(parameter.Name, name, StringComparison.OrdinalIgnoreCase))?.Value?.Trim('"');

    private static bool IsDicom(string? mediaType) => string.Equals(mediaType, "application/dicom", StringComparison.OrdinalIgnoreCase);

    private static PacsException TooLarge(InvalidDataException limit) => new(
        PacsFault.LimitExceeded,
        $"An instance is larger than the limit. If it is genuine, raise Importer:Pacs:{nameof(PacsOptions.MaximumInstanceBytes)}.",
        limit);

    private static PacsException Unexpected(string problem) =>
        new(PacsFault.UnexpectedAnswer, $"The PACS answered a retrieval, but {problem}.");
}
