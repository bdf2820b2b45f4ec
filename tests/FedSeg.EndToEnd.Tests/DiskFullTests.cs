using System.Diagnostics;

namespace FedSeg.EndToEnd.Tests;

/// <summary>A full disk loses nothing: the round waits, and goes on when there is room.</summary>
public sealed class DiskFullTests(PhantomCohorts cohorts)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FullDiskAtTheCoordinator_KeepsTheRoundOpen_AndTheRunCompletesOnceThereIsRoom()
    {
        await using var federation = new TestFederation(cohorts, "north");
        var data = Directory.CreateDirectory(Path.Combine(federation.Demo.CoordinatorDirectory, "data")).FullName;
        // Room for the initial model of 5.6 MB and the journal, not for an update beside it.
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", data), "A small file system can't be mounted here (needs root); a full disk was not tested.");
        try
        {
            await federation.StartAllAsync(Cancellation);
            var runId = await federation.SubmitAsync(federation.Job(rounds: 1, steps: 1, baseFeatures: 16, levels: 4), Cancellation);
            await federation.WaitAsync(runId, _ => federation.Log("agent-north").Contains("could not store the update", StringComparison.Ordinal), Cancellation);

            Assert.Equal("running", (await federation.Runs.ShowAsync(new Protocol.V1.RunKey { RunId = runId }, cancellationToken: Cancellation)).Status);
            Assert.True(Run("mount", "-o", "remount,size=64m", data));

            Assert.Equal("completed", (await federation.WaitForEndAsync(runId, Cancellation)).Status);
        }
        finally
        {
            await federation.Demo.StopAsync();
            Run("umount", data);
        }
    }

    private static bool Run(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
