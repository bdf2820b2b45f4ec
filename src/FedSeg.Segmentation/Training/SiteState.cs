using System.Globalization;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// What a site keeps of a run between its rounds, in a folder a round: nothing of it ever leaves. A round reads what earlier rounds left and writes only its own, so a
/// round that is done again, after a crash or for want of an answer, starts from the same and ends at the same.
/// </summary>
internal sealed class SiteState
{
    private readonly string _directory;
    private readonly int _round;

    /// <param name="directory">The run's folder; made if it is not there.</param>
    /// <param name="round">The round being worked on.</param>
    public SiteState(string directory, int round)
    {
        _directory = directory;
        _round = round;
        Directory.CreateDirectory(FolderOf(round));
    }

    /// <summary>Where this round writes a part.</summary>
    public string PathOf(string part) => Path.Combine(FolderOf(_round), part + ".safetensors");

    /// <summary>A part as the newest earlier round left it, or <see langword="null"/>.</summary>
    public string? FindEarlier(string part) => Earlier()
        .Select(round => Path.Combine(FolderOf(round), part + ".safetensors"))
        .FirstOrDefault(File.Exists);

    /// <summary>Ends the round: its checkpoints go, and whatever no repetition of it could read.</summary>
    public void Complete(params IEnumerable<string> checkpoints)
    {
        foreach (var checkpoint in checkpoints) File.Delete(PathOf(checkpoint));
        var later = new HashSet<string?>();
        foreach (var folder in Earlier().Select(FolderOf))
        {
            var parts = Directory.GetFiles(folder).Select(Path.GetFileName).ToList();
            // A round that came to nothing leaves nothing, and what is older stays the newest there is.
            if (parts.All(later.Contains)) Directory.Delete(folder, recursive: true);
            later.UnionWith(parts);
        }
    }

    /// <summary>Rounds before this one that left anything, newest first.</summary>
    private List<int> Earlier() => Directory.GetDirectories(_directory)
        .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var round) ? round : int.MaxValue)
        .Where(round => round < _round)
        .OrderDescending()
        .ToList();

    private string FolderOf(int round) => Path.Combine(_directory, round.ToString(CultureInfo.InvariantCulture));
}
