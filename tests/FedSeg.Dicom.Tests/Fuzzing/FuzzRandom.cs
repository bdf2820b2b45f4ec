namespace FedSeg.Dicom.Tests.Fuzzing;

/// <summary>SplitMix64: the same numbers on every machine and framework, so that a seed and an execution number are enough to repeat a finding.</summary>
internal sealed class FuzzRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var value = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>A number from 0 up to, not including, <paramref name="bound"/>.</summary>
    public int Below(int bound) => (int)(Next() % (ulong)bound);

    public T Of<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];
}
