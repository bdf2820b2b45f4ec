using System.Globalization;
using FedSeg.Hosting.Storage;

namespace FedSeg.SiteAgent.Assignments;

/// <summary>
/// What a run's encoding held back at this site (error feedback), in the run's own folder and gone with it. The gate leaves a round's
/// residual here while it seals; it counts once the coordinator has the update it belongs to. Until then the last one that counted stays,
/// so that a round that is done again, or whose update is refused, changes nothing. It comes from patients, like any change of weights:
/// nothing here is ever sent.
/// </summary>
/// <param name="directory">The run's folder.</param>
internal sealed class ResidualFiles(string directory)
{
    private const string Prefix = "residual-", Kept = ".safetensors", Unsent = ".unsent";

    /// <summary>What the newest round before this one held back; <see langword="null"/> for nothing.</summary>
    public string? FindBefore(int round) => Rounds(Kept).Where(kept => kept < round).Select(kept => (int?)kept).Max() is { } newest
        ? PathOf(newest, Kept) : null;

    /// <summary>Where the gate leaves a round's residual.</summary>
    public string UnsentPath(int round) => PathOf(round, Unsent);

    /// <summary>
    /// The coordinator has the round's update: its residual counts, durably, and earlier ones go. Done twice it does nothing more.
    /// </summary>
    public void Keep(int round)
    {
        if (!File.Exists(UnsentPath(round))) return;
        DurableFile.Publish(UnsentPath(round), PathOf(round, Kept));
        foreach (var earlier in Rounds(Kept).Where(kept => kept < round)) File.Delete(PathOf(earlier, Kept));
    }

    /// <summary>Removes residuals whose updates will not be sent any more.</summary>
    public void DropUnsent()
    {
        foreach (var round in Rounds(Unsent)) File.Delete(PathOf(round, Unsent));
    }

    /// <summary>Removes every residual: somebody withdrew who may have a part in it.</summary>
    public void DropAll()
    {
        DropUnsent();
        foreach (var round in Rounds(Kept)) File.Delete(PathOf(round, Kept));
    }

    private List<int> Rounds(string ending) => !Directory.Exists(directory) ? [] : Directory.GetFiles(directory, Prefix + "*" + ending)
        .Select(path => Path.GetFileNameWithoutExtension(path)[Prefix.Length..])
        .Select(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var round) ? round : 0)
        .Where(round => round > 0)
        .ToList();

    private string PathOf(int round, string ending) =>
        Path.Combine(directory, Prefix + round.ToString(CultureInfo.InvariantCulture) + ending);
}
