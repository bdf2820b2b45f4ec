using FedSeg.Importer.Imports;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Importer.Tests.Imports;

public sealed class ImportScheduleTests
{
    [Fact]
    public async Task Service_PacsThatIsDownAtFirst_ImportsAtTheNextTurn()
    {
        await using var pacs = await FakePacs.StartAsync();
        pacs.Add(FakeInstance.Create(1, 1, 1), FakeInstance.Create(1, 2, 1, "SEG"));
        var down = true;
        pacs.Intervene = context =>
        {
            if (down) context.Response.StatusCode = 403;
            return Task.FromResult(down);
        };
        using var importer = new ImporterOnDisk(pacs);
        importer.Options.Schedule.Every = TimeSpan.FromHours(6);
        var time = new FakeTimeProvider();
        using var schedule = new ImportSchedule(
            importer.Import(), Options.Create(importer.Options), time, NullLogger<ImportSchedule>.Instance);

        await schedule.StartAsync(TestContext.Current.CancellationToken);
        await UntilAsync(() => !pacs.Requests.IsEmpty);
        down = false;
        // The first import may not have ended yet when the clock moves, so it moves until the next one has begun.
        await UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromHours(1));
            return importer.Cases.Count == 1;
        });
        await schedule.StopAsync(CancellationToken.None);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(30), "It did not happen in 30 s.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
