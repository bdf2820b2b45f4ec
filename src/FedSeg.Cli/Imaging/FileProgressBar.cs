using FedSeg.Imaging.Series;
using Spectre.Console;

namespace FedSeg.Cli.Imaging;

/// <summary>
/// A bar on standard error while files are worked off and a terminal looks on; standard output stays the command's result alone.
/// </summary>
internal sealed class FileProgressBar : IProgress<FolderProgress>, IProgress<int>
{
    private readonly ProgressTask _task;

    private FileProgressBar(ProgressTask task) => _task = task;

    /// <param name="title">What is done to the files.</param>
    /// <param name="work">Gets the bar, or <see langword="null"/> where no terminal looks on.</param>
    public static T Show<T>(string title, Func<FileProgressBar?, T> work)
    {
        if (Console.IsErrorRedirected) return work(null);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => work(new FileProgressBar(context.AddTask(title))));
    }

    /// <summary>The same bar for work that reports only how many files are done.</summary>
    public IProgress<int> Of(int files)
    {
        _task.MaxValue = files;
        return this;
    }

    public void Report(FolderProgress value)
    {
        _task.MaxValue = value.Total;
        Report(value.Done);
    }

    /// <summary>Reports come from several threads in no order; the bar only ever grows.</summary>
    public void Report(int value)
    {
        lock (_task) _task.Value = Math.Max(_task.Value, value);
    }
}
