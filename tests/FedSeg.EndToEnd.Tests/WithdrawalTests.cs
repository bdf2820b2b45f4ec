using System.Text;
using System.Text.Json;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;

namespace FedSeg.EndToEnd.Tests;

/// <summary>A patient withdraws at a hospital of real processes, by the commands of docs/review-desk.md.</summary>
public sealed class WithdrawalTests(PhantomCohorts cohorts)
{
    private const string Password = "a horse with a battery";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Withdraw_BetweenTwoRuns_LeavesThePatientOutOfTheSecondAndNamesTheFirst()
    {
        await using var federation = new TestFederation(cohorts, "north");
        var desk = new DeskClient(Path.Combine(federation.Demo.SiteDirectory("north"), "data"), TimeProvider.System);
        await desk.Accounts.SetAsync("anna", DeskRole.PrivacyOfficer, Password, Cancellation);
        await federation.StartAllAsync(Cancellation);
        var first = await RunAsync(federation);
        var patient = await TrainedPatientAsync(federation);

        var (code, output) = await federation.ReviewAsync("north", Password, Cancellation, "withdraw-patient", patient, "--as", "anna");
        Assert.True(code == 0, output);
        await RunAsync(federation);

        Assert.Equal([first], await RunsWithAsync(federation, patient));
        await federation.Demo.StopAsync();
        var ledger = federation.Demo.LedgerDirectory("north");
        Assert.True(LedgerVerifier.VerifyFolder(ledger).Verified);
        Assert.Single(LedgerReader.Open(ledger).Entries(), entry => entry.Action == "patientWithdrawn");
        // What may be shown to others names nobody.
        foreach (var file in Directory.EnumerateFiles(ledger, "*", SearchOption.AllDirectories))
        {
            Assert.Equal(-1, (await File.ReadAllBytesAsync(file, Cancellation)).AsSpan().IndexOf(Encoding.ASCII.GetBytes(patient)));
        }
    }

    private static async Task<string> RunAsync(TestFederation federation)
    {
        var run = await federation.WaitForEndAsync(await federation.SubmitAsync(federation.Job(rounds: 1), Cancellation), Cancellation);
        Assert.Equal("completed", run.Status);
        return run.Id;
    }

    /// <summary>Somebody whom the first run was trained on: the others were held back.</summary>
    private async Task<string> TrainedPatientAsync(TestFederation federation)
    {
        var listed = await FedsegCommand.RunAsync(Cancellation, "study", "patients", cohorts.Sites["north"], "--json");
        Assert.True(listed.ExitCode == 0, listed.Error);
        using var document = JsonDocument.Parse(listed.Output);
        foreach (var patient in document.RootElement.GetProperty("cases").EnumerateArray().Select(entry => entry.GetProperty("patient").GetString()!).Distinct())
        {
            if ((await TraceAsync(federation, patient)).Any(run => run.GetProperty("trained").GetArrayLength() > 0)) return patient;
        }

        throw new InvalidOperationException("The first run was trained on nobody.");
    }

    private static async Task<IEnumerable<string>> RunsWithAsync(TestFederation federation, string patient) =>
        (await TraceAsync(federation, patient)).Select(run => run.GetProperty("run").GetString()!);

    private static async Task<List<JsonElement>> TraceAsync(TestFederation federation, string patient)
    {
        var (code, output) = await federation.ReviewAsync("north", Password, Cancellation, "trace-patient", patient, "--json");
        Assert.True(code == 0, output);
        using var document = JsonDocument.Parse(output);
        return [.. document.RootElement.GetProperty("runs").EnumerateArray().Select(run => run.Clone())];
    }
}
