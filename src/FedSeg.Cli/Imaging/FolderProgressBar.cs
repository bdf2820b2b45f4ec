using FedSeg.Imaging.Series;
using Spectre.Console;

namespace FedSeg.Cli.Imaging;

/// <summary>
/// A bar on standard error while a folder is read and a terminal looks on; standard output stays the command's result alone.
/// </summary>
internal static class FolderProgressBar
{
    public static T Show<T>(Func<IProgress<FolderProgress>?, T> read)
    {
        if (Console.IsErrorRedirected)
        {
            return read(null);
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            read(new TaskProgress(context.AddTask("Reading headers"))));
    }

    private sealed class TaskProgress(ProgressTask task) : IProgress<FolderProgress>
    {
        /// <summary>Reports come from several threads in no order; the bar only ever grows.</summary>
        public void Report(FolderProgress value)
        {
            lock (task)
            {
                task.MaxValue = value.Total;
                task.Value = Math.Max(task.Value, value.Done);
            }
        }
    }
}
