using System.Diagnostics;
using System.Diagnostics.Metrics;
using FedSeg.Federation.Assignments;
using FedSeg.Federation.Rounds;
using FedSeg.SiteAgent.Operations;
using Microsoft.Extensions.DependencyInjection;

namespace FedSeg.SiteAgent.Tests.Operations;

public sealed class AgentTelemetryTests
{
    [Fact]
    public async Task FollowAsync_StepOfARound_IsASpanOfTheRoundsTraceAndNamesNothingElse()
    {
        var plan = Plans.Good();
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == AgentTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var telemetry = new AgentTelemetry(services.GetRequiredService<IMeterFactory>(), TimeProvider.System);

        var outcome = await telemetry.FollowAsync(new AssignmentEffect.Train(plan), () => Task.FromResult<AssignmentInput>(new AssignmentInput.Stopped()));

        Assert.IsType<AssignmentInput.Stopped>(outcome);
        var span = Assert.Single(spans);
        Assert.Equal(("Train", RoundTrace.Of(plan.Run, plan.Round).TraceId), (span.OperationName, span.TraceId));
        Assert.Equal(["fedseg.outcome", "fedseg.round", "fedseg.run"], span.TagObjects.Select(tag => tag.Key).Order());
    }
}
