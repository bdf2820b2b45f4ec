using System.Collections.Immutable;
using FedSeg.Federation.Training;
using FedSeg.RedTeam.Tests.Report;
using FedSeg.RedTeam.Tests.Sites;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.RedTeam.Tests.Membership;

/// <summary>
/// Somebody who has a patient's image and labels asks a model whether that patient was trained on. The product's training with and without
/// patient-level privacy, the same patients, network and first model. Its coins and noise are secret and follow no seed: enough patients
/// that chance does not decide the test.
/// </summary>
public sealed class MembershipTests : IDisposable
{
    private const int Members = 640, Others = 2560;
    private const string Curious = "B. Membership inference by a curious site";
    private const double AucAtMost = 0.60, TruePositivesAtMost = 0.03, Delta = 1e-4;
    private readonly RedTeamReport _report;
    private readonly ProductSite _engine = new(NoisyPatients.Size, features: 16);
    private readonly PreparedCase[] _members = NoisyPatients.Make(Members, 0), _others = NoisyPatients.Make(Others, Members);
    private readonly string _start;
    private readonly float[] _weights;

    public MembershipTests(RedTeamReport report)
    {
        _report = report;
        _start = _engine.Initial(seed: 4);
        _weights = ProductSite.Read(_start, _engine.Manifest);
    }

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void PrivateTraining_TellsNoMemberFromAnother()
    {
        var (plain, _) = Train([.. _members], steps: 850, batch: 32, privacy: null);
        var (hidden, spent) = Train([.. _members], steps: 100, batch: 16, new PatientPrivacy
        {
            ClippingNorm = 0.5,
            ExpectedBatch = 16,
            PatchesPerPatient = 1,
            Delta = Delta,
            NoiseMultiplier = 0.8,
        });
        Require(
            "B. Membership inference",
            "whoever has the released model; threshold on the loss",
            (OnModel(plain), OnModel(hidden)),
            spent!,
            AucAtMost,
            TruePositivesAtMost);

        var nobody = new float[plain.Length];
        Require(
            Curious,
            "a federation of 2: the global model before and after a round, the attacker's own part taken out",
            (OnRound([plain, nobody]), OnRound([hidden, nobody])),
            spent!,
            AucAtMost,
            TruePositivesAtMost);

        var (other, _) = Train([.. NoisyPatients.Make(100, Members + Others)], steps: 60, batch: 16, privacy: null);
        _report.Require(new Finding
        {
            Attack = Curious,
            Target = "the same in a federation of 3",
            Defence = "one more honest site, no privacy",
            Measure = "AUC",
            Control = OnRound([plain, nobody]).Auc,
            ControlAtLeast = 0.70,
            Floor = 0.5,
            Defended = OnRound([plain, other, nobody]).Auc,
            Remark = "others dilute what one site's patients leave; nothing is promised, and many rounds may add up",
        });
    }

    private void Require(string attack, string target, (Attacker Plain, Attacker Private) found, PrivacySpent spent, double auc,
        double truePositives)
    {
        // What differential privacy promises of every attack; a violation would be a fault of the accounting.
        Assert.InRange(found.Private.TruePositives, 0, Math.Exp(spent.Epsilon) * 0.01 + spent.Delta + 0.02);
        var defence = "patient-level privacy: "
            + FormattableString.Invariant(
                $"σ {spent.NoiseMultiplier}, q {spent.SamplingRate}, {spent.Steps} steps, ε {spent.Epsilon:F2} at δ {spent.Delta}");
        _report.Require(new Finding
        {
            Attack = attack,
            Target = target,
            Defence = defence,
            Measure = "AUC",
            Control = found.Plain.Auc,
            ControlAtLeast = 0.70,
            Floor = 0.5,
            Defended = found.Private.Auc,
            AtMost = auc,
        });
        _report.Require(new Finding
        {
            Attack = attack,
            Target = target,
            Defence = defence,
            Measure = "true positives at 1 % false ones",
            Control = found.Plain.TruePositives,
            ControlAtLeast = 0.04,
            Floor = 0.01,
            Defended = found.Private.TruePositives,
            AtMost = truePositives,
        });
    }

    private Attacker OnModel(float[] update)
    {
        using var model = _engine.Open(Moved(update));
        return Attacker.Of([.. NoisyPatients.Losses(model, _members).Select(loss => -loss)],
            [.. NoisyPatients.Losses(model, _others).Select(loss => -loss)]);
    }

    /// <summary>
    /// What a site sees: the mean of all changes, of which its own is known and taken out (here it is nothing). The attack that works best
    /// counts: the loss or its fall, on the model as it is or with the mean scaled up to the sum.
    /// </summary>
    private Attacker OnRound(float[][] changes)
    {
        var mean = Defences.Mean(changes);
        float[] sum = [.. mean.Select(value => changes.Length * value)];
        Attacker[] found = [Falling(mean), Falling(sum), OnModel(sum)];
        return found.MaxBy(attacker => attacker.Auc)!;
    }

    private Attacker Falling(float[] change)
    {
        using var before = _engine.Open(_start);
        using var after = _engine.Open(Moved(change));
        double[] Fall(PreparedCase[] patients) =>
            [.. NoisyPatients.Losses(before, patients).Zip(NoisyPatients.Losses(after, patients), (was, isNow) => was - isNow)];
        return Attacker.Of(Fall(_members), Fall(_others));
    }

    private float[] Moved(float[] change) => [.. _weights.Zip(change, (weight, step) => weight + step)];

    private (float[] Update, PrivacySpent? Privacy) Train(ImmutableArray<PreparedCase> patients, int steps, int batch,
        PatientPrivacy? privacy)
    {
        var (update, spent) = _engine.Train(_engine.Plan(ProductSite.Recipe(steps, batch, rate: 0.01, privacy: privacy)), patients, _start);
        return (ProductSite.Read(update, _engine.Manifest), spent);
    }
}
