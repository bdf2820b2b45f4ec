namespace FedSeg.Federation.Tests.Simulation;

/// <summary>The one source of chance of a simulation: SplitMix64 (Steele, Lea and Flood 2014), the same numbers on any machine and version.</summary>
internal sealed class Chance(ulong seed)
{
    private ulong _state = seed;

    public bool Happens(double probability) => Unit() < probability;

    /// <summary>A whole number from 0 on, below the limit.</summary>
    public int Below(int limit) => (int)(Next() % (ulong)limit);

    /// <summary>A whole number from the first to the last, both possible.</summary>
    public int Between(int first, int last) => first + Below(last - first + 1);

    public T Of<T>(params ReadOnlySpan<T> choices) => choices[Below(choices.Length)];

    /// <summary>How long until something that happens once in <paramref name="mean"/> on average, never 0.</summary>
    public long Until(double mean) => 1 + (long)(-mean * Math.Log(1 - Unit()));

    private double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    private ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var mixed = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }
}
