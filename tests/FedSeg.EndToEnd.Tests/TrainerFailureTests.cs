using System.Diagnostics;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;

namespace FedSeg.EndToEnd.Tests;

/// <summary>What goes wrong in a trainer is a reported outcome; the agent lives on.</summary>
public sealed class TrainerFailureTests(PhantomCohorts cohorts)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KilledTrainer_EndsTheRoundWithItsReason_AndTheAgentTrainsTheNextRun()
    {
        await using var federation = new TestFederation(cohorts, "north");
        await federation.Demo.StartCoordinatorAsync(Cancellation);
        var agent = federation.Demo.StartAgent("north");
        var first = await federation.SubmitAsync(federation.Job(rounds: 1, steps: 100_000), Cancellation);
        KillProcess(await FindTrainerAsync(federation, agent.Id));

        var failed = await federation.WaitForEndAsync(first, Cancellation);
        Assert.Equal("failed", failed.Status);
        Assert.Matches("north: (TrainerCrashed|OutOfMemory)", failed.Reason);

        var second = await federation.SubmitAsync(federation.Job(rounds: 1), Cancellation);
        Assert.Equal("completed", (await federation.WaitForEndAsync(second, Cancellation)).Status);
    }

    [Fact]
    public async Task KilledTrainer_AfterACheckpoint_FinishesTheRoundWithTheSameWeights()
    {
        await using var federation = new TestFederation(cohorts, "north");
        await federation.Demo.StartCoordinatorAsync(Cancellation);
        var agent = federation.Demo.StartAgent("north");
        var killed = await federation.SubmitAsync(federation.Job(rounds: 1, steps: 80), Cancellation);
        var trainer = await FindTrainerAsync(federation, agent.Id);
        var checkpoint = Path.Combine(federation.Demo.SiteDirectory("north"), "data", "state", killed, "1", "checkpoint.safetensors");
        for (var attempt = 0; !File.Exists(checkpoint); attempt++)
        {
            Assert.True(attempt < 9600, "No checkpoint appeared in four minutes.");
            await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, Cancellation);
        }

        KillProcess(trainer);
        var disturbed = await federation.WaitForEndAsync(killed, Cancellation);
        Assert.Contains("starting it again from its last checkpoint", federation.Log("agent-north"));
        var undisturbed = await federation.WaitForEndAsync(await federation.SubmitAsync(federation.Job(rounds: 1, steps: 80), Cancellation), Cancellation);

        Assert.Equal(("completed", "completed"), (disturbed.Status, undisturbed.Status));
        Assert.Equal(await WeightsAsync(federation, undisturbed.Model.Sha256), await WeightsAsync(federation, disturbed.Model.Sha256));
    }

    /// <summary>Tensors of a model one after the other; its metadata name its run.</summary>
    private static async Task<float[]> WeightsAsync(TestFederation federation, string model)
    {
        var path = Path.Combine(federation.Work, model);
        await federation.Demo.Connection.DownloadAsync(Sha256Digest.Parse(model), path, Cancellation);
        using var file = SafetensorsFile.Open(path);
        return [.. file.Tensors.SelectMany(tensor => file.ReadAll(tensor.Name))];
    }

    [Fact]
    public async Task UpdateBeyondTheSitesPolicy_IsRefusedByTheGate_AndNoWeightLeaves()
    {
        await using var federation = new TestFederation(cohorts, "north");
        await using var proxy = new RecordingProxy(federation, "north");
        File.WriteAllText(Path.Combine(federation.Demo.SiteDirectory("north"), "egress-policy.yaml"), "maximumUpdateBytes: 100000000\nrunsWithoutCharter: true\nmaximumNorm: 0.000001\nminimumTrainingCases: 1\nreview: auto-within-bounds\nplansWithin: { maximumRounds: 10000, maximumStepsPerRound: 1000000, maximumParameters: 1000000000 }\n");
        await federation.StartAllAsync(Cancellation);

        var ended = await federation.WaitForEndAsync(await federation.SubmitAsync(federation.Job(rounds: 1), Cancellation), Cancellation);

        Assert.Equal("failed", ended.Status);
        Assert.Contains("north: RefusedByPolicy", ended.Reason);
        Assert.Contains("NormWithinBound", federation.Log("agent-north"));
        Assert.InRange(proxy.Sent.Length, 1, ended.Model.Bytes / 2);
    }

    [Fact]
    public async Task CancelledRun_FreesTheSiteAtOnce()
    {
        await using var federation = new TestFederation(cohorts, "north");
        await federation.Demo.StartCoordinatorAsync(Cancellation);
        var agent = federation.Demo.StartAgent("north");
        var runId = await federation.SubmitAsync(federation.Job(rounds: 1, steps: 100_000), Cancellation);
        var trainer = await FindTrainerAsync(federation, agent.Id);

        var cancelled = await federation.Runs.CancelAsync(new Protocol.V1.RunKey { RunId = runId }, cancellationToken: Cancellation);

        Assert.Equal("cancelled", cancelled.Status);
        await WaitForEndAsync(trainer);
        federation.AssertNoErrorsLogged();
    }

    [Fact]
    public async Task RunCancelledWhileTheAgentWasAway_EndsItsTrainerWhenItIsBack()
    {
        await using var federation = new TestFederation(cohorts, "north");
        var coordinator = await federation.Demo.StartCoordinatorAsync(Cancellation);
        var agent = federation.Demo.StartAgent("north");
        var runId = await federation.SubmitAsync(federation.Job(rounds: 1, steps: 100_000), Cancellation);
        var trainer = await FindTrainerAsync(federation, agent.Id);

        await federation.Demo.KillAsync(coordinator);
        await federation.Demo.StartCoordinatorAsync(Cancellation);
        await federation.Runs.CancelAsync(new Protocol.V1.RunKey { RunId = runId }, cancellationToken: Cancellation);

        await WaitForEndAsync(trainer);
    }

    [Fact]
    public async Task Trainer_WhereTheSystemAllowsIt_SeesNoNetwork()
    {
        Assert.SkipUnless(CanUnshare(), "This system allows no network namespaces, so the trainer can't be isolated here; nothing was tested.");
        await using var federation = new TestFederation(cohorts, "north");
        await federation.StartAllAsync(Cancellation);
        await federation.WaitForEndAsync(await federation.SubmitAsync(federation.Job(rounds: 1, steps: 1), Cancellation), Cancellation);

        // The trainer's own word, from the interfaces it sees, not the agent's guess.
        Assert.Contains("isolated from the network: True", federation.Log("agent-north").Split("Trainer read the cohort")[1]);
        Assert.Contains("its trainer is isolated from the network: True", federation.Log("coordinator"));
    }

    private static bool CanUnshare()
    {
        using var probe = Process.Start("unshare", ["--net", "--map-root-user", "--", "true"]);
        probe.WaitForExit();
        return probe.ExitCode == 0;
    }

    /// <summary>
    /// The agent's child that works on the round, not the one that looked at the cohort before; with isolation it took unshare's place by exec, so it is the child in
    /// either case.
    /// </summary>
    private static async Task<int> FindTrainerAsync(TestFederation federation, int agent)
    {
        for (var attempt = 0; ; attempt++)
        {
            Assert.True(attempt < 1200, "No trainer process appeared.");
            foreach (var directory in federation.Log("agent-north").Contains("Started run-", StringComparison.Ordinal) ? Directory.GetDirectories("/proc") : [])
            {
                if (int.TryParse(Path.GetFileName(directory), out var id) && IsTrainerOf(id, agent)) return id;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }
    }

    private static bool IsTrainerOf(int id, int agent)
    {
        try
        {
            // Fields of /proc/<id>/stat after the command in parentheses: state, parent.
            var parent = File.ReadAllText($"/proc/{id}/stat").Split(") ")[^1].Split(' ')[1];
            var command = File.ReadAllText($"/proc/{id}/cmdline");
            return parent == agent.ToString() && !command.StartsWith("unshare", StringComparison.Ordinal) && command.Contains("FedSeg.Trainer.dll", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task WaitForEndAsync(int process)
    {
        for (var attempt = 0; Directory.Exists($"/proc/{process}"); attempt++)
        {
            Assert.True(attempt < 400, "The trainer still runs 20 s after its run was cancelled.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }
    }

    private static void KillProcess(int id)
    {
        using var process = Process.GetProcessById(id);
        process.Kill();
    }
}
