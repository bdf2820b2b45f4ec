using System.Buffers.Binary;
using System.Security.Cryptography;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;
using FedSeg.Ledger.Verifier.Notes;

namespace FedSeg.Ledger.Tests;

/// <summary>A ledger in a folder of its own, deleted at the end.</summary>
internal sealed class LedgerOnDisk : IDisposable
{
    public const string Origin = "hospital.example/egress";

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("fedseg-ledger-").FullName;

    public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The files whose bytes the verifier vouches for, relative to the folder.</summary>
    public string[] Files =>
        [.. System.IO.Directory.GetFiles(Directory, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Directory, path)).Where(name => name != "lock").Order()];

    /// <summary>The growing file of entries.</summary>
    public string EntriesFile => Files.Last(name => name.StartsWith("tile/entries/", StringComparison.Ordinal));

    /// <summary>The growing tile of leaf hashes.</summary>
    public string LeavesFile => Files.Last(name => name.StartsWith("tile/0/", StringComparison.Ordinal));

    public LedgerWriter Open() => LedgerWriter.Open(Directory, Origin, Key, new FixedTime());

    /// <summary>Appends entries, each with a commit of its own.</summary>
    public LedgerOnDisk With(int entries)
    {
        using var writer = Open();
        for (var i = 0; i < entries; i++) Append(writer, "tested", KeyValuePair.Create("n", $"{i}"));
        return this;
    }

    /// <summary>Appends entries that share commits.</summary>
    public LedgerOnDisk WithCommits(params int[] entries) => WithCommits("tested", entries);

    public LedgerOnDisk WithCommits(string action, params int[] entries)
    {
        using var writer = Open();
        foreach (var count in entries)
        {
            Task.WhenAll([.. Enumerable.Range(0, count).Select(i => writer.AppendAsync(action, [new("n", $"{i}")]))]).GetAwaiter().GetResult();
        }

        return this;
    }

    public static LedgerReceipt Append(LedgerWriter writer, string action, params KeyValuePair<string, string>[] facts) =>
        writer.AppendAsync(action, facts).GetAwaiter().GetResult();

    public Verdict Verify(bool againstKey = false) =>
        LedgerVerifier.VerifyFolder(Directory, againstKey ? VerifierKey.Parse(Key.ExportSubjectPublicKeyInfoPem()) : null);

    public string PathOf(string file) => Path.Combine(Directory, file);

    public byte[] Read(string file) => File.ReadAllBytes(PathOf(file));

    public void Write(string file, byte[] bytes)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(PathOf(file))!);
        File.WriteAllBytes(PathOf(file), bytes);
    }

    /// <summary>All files with their bytes.</summary>
    public Dictionary<string, byte[]> Snapshot() => Files.ToDictionary(file => file, Read);

    /// <summary>Makes the folder hold these files and no other.</summary>
    public void Restore(Dictionary<string, byte[]> files)
    {
        foreach (var file in Files.Except(files.Keys)) File.Delete(PathOf(file));
        foreach (var (file, bytes) in files) Write(file, bytes);
    }

    /// <summary>The records of the growing entries file.</summary>
    public List<byte[]> Records()
    {
        var bytes = Read(EntriesFile);
        return [.. Starts(bytes).Select(start => bytes.AsSpan(start + 2, BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(start))).ToArray())];
    }

    /// <summary>Writes the growing entries file and its leaf hashes anew, as someone without the log's key could.</summary>
    public void Rewrite(List<byte[]> records)
    {
        Write(EntriesFile, [.. records.SelectMany(record => new[] { (byte)(record.Length >> 8), (byte)record.Length }.Concat(record))]);
        Write(LeavesFile, [.. records.SelectMany(record => SHA256.HashData([0, .. record]))]);
    }

    /// <summary>Where each record begins.</summary>
    public static List<int> Starts(byte[] entries)
    {
        var starts = new List<int>();
        for (var at = 0; at < entries.Length; at += 2 + BinaryPrimitives.ReadUInt16BigEndian(entries.AsSpan(at))) starts.Add(at);
        return starts;
    }

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
