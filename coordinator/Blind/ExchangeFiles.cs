using System.Globalization;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Storage;
using FedSeg.SecureAggregation.Server;

namespace FedSeg.Coordinator.Blind;

/// <summary>
/// The messages of one blind round on disk, a file for each stage and site: what the round's server is rebuilt from after a restart, and
/// what an auditor unmasks the sum
/// with again. They give away the sum and nothing else.
/// </summary>
internal sealed class ExchangeFiles
{
    private readonly string _directory;

    /// <param name="dataDirectory">The coordinator's.</param>
    /// <param name="plan">The round.</param>
    public ExchangeFiles(string dataDirectory, RoundPlan plan) =>
        _directory = Path.Combine(dataDirectory, "exchanges", plan.Run.ToString(), plan.Round.ToString(CultureInfo.InvariantCulture));

    /// <summary>Stores a message; durable when this returns.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void Write(SumStage stage, SiteId site, ReadOnlySpan<byte> message)
    {
        DurableFile.CreateDirectory(_directory);
        DurableFile.Write(PathOf(stage, site), message);
    }

    /// <summary>The stored message of a site, if there is one.</summary>
    public byte[]? Find(SumStage stage, SiteId site) => File.Exists(PathOf(stage, site)) ? File.ReadAllBytes(PathOf(stage, site)) : null;

    /// <summary>Removes them all: disclosed shares are of no use when the updates they unmask are gone.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void Delete()
    {
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    private string PathOf(SumStage stage, SiteId site) => Path.Combine(_directory, $"{stage.ToString().ToLowerInvariant()}-{site}");
}
