using System.Diagnostics;

namespace FedSeg.Cli.Tests;

/// <summary>The real command line as a process: what it wrote and how it ended.</summary>
internal sealed record FedsegProcess(int ExitCode, string Output, string Errors)
{
    public static Task<FedsegProcess> RunAsync(params string[] arguments) => RunAsync(arguments, []);

    /// <summary>With settings of the runtime.</summary>
    public static async Task<FedsegProcess> RunAsync(string[] arguments, params (string Name, string Value)[] environment)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo("dotnet", [AssemblyPath, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("FEDSEG_PROFILE");
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return new FedsegProcess(process.ExitCode, await output, await errors);
    }

    /// <summary>The one line on standard error.</summary>
    public string ErrorLine => Assert.Single(Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));

    // Referenced, so copied beside the tests.
    private static string AssemblyPath => Path.Combine(AppContext.BaseDirectory, "fedseg.dll");
}
