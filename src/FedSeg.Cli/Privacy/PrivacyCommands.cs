using System.CommandLine;
using System.Globalization;
using FedSeg.Cli.Programs;
using FedSeg.Privacy.Accounting;

namespace FedSeg.Cli.Privacy;

/// <summary>
/// <c>fedseg privacy</c>: what a training costs in ε, and the noise a budget asks for. Adding or removing one sampled unit; every
/// checkpoint may be published.
/// </summary>
internal static class PrivacyCommands
{
    private static readonly Option<double> SamplingRate = new("--sampling-rate")
    {
        Description = "q: chance of one patient to enter a step, 0 to 1.",
        Required = true,
    };

    private static readonly Option<double> NoiseMultiplier = new("--noise-multiplier")
    {
        Description = "σ: standard deviation of the noise over the clipping norm.",
        Required = true,
    };

    private static readonly Option<long> Steps = new("--steps") { Description = "T: noised steps of the whole training.", Required = true };
    private static readonly Option<double> Delta = new("--delta") { Description = "δ; well below 1 / patients.", Required = true };
    private static readonly Option<double> EpsilonTarget = new("--epsilon") { Description = "ε to keep to.", Required = true };

    private static readonly Option<string> Accountant = new("--accountant")
    {
        Description = "rdp: quick, a little above the truth. pld: tight. gaussian: exact, for sampling rate 1.",
        DefaultValueFactory = _ => "rdp",
    };

    public static Command Create() =>
        new("privacy", "Differential privacy: epsilon of a training, noise of a budget.") { Epsilon(), Noise() };

    private static Command Epsilon() => new Command("epsilon", "The epsilon a training costs.")
    {
        SamplingRate,
        NoiseMultiplier,
        Steps,
        Delta,
        Accountant,
    }.Does((parsed, _) =>
    {
        var mechanism = new SampledGaussian(parsed.GetValue(SamplingRate), parsed.GetValue(NoiseMultiplier), parsed.GetValue(Steps));
        if (mechanism.Problem() is { } problem) throw new BadInputException($"Impossible: {problem}.");
        var (accountant, delta) = Common(parsed);
        var (epsilon, order) = accountant switch
        {
            "gaussian" => (GaussianAccountant.Epsilon(mechanism, delta), (double?)null),
            "pld" => (new PldAccountant().Add(mechanism).Epsilon(delta), null),
            _ => Rdp(mechanism, delta),
        };

        if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { epsilon, order, accountant });
        else Say($"epsilon {epsilon:G8} at delta {delta:G4} ({accountant}{(order is { } best ? $", order {best}" : "")})");
        return Task.FromResult(CommandLine.Done);
    });

    private static Command Noise() => new Command("noise", "The least noise multiplier that keeps to an epsilon.")
    {
        EpsilonTarget,
        Delta,
        SamplingRate,
        Steps,
        Accountant,
    }.Does((parsed, _) =>
    {
        var (target, q, steps) = (parsed.GetValue(EpsilonTarget), parsed.GetValue(SamplingRate), parsed.GetValue(Steps));
        if (!(target > 0) || double.IsInfinity(target)) throw new BadInputException($"--epsilon: {target} is not a finite number above 0.");
        if (new SampledGaussian(q, 1, steps).Problem() is { } problem) throw new BadInputException($"Impossible: {problem}.");
        if (q == 0 || steps == 0) throw new BadInputException("Nothing is sampled, so no noise is needed: give rate and steps above 0.");
        var (accountant, delta) = Common(parsed);
        var noiseMultiplier = accountant switch
        {
            "gaussian" => NoiseCalibration.Gaussian(target, delta, steps),
            "pld" => NoiseCalibration.Pld(target, delta, q, steps),
            _ => NoiseCalibration.Rdp(target, delta, q, steps),
        } ?? throw Wrong($"No noise multiplier up to {NoiseCalibration.Largest} keeps to epsilon {target}; sample less or make fewer steps.");

        if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { noiseMultiplier, accountant });
        else Say($"noise multiplier {noiseMultiplier:G8} ({accountant})");
        return Task.FromResult(CommandLine.Done);
    });

    private static (string Accountant, double Delta) Common(ParseResult parsed)
    {
        var accountant = parsed.GetValue(Accountant)!;
        if (accountant is not ("rdp" or "pld" or "gaussian")) throw Wrong($"--accountant: '{accountant}' is not one of: rdp, pld, gaussian");
        if (accountant == "gaussian" && parsed.GetValue(SamplingRate) != 1)
        {
            throw Wrong($"--accountant gaussian counts steps in which everybody takes part: it needs --sampling-rate 1; use pld.");
        }

        var delta = parsed.GetValue(Delta);
        if (!(delta is > 0 and < 1)) throw new BadInputException($"--delta: {delta} is not above 0 and below 1.");
        if (accountant == "pld" && delta < PldAccountant.SmallestDelta)
        {
            throw Wrong($"--delta: {delta} is below {PldAccountant.SmallestDelta}, the smallest that pld answers for; use rdp.");
        }

        return (accountant, delta);
    }

    private static (double Epsilon, double? Order) Rdp(SampledGaussian mechanism, double delta)
    {
        var found = new RdpAccountant().Add(mechanism).Epsilon(delta);
        if (found is { AtTheEdge: true, Epsilon: > 0 } && double.IsFinite(found.Epsilon))
        {
            Console.Error.WriteLine($"The best order is {found.Order}, at the edge of those tried: epsilon may be far above the truth; pld is tight.");
        }

        return (found.Epsilon, found.Order);
    }

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private static BadInputException Wrong(FormattableString line) => new(line.ToString(CultureInfo.InvariantCulture));
}
