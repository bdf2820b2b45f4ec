using Polly;
using Polly.Retry;

namespace FedSeg.Importer.Pacs;

/// <summary>
/// Repeats what may succeed a little later: exponential waits with jitter, or what the PACS itself asked for, up to two minutes each.
/// </summary>
internal static class PacsRetry
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);

    public static ResiliencePipeline Create(PacsOptions options, TimeProvider time) => new ResiliencePipelineBuilder { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = options.Retries,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = TimeSpan.FromSeconds(options.RetryDelaySeconds),
            MaxDelay = LongestWait,
            ShouldHandle = new PredicateBuilder().Handle<PacsException>(error => error.IsTransient),
            DelayGenerator = static arguments => ValueTask.FromResult(
                (arguments.Outcome.Exception as PacsException)?.RetryAfter is { } wait
                    ? (wait < LongestWait ? wait : LongestWait)
                    : (TimeSpan?)null),
        })
        .Build();
}
