using System.Net;
using System.Net.Http.Headers;

namespace FedSeg.Importer.Pacs;

/// <summary>
/// A DICOM file as one part of an upload: streamed, its length told beforehand; every piece that the PACS takes counts as progress.
/// </summary>
internal sealed class GuardedFileContent : HttpContent
{
    private const int BufferBytes = 64 * 1024;
    private readonly string _path;
    private readonly SilenceGuard _guard;

    public GuardedFileContent(string path, SilenceGuard guard)
    {
        _path = path;
        _guard = guard;
        Headers.ContentType = new MediaTypeHeaderValue("application/dicom");
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);
        var buffer = new byte[BufferBytes];
        int read;
        while ((read = await file.ReadAsync(buffer, cancellationToken)) > 0)
        {
            _guard.Arm();
            await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override bool TryComputeLength(out long length)
    {
        length = new FileInfo(_path).Length;
        return true;
    }
}
