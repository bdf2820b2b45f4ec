using System.Text.Json;
using FedSeg.Egress.Review;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Storage;

namespace FedSeg.Egress.Outbox;

/// <summary>
/// Sealed updates on disk until they are sent: one folder each, named by the update's digest, with <c>report.json</c>, the weights, and
/// <c>summary.json</c> for the people who decide. The folder gets its name when it
/// is complete, so a half-written one is never taken for an update.
/// </summary>
internal sealed class UpdateOutbox
{
    private const string ReportName = "report.json", SummaryName = "summary.json";
    private const string SealingPrefix = "sealing-";
    private const long MaxReportBytes = 1 << 20;

    private readonly string _directory;

    public UpdateOutbox(string directory)
    {
        _directory = directory;
        Directory.CreateDirectory(directory);
    }

    /// <summary>A new empty folder to seal an update in.</summary>
    public string BeginSealing() => Directory.CreateDirectory(Path.Combine(_directory, SealingPrefix + Guid.NewGuid().ToString("N"))).FullName;

    /// <summary>Stores the sealed update under its digest. When this returns, its files are on the disk.</summary>
    /// <param name="sealingFolder">Where its weights are.</param>
    /// <param name="update">The update.</param>
    /// <param name="summary">For the people who decide; none for what is decided already.</param>
    public SealedUpdate Store(string sealingFolder, SealedUpdate update, ReviewSummary? summary)
    {
        DurableFile.Write(Path.Combine(sealingFolder, ReportName), update.ReportBytes.Span);
        if (summary is not null) DurableFile.Write(Path.Combine(sealingFolder, SummaryName), summary.ToBytes());

        // The same bits may have been sealed before; what lies there is replaced by what was measured now.
        Remove(update.Digest);
        var folder = FolderOf(update.Digest);
        DurableFile.PublishDirectory(sealingFolder, folder);
        var payload = update.Payload is { } sealedPayload ? sealedPayload with { Path =
            Path.Combine(folder, Path.GetFileName(sealedPayload.Path)) } : null;
        return new SealedUpdate(update.Report, update.ReportBytes.ToArray(), payload);
    }

    /// <summary>Reads an update back; <see langword="null"/> when it is gone or not, bit for bit, the one with this digest.</summary>
    public async Task<SealedUpdate?> FindAsync(Sha256Digest digest, CancellationToken cancellationToken)
    {
        var reportPath = Path.Combine(FolderOf(digest), ReportName);
        // One of them; with two, the digest fits neither.
        var payloadPath = SealedPayload.Names.Select(name => Path.Combine(FolderOf(digest), name)).FirstOrDefault(File.Exists);
        if (!File.Exists(reportPath) || new FileInfo(reportPath).Length > MaxReportBytes) return null;

        var report = await File.ReadAllBytesAsync(reportPath, cancellationToken);
        var payload = payloadPath is not null
            ? new SealedPayload(payloadPath, new FileInfo(payloadPath).Length, await Sha256Digest.OfFileAsync(payloadPath, cancellationToken))
            : null;
        // Only bytes with the approved digest are parsed.
        return SealedDigest.Of(report, payload?.Sha256) == digest ? new SealedUpdate(SiteReport.FromBytes(report), report, payload) : null;
    }

    /// <summary>What was measured of an update; <see langword="null"/> when it is gone or unreadable. Nothing is decided on it but by people.</summary>
    public ReviewSummary? FindSummary(Sha256Digest digest)
    {
        try
        {
            return ReviewSummary.FromBytes(File.ReadAllBytes(Path.Combine(FolderOf(digest), SummaryName)));
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            return null;
        }
    }

    public void Remove(Sha256Digest digest) => RemoveFolder(FolderOf(digest));

    public static void Abandon(string sealingFolder) => RemoveFolder(sealingFolder);

    /// <summary>Removes everything but the updates with these digests.</summary>
    public void KeepOnly(IEnumerable<Sha256Digest> digests)
    {
        var keep = digests.Select(digest => digest.ToString()).ToHashSet(StringComparer.Ordinal);
        foreach (var folder in Directory.GetDirectories(_directory))
        {
            if (!keep.Contains(Path.GetFileName(folder))) RemoveFolder(folder);
        }
    }

    private string FolderOf(Sha256Digest digest) => Path.Combine(_directory, digest.ToString());

    private static void RemoveFolder(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
