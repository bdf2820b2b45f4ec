namespace FedSeg.Cli.Engine;

/// <summary>The thread of the commands that compute without a federation.</summary>
internal static class LocalEngine
{
    /// <summary>TorchSharp's dispose scopes are per thread, so work with torch keeps one of its own.</summary>
    public static Task<T> OnOwnThread<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
