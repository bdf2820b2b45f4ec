using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FedSeg.Egress;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Tests;
using FedSeg.Egress.Tests.Charters;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Hosting.Programs;
using FedSeg.Testing;
using Microsoft.Playwright;

namespace FedSeg.Desk.Tests;

/// <summary>A hospital's gate obeying orders as the agent does, and the page as a process of its own beside it.</summary>
internal sealed class DeskOnDisk : IAsyncDisposable
{
    /// <summary>The tensor that <see cref="WaitForPrivateReviewAsync"/> changes most.</summary>
    public const string LargerPart = "encoder.1.0.conv.weight";

    public const string Password = "a horse with a battery";

    private static readonly Lazy<Task<byte[]>> Accounts = new(CreateAccountsAsync);

    private readonly ObeyingAgent _agent;
    private readonly Process _page;

    private DeskOnDisk(HospitalOnDisk hospital, Process page, Uri address)
    {
        Hospital = hospital;
        Address = address;
        _page = page;
        _agent = new ObeyingAgent(hospital);
    }

    public HospitalOnDisk Hospital { get; }

    public Uri Address { get; }

    /// <param name="openId">The section <c>Desk:OpenId</c>.</param>
    public static async Task<DeskOnDisk> StartAsync(object? openId = null)
    {
        var hospital = new HospitalOnDisk();
        await WriteAccountsAsync(hospital);
        var port = FreePort();
        var settings = Path.Combine(hospital.Root, "agent.json");
        await File.WriteAllTextAsync(settings, JsonSerializer.Serialize(new
        {
            Agent = new { Site = "north", Coordinator = "https://coordinator.example:7443", DataDirectory = ".", EgressPolicy = "egress.yaml" },
            Desk = openId is null ? (object)new { Listen = $"127.0.0.1:{port}" } : new { Listen = $"127.0.0.1:{port}", OpenId = openId },
        }), HospitalOnDisk.Token);
        var page = Process.Start(new ProcessStartInfo("dotnet", [ProgramFiles.Find("FedSeg.Desk"), "--settings", settings]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var desk = new DeskOnDisk(hospital, page, new Uri($"http://127.0.0.1:{port}"));
        await desk.WaitAsync();
        return desk;
    }

    /// <summary>Puts rounds 1 to 5 behind the run by the policy's rules alone, and the sixth before the desk.</summary>
    public async Task<EgressOutcome.Waiting> WaitForReviewAsync(string policy = "")
    {
        const string bounds = "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\nmaximumNormDeviation: 10\nrequantisation: bits16\n";
        Hospital.WritePolicy(bounds + "review: auto-within-bounds\n");
        for (var round = 1; round <= 5; round++) await ClearAsync(round, 0.5f - 0.03f * round);
        Hospital.WritePolicy(bounds + policy);
        return Assert.IsType<EgressOutcome.Waiting>(await ClearAsync(6, 0.33f));
    }

    /// <summary>The same for a private run of a study, under a charter that anna accepted, with a plan that ben approved; one part of the sixth change is much larger.</summary>
    public async Task<EgressOutcome.Waiting> WaitForPrivateReviewAsync()
    {
        const string policy = "maximumUpdateBytes: 1000000\nmaximumNorm: 100\nprivacyBudget: { cohort: kidneys-2026, maximumEpsilon: 4, delta: 0.00001 }\n";
        var plan = Hospital.Plan with { Study = StudyCharters.Study, TotalRounds = 20, Labels = ["kidney", "tumour"] };
        var privacy = new PatientPrivacy { ClippingNorm = 1.5, ExpectedBatch = 4, PatchesPerPatient = 1, Delta = 1e-5, NoiseMultiplier = 20 };
        Hospital.Plan = plan with { Recipe = plan.Recipe with { Privacy = privacy } };
        Hospital.Privacy = new PrivacySpent(SamplingRate: 1, NoiseMultiplier: 20, Steps: 20, Delta: 1e-5, Epsilon: 0.897);
        Hospital.WritePolicy(policy + "review: auto-within-bounds\n");
        await Hospital.HoldAsync(StudyCharters.New(("maximumRounds: 5", "maximumRounds: 60"), ("2026-06-30", "2099-12-31")));
        var asked = Assert.IsType<PlanOutcome.Waiting>(await Hospital.ApprovePlanAsync(Hospital.Plan));
        var order = new DeskOrder.ApprovePlan { Id = Guid.NewGuid().ToString("N"), By = "ben", At = Hospital.Time.GetUtcNow(), Terms = asked.Terms };
        Assert.IsType<OrderOutcome.Obeyed>(await Hospital.Gate.Desk.ObeyAsync(order));
        for (var round = 1; round <= 5; round++) Assert.IsType<EgressOutcome.Cleared>(await ClearAsync(round, 0.05f));
        Hospital.WritePolicy(policy);
        Hospital.NotePatients(round: 6, count: 31);
        return Assert.IsType<EgressOutcome.Waiting>(await ClearAsync(6, tensor => tensor.Name == LargerPart ? 0.2f : 0.05f));
    }

    public Task<EgressOutcome> ClearAsync(int round, float change) => ClearAsync(round, _ => change);

    private Task<EgressOutcome> ClearAsync(int round, Func<TensorSpec, float> change)
    {
        Hospital.Plan = Hospital.Plan with { Round = round, TotalRounds = 20, Labels = ["kidney", "tumour"] };
        var report = HospitalOnDisk.GoodReport(Hospital.Plan) with { Scores = [new("kidney", 0.913471, 10), new("tumour", 0.742, 4)] };
        Hospital.Report = Hospital.Plan.Recipe.Privacy is null ? report : report with { MeanLoss = null };
        Hospital.WriteDelta(change);
        return Hospital.ClearAsync();
    }

    public static async Task SignInAsync(IPage page, string account)
    {
        await page.GotoAsync("/");
        await page.GetByLabel("Account").FillAsync(account);
        await page.GetByLabel("Password").FillAsync(Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _page.Kill(entireProcessTree: true);
        await _page.WaitForExitAsync();
        _page.Dispose();
        await _agent.DisposeAsync();
        Hospital.Dispose();
    }

    /// <summary>Anna and Ben are privacy officers, Olga operates the site, Otto looks. Strong hashing takes its time; once is enough.</summary>
    public static async Task WriteAccountsAsync(HospitalOnDisk hospital)
    {
        Directory.CreateDirectory(hospital.DeskPath);
        await File.WriteAllBytesAsync(Path.Combine(hospital.DeskPath, "accounts.json"), await Accounts.Value, HospitalOnDisk.Token);
    }

    private static async Task<byte[]> CreateAccountsAsync()
    {
        using var folder = new TemporaryFolder();
        var accounts = new DeskAccounts(folder["desk"], TimeProvider.System);
        foreach (var name in new[] { "anna", "ben" }) await accounts.SetAsync(name, DeskRole.PrivacyOfficer, Password, CancellationToken.None);
        await accounts.SetAsync("olga", DeskRole.SiteOperator, Password, CancellationToken.None);
        await accounts.SetAsync("otto", DeskRole.Auditor, Password, CancellationToken.None);
        return await File.ReadAllBytesAsync(folder["desk", "accounts.json"]);
    }

    private async Task WaitAsync()
    {
        using var client = new HttpClient();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await client.GetAsync(new Uri(Address, "/desk.css"), HospitalOnDisk.Token);
                return;
            }
            catch (HttpRequestException) when (attempt < 600 && !_page.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, HospitalOnDisk.Token);
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return int.Parse(listener.LocalEndpoint.ToString()!.Split(':')[^1], CultureInfo.InvariantCulture);
    }
}
