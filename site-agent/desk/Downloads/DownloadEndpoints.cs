using System.Text;
using FedSeg.Egress.Review;
using FedSeg.Federation.Identity;
using FedSeg.Ledger.Storage;

namespace FedSeg.Desk.Downloads;

/// <summary>What a person may take away to check for themselves: the exact bytes that would leave (in a blind round
/// those that will be masked: the masks come after the approval), and proofs that need no ledger.</summary>
internal static class DownloadEndpoints
{
    public static void MapDownloads(this WebApplication app)
    {
        app.MapGet("/updates/{update}/weights", async (string update, DeskClient desk, CancellationToken cancellationToken) =>
            await FindAsync(update, desk, cancellationToken) is { Weights.Path: var path }
                ? Results.File(path, "application/octet-stream", $"{update[..12]}.safetensors")
                : Results.NotFound());
        app.MapGet("/updates/{update}/report", async (string update, DeskClient desk, CancellationToken cancellationToken) =>
            await FindAsync(update, desk, cancellationToken) is { } found
                ? Results.File(found.ReportBytes.ToArray(), "application/json", $"{update[..12]}.json")
                : Results.NotFound());
        app.MapGet("/ledger/{index:long}/proof", (long index, DeskClient desk) => desk.Ledger() is { } ledger && index >= 0 && index < ledger.Count
            ? Results.File(Encoding.UTF8.GetBytes(OfflineProof.Of(ledger, index)), "text/plain; charset=utf-8", $"entry-{index}.tlog-proof")
            : Results.NotFound());
    }

    private static async Task<SealedBytes?> FindAsync(string update, DeskClient desk, CancellationToken cancellationToken) =>
        Sha256Digest.TryParse(update, null, out var digest) && desk.Ask(book => book.Find(digest)) is not null
            ? await desk.FindBytesAsync(digest, cancellationToken)
            : null;
}
