namespace FedSeg.EndToEnd.Tests;

/// <summary>The README's main job, as a new user runs it.</summary>
public sealed class DemoTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Demo_WithItsDefaults_GivesAGlobalModelThatBeatsTheHospitalsAlone()
    {
        var work = Directory.CreateTempSubdirectory("fedseg-e2e-demo-");
        try
        {
            var result = await FedsegCommand.RunAsync(Cancellation, "demo", "--json", "--work", work.FullName);
            Assert.True(result.ExitCode == 0, result.Error);
            TestContext.Current.SendDiagnosticMessage(result.Output);

            var demo = result.Json;
            Assert.True(demo.GetProperty("rounds").GetArrayLength() >= 5);
            Assert.True(demo.GetProperty("ledgerVerified").GetBoolean());
            Assert.Equal(3, demo.GetProperty("bytesSent").EnumerateObject().Count(site => site.Value.GetInt64() > 0));
            Assert.True(File.Exists(demo.GetProperty("model").GetProperty("path").GetString()));
            var global = demo.GetProperty("finalMeanDice").GetDouble();
            var alone = demo.GetProperty("localOnlyDice").EnumerateObject().Average(site => site.Value.GetDouble());
            Assert.True(global > alone, $"The global model scored {global:F3}, the hospitals alone {alone:F3} on average.");
            // Far above what a network that learned nothing gives.
            Assert.True(global > 0.6, $"The global model scored {global:F3}.");
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }
}
