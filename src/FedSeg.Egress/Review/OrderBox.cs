using System.Globalization;
using System.Text.Json;
using FedSeg.Federation;
using FedSeg.Hosting.Storage;

namespace FedSeg.Egress.Review;

/// <summary>
/// The folder through which orders reach the agent: from the officer's page and from the command line, each of them a process of its own. An order is on the disk before its
/// giver is told that it was given, and stays there until the agent has dealt with it: one that finds no agent running waits for its start.
/// </summary>
public sealed class OrderBox
{
    private const int MaximumBytes = 4096;
    private readonly string _directory;

    /// <param name="directory">Its own folder; made when missing.</param>
    public OrderBox(string directory) => _directory = DurableFile.CreateDirectory(directory);

    /// <summary>Gives an order. Durable when this returns.</summary>
    public void Place(DeskOrder order)
    {
        var name = order.At.UtcDateTime.ToString("yyyyMMdd'T'HHmmssfffffff", CultureInfo.InvariantCulture) + "-" + order.Id + ".json";
        DurableFile.Write(Path.Combine(_directory, name), JsonSerializer.SerializeToUtf8Bytes(order, FederationJson.Options));
    }

    /// <summary>The orders not yet dealt with, oldest first; what is none is moved aside.</summary>
    public IReadOnlyList<PlacedOrder> Read()
    {
        var orders = new List<PlacedOrder>();
        foreach (var path in Directory.GetFiles(_directory, "*.json").Order(StringComparer.Ordinal))
        {
            if (TryRead(path) is { } order) orders.Add(new PlacedOrder(order, path));
            else File.Move(path, path + ".unreadable", overwrite: true);
        }

        return orders;
    }

    /// <summary>Takes an order out, after it was dealt with.</summary>
    public static void Remove(PlacedOrder placed) => File.Delete(placed.Path);

    private static DeskOrder? TryRead(string path)
    {
        if (new FileInfo(path).Length > MaximumBytes) return null;
        try
        {
            var order = JsonSerializer.Deserialize<DeskOrder>(File.ReadAllBytes(path), FederationJson.Options);
            return order is { Id.Length: 32 } && order.Id.All(char.IsAsciiHexDigitLower) ? order : null;
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            return null;
        }
    }
}

/// <summary>An order in the box.</summary>
public sealed record PlacedOrder(DeskOrder Order, string Path);
