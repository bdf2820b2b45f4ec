namespace FedSeg.Hosting.Certificates;

/// <summary>Turns of the programs that change an authority's files: what one reads and writes back, no other changes meanwhile.</summary>
internal static class FolderTurn
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Waits for the turn, which ends when the result is disposed or the process dies.</summary>
    /// <exception cref="IOException">Another program did not end its turn in time.</exception>
    public static IDisposable Take(string directory)
    {
        var path = Path.Combine(directory, "turn.lock");
        FileStream? turn = null;
        return SpinWait.SpinUntil(() => (turn = TryTake(path)) is not null, Patience)
            ? turn!
            : throw new IOException($"Another program has held '{path}' for {Patience.TotalSeconds} s; end it and try again.");
    }

    private static FileStream? TryTake(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
