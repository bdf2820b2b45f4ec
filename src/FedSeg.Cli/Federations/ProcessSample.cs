namespace FedSeg.Cli.Federations;

/// <summary>What a process holds at a moment.</summary>
/// <param name="Megabytes">Resident memory, 10^6 bytes.</param>
/// <param name="Handles">Open files, sockets and the like.</param>
/// <param name="Threads">Threads.</param>
internal readonly record struct ProcessSample(double Megabytes, int Handles, int Threads)
{
    public string ToCsv() => FormattableString.Invariant($"{Megabytes:F1},{Handles},{Threads}");
}
