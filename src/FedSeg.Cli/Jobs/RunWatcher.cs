using FedSeg.Protocol.V1;
using Grpc.Core;
using Spectre.Console;

namespace FedSeg.Cli.Jobs;

/// <summary>Follows a run until it ends, also across a restart of the coordinator: a live table on a terminal, a line per round elsewhere, always on standard error.</summary>
internal static class RunWatcher
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2), Patience = TimeSpan.FromMinutes(2);

    public static async Task<Run> WatchAsync(CoordinatorConnection connection, string runId, TimeProvider time, CancellationToken cancellationToken)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        AsyncServerStreamingCall<Run> Watch() => connection.Runs.Watch(new RunKey { RunId = runId }, cancellationToken: cancellationToken);
        if (!console.Profile.Capabilities.Interactive || Console.IsErrorRedirected)
        {
            return await FollowAsync(Watch, new LineReporter(time).Report, time, cancellationToken);
        }

        return await console.Live(new Text("")).AutoClear(false).StartAsync(live => FollowAsync(
            Watch, run => live.UpdateTarget(RunView.Table(run, time.GetUtcNow())), time, cancellationToken));
    }

    /// <summary>Follows a run to its end over as many calls as it takes.</summary>
    /// <param name="watch">Begins a call, which says how the run stands and after that every change.</param>
    /// <param name="report">Told of each.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="RpcException">The coordinator refuses, or has not been there for two minutes.</exception>
    internal static async Task<Run> FollowAsync(
        Func<AsyncServerStreamingCall<Run>> watch, Action<Run> report, TimeProvider time, CancellationToken cancellationToken)
    {
        // Counted from the first failure: a round may say nothing for hours.
        long? awaySince = null;
        while (true)
        {
            try
            {
                using var call = watch();
                while (await call.ResponseStream.MoveNext(cancellationToken))
                {
                    awaySince = null;
                    var run = call.ResponseStream.Current;
                    report(run);
                    if (run.Status is not ("running" or "paused")) return run;
                }
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled && !cancellationToken.IsCancellationRequested)
            {
                // The coordinator restarts: the run goes on, so does the watch.
                awaySince ??= time.GetTimestamp();
                if (time.GetElapsedTime(awaySince.Value) >= Patience) throw;
            }

            await Task.Delay(Retry, time, cancellationToken);
        }
    }

    /// <summary>Prints each round once, when it has closed.</summary>
    private sealed class LineReporter(TimeProvider time)
    {
        private int _printed;

        public void Report(Run run)
        {
            foreach (var round in run.Rounds.Where(round => round.ClosedAt is not null).Skip(_printed))
            {
                Console.Error.WriteLine(RunView.Line(run, round, time.GetUtcNow()));
                _printed++;
            }
        }
    }
}
