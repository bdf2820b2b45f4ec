using System.Collections.Immutable;
using FedSeg.Federation.Training;
using FedSeg.Hosting.Programs;
using FedSeg.SiteAgent.Training;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.SiteAgent.Tests.Training;

/// <summary>A real child process that misbehaves in every way a crashing trainer can.</summary>
public sealed class TrainerProcessTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedseg-trainer-");
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string NotesPath => Path.Combine(_folder.FullName, "trainer.txt");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task DoAsync_StepsThenFailure_ReportsBothAndKeepsTheDetailForTheOperator()
    {
        var steps = new List<int>();
        await using (var trainer = await StartAsync())
        {
            var failed = Assert.IsType<TrainerEvent.Failed>(await trainer.DoAsync(Open("steps"), step => steps.Add(step.Step), Token));

            Assert.Equal(TrainerFailure.LabelNotFound, failed.Code);
            Assert.False(trainer.HasExited);
        }

        Assert.Equal([1, 2], steps);
        Assert.Contains("case 7 of the operator's folder", await File.ReadAllTextAsync(NotesPath, Token));
    }

    /// <summary>What the trainer says for the operator is lost; the trainer is not, nor what it answers.</summary>
    [Fact]
    public async Task DoAsync_DiskOfTheNotesIsFull_CostsTheNotesAlone()
    {
        await using var trainer = await StartAsync("/dev/full");

        Assert.IsType<TrainerEvent.Ready>(await trainer.DoAsync(Open("chatty"), _ => { }, Token).WaitAsync(TimeSpan.FromMinutes(2), Token));
        Assert.Equal(TrainerFailure.LabelNotFound, await FailureAsync(trainer, "steps"));
        Assert.False(trainer.HasExited);
        Assert.Equal(TrainerFailure.Crashed, await FailureAsync(trainer, "exit"));
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("untyped")]
    [InlineData("flood")]
    [InlineData("exit")]
    public async Task DoAsync_TrainerThatMisbehaves_HasCrashedAndIsGone(string behaviour)
    {
        await using var trainer = await StartAsync();

        Assert.Equal(TrainerFailure.Crashed, await FailureAsync(trainer, behaviour));

        // The next command finds it gone.
        Assert.Equal(TrainerFailure.Crashed, Assert.IsType<TrainerEvent.Failed>(await trainer.DoAsync(Open("cpu"), _ => { }, Token)).Code);
    }

    [Fact]
    public async Task DoAsync_TrainerThatFallsSilent_HasCrashedAfterTheSilence()
    {
        await using var trainer = await StartAsync();
        var doing = FailureAsync(trainer, "silent");

        while (!doing.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            await Task.WhenAny(doing, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token));
        }

        Assert.Equal(TrainerFailure.Crashed, await doing);
    }

    [Fact]
    public async Task DoAsync_TrainerTheSystemKilled_RanOutOfMemory()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("The exit code of a killed process is Linux's.");
        await using var trainer = await StartAsync();

        Assert.Equal(TrainerFailure.OutOfMemory, await FailureAsync(trainer, "killed"));
    }

    [Fact]
    public async Task DoAsync_Cancelled_KillsTheProcess()
    {
        await using var trainer = await StartAsync();
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var doing = trainer.DoAsync(Open("silent"), _ => { }, cancellation.Token);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => doing);
        Assert.True(trainer.HasExited);
    }

    [Fact]
    public async Task Start_Environment_HasNothingOfTheAgents()
    {
        Environment.SetEnvironmentVariable("FEDSEG_TEST_SECRET", "x");
        await using var trainer = await StartAsync();

        var answer = Assert.IsType<TrainerEvent.Failed>(await trainer.DoAsync(Open("environment"), _ => { }, Token));

        Assert.Contains("PATH", answer.Detail);
        Assert.DoesNotContain("FEDSEG_TEST_SECRET", answer.Detail);
    }

    private async Task<TrainerProcess> StartAsync(string? notes = null) => TrainerProcess.Start(
        [ProgramFiles.Find("FedSeg.FakeTrainer")],
        await TrainerIsolation.DetectAsync(Token),
        notes ?? NotesPath,
        TimeSpan.FromMinutes(1),
        _time);

    private static async Task<TrainerFailure> FailureAsync(TrainerProcess trainer, string behaviour) =>
        Assert.IsType<TrainerEvent.Failed>(await trainer.DoAsync(Open(behaviour), _ => { }, Token)).Code;

    private static TrainerCommand.Open Open(string behaviour) => new()
    {
        CohortDirectory = "cohort",
        LabelAliases = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty,
        Plan = Plans.Good(),
        CohortReportPath = "report",
        Device = behaviour,
        Threads = 1,
    };
}
