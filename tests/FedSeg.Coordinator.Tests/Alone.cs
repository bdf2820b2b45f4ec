namespace FedSeg.Coordinator.Tests;

/// <summary>Tests that measure memory or time: none runs beside another test.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
