using System.Security.Cryptography;
using FedSeg.Ledger.Storage;

namespace FedSeg.Ledger.Tests;

/// <summary>A ledger in a folder of its own, deleted at the end.</summary>
internal sealed class LedgerOnDisk : IDisposable
{
    public const string Origin = "hospital.example/egress";

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("fedseg-ledger-").FullName;

    public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The files whose bytes the verifier vouches for.</summary>
    public static string[] Files => ["entries", "leaves", "checkpoints", "key.pem"];

    public LedgerWriter Open() => LedgerWriter.Open(Directory, Origin, Key, new FixedTime());

    public LedgerOnDisk With(int entries)
    {
        using var writer = Open();
        for (var i = 0; i < entries; i++) writer.Append("tested", [new("n", $"{i}")]);
        return this;
    }

    public string PathOf(string file) => Path.Combine(Directory, file);

    public byte[] Read(string file) => File.ReadAllBytes(PathOf(file));

    public void Write(string file, byte[] bytes) => File.WriteAllBytes(PathOf(file), bytes);

    public void Dispose()
    {
        Key.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    }
}
