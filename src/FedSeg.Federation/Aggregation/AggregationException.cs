namespace FedSeg.Federation.Aggregation;

/// <summary>A round's updates can't be merged as asked; the message says which site or number is to blame. No result was made.</summary>
public sealed class AggregationException(string message) : Exception(message);
