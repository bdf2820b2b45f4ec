using System.Diagnostics;
using System.Text.Json;
using FedSeg.Federation;
using FedSeg.Federation.Training;

namespace FedSeg.Trainer.Tests;

/// <summary>The real program, spoken to over its pipes as the agent does.</summary>
public sealed class TrainerProcessTests(TrainerFixture fixture) : IClassFixture<TrainerFixture>
{
    [Fact]
    public async Task Program_CommandsThenEndOfInput_AnswersEachOnStandardOutputAndEnds()
    {
        var (exitCode, events) = await RunAsync(fixture.Open(), fixture.Run(), fixture.Run(model: fixture.Path("missing")), fixture.Run(TrainerFixture.Plan(round: 2)));
        Assert.Equal(0, exitCode);
        Assert.Equal(
            ["Ready", "Stepped", "Stepped", "Finished", "Failed", "Stepped", "Stepped", "Finished"],
            events.Where(said => said != TrainerEvent.Stepped.Alive).Select(answer => answer.GetType().Name));
    }

    [Fact]
    public async Task Program_SameCommandsTwice_WriteTheSameUpdate()
    {
        await RunAsync(fixture.Open(), fixture.Run());
        var first = await File.ReadAllBytesAsync(fixture.UpdatePath, TestContext.Current.CancellationToken);
        await RunAsync(fixture.Open(), fixture.Run());
        Assert.Equal(first, await File.ReadAllBytesAsync(fixture.UpdatePath, TestContext.Current.CancellationToken));
    }

    private static async Task<(int ExitCode, TrainerEvent[] Events)> RunAsync(params TrainerCommand[] commands)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(TrainerSession).Assembly.Location])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        foreach (var command in commands) await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(command, FederationJson.Options));
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Event)]);
    }

    // A line that is not an event fails here.
    private static TrainerEvent Event(string line) => JsonSerializer.Deserialize<TrainerEvent>(line, FederationJson.Options)!;
}
