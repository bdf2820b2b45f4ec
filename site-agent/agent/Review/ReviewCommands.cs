using System.CommandLine;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Programs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Review;

/// <summary>
/// <c>FedSeg.SiteAgent review</c>: the desk on the command line, for a site whose officer has no browser at hand. It runs beside the agent and places orders as the page does;
/// whoever gives one signs in.
/// </summary>
internal static class ReviewCommands
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly Option<string> Settings = new("--settings") { Description = "The agent's settings file.", Required = true, Recursive = true };
    internal static readonly Option<bool> Json = new("--json") { Description = "Print one JSON document.", Recursive = true };
    internal static readonly Option<string> As = new("--as") { Description = "Your account; the password is asked for, or read from standard input.", Required = true };
    private static readonly Argument<string> Terms = new("terms") { Description = "The hash of the run's terms, or its first 8 or more digits." };
    private static readonly Argument<string> Update = new("update") { Description = "The update's digest, or its first 8 or more digits." };

    public static async Task<int> RunAsync(string[] args, Func<string[], HostApplicationBuilder> builder)
    {
        var root = new RootCommand("What waits for a person of this site, and what people decide.")
        {
            List(builder),
            Show(builder),
            Approve(builder),
            Refuse(builder),
            ExplainPlan(builder),
            ApprovePlan(builder),
            RefusePlan(builder),
            Order("approve-policy", "Agree to the changed policy file; it takes two people.", builder, (desk, id, by, at) => new DeskOrder.ApprovePolicy { Id = id, By = by, At = at, Policy = WaitingPolicy(desk) }),
            Order("refuse-policy", "Keep the policy as it was.", builder, (desk, id, by, at) => new DeskOrder.RefusePolicy { Id = id, By = by, At = at, Policy = WaitingPolicy(desk) }),
            Order("pause", "Begin no further round, and let nothing leave by a standing authority.", builder, Stamp<DeskOrder.Pause>((id, by, at) => new() { Id = id, By = by, At = at })),
            Order("resume", "End a pause.", builder, Stamp<DeskOrder.Resume>((id, by, at) => new() { Id = id, By = by, At = at })),
            Order("halt", "The kill switch: stop training, hang up, drop what waits.", builder, Stamp<DeskOrder.Halt>((id, by, at) => new() { Id = id, By = by, At = at })),
            Order("lift", "Lift the kill switch; it takes two people.", builder, Stamp<DeskOrder.Lift>((id, by, at) => new() { Id = id, By = by, At = at })),
            AccountCommands.Create((parsed, work) => WithDeskAsync(parsed, builder, work)),
        };
        foreach (var command in CharterCommands.Create(builder).Concat(PatientCommands.Create(builder))) root.Subcommands.Add(command);
        root.Options.Add(Settings);
        root.Options.Add(Json);
        var parsed = root.Parse(args);
        if (parsed.Errors.Count == 0) return await parsed.InvokeAsync();
        foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(error.Message);
        return ServiceProgram.BadInput;
    }

    private static Command List(Func<string[], HostApplicationBuilder> builder)
    {
        var command = new Command("list", "What waits.");
        command.SetAction((parsed, _) => WithDeskAsync(parsed, builder, (desk, _) =>
        {
            ReviewPrinter.List(desk, parsed.GetValue(Json));
            return Task.FromResult(ServiceProgram.Done);
        }));
        return command;
    }

    private static Command Show(Func<string[], HostApplicationBuilder> builder)
    {
        var command = new Command("show", "Everything that was measured of one update.") { Update };
        command.SetAction((parsed, _) => WithDeskAsync(parsed, builder, (desk, _) =>
        {
            ReviewPrinter.Show(desk, Find(desk, parsed.GetRequiredValue(Update)), parsed.GetValue(Json));
            return Task.FromResult(ServiceProgram.Done);
        }));
        return command;
    }

    private static Command Approve(Func<string[], HostApplicationBuilder> builder)
    {
        var next = new Option<int>("--next") { Description = "And what passes every rule in this many further rounds of the run." };
        var command = new Command("approve", "Let an update leave.") { Update, As, next };
        command.SetAction((parsed, _) => GiveAsync(parsed, builder, (desk, id, by, at) =>
            new DeskOrder.Approve { Id = id, By = by, At = at, Update = Find(desk, parsed.GetRequiredValue(Update)).Update, NextRounds = parsed.GetValue(next) }));
        return command;
    }

    private static Command Refuse(Func<string[], HostApplicationBuilder> builder)
    {
        var reason = new Option<RefusalReason>("--reason")
        {
            Description = string.Join(", ", Enum.GetValues<RefusalReason>().Where(reason => reason != RefusalReason.Expired)),
            Required = true,
        };
        var command = new Command("refuse", "Let it not leave.") { Update, As, reason };
        command.SetAction((parsed, _) => GiveAsync(parsed, builder, (desk, id, by, at) =>
            new DeskOrder.Refuse { Id = id, By = by, At = at, Update = Find(desk, parsed.GetRequiredValue(Update)).Update, Reason = parsed.GetRequiredValue(reason) }));
        return command;
    }

    private static Command ExplainPlan(Func<string[], HostApplicationBuilder> builder)
    {
        var command = new Command("explain-plan", "What a run will do here, and what is different from the last approved one.") { Terms };
        command.SetAction((parsed, _) => WithDeskAsync(parsed, builder, (desk, _) =>
        {
            ReviewPrinter.Explain(desk, FindPlan(desk, parsed.GetRequiredValue(Terms)), parsed.GetValue(Json));
            return Task.FromResult(ServiceProgram.Done);
        }));
        return command;
    }

    private static Command ApprovePlan(Func<string[], HostApplicationBuilder> builder)
    {
        var command = new Command("approve-plan", "Let a run train here.") { Terms, As };
        command.SetAction((parsed, _) => GiveAsync(parsed, builder, (desk, id, by, at) =>
            new DeskOrder.ApprovePlan { Id = id, By = by, At = at, Terms = FindPlan(desk, parsed.GetRequiredValue(Terms)).Terms }));
        return command;
    }

    private static Command RefusePlan(Func<string[], HostApplicationBuilder> builder)
    {
        var reason = new Option<RefusalReason>("--reason") { Description = "As for refuse.", Required = true };
        var command = new Command("refuse-plan", "Let it not.") { Terms, As, reason };
        command.SetAction((parsed, _) => GiveAsync(parsed, builder, (desk, id, by, at) =>
            new DeskOrder.RefusePlan { Id = id, By = by, At = at, Terms = FindPlan(desk, parsed.GetRequiredValue(Terms)).Terms, Reason = parsed.GetRequiredValue(reason) }));
        return command;
    }

    private static Command Order(string name, string description, Func<string[], HostApplicationBuilder> builder, Func<DeskClient, string, string, DateTimeOffset, DeskOrder> order)
    {
        var command = new Command(name, description) { As };
        command.SetAction((parsed, _) => GiveAsync(parsed, builder, order));
        return command;
    }

    private static Func<DeskClient, string, string, DateTimeOffset, DeskOrder> Stamp<T>(Func<string, string, DateTimeOffset, T> make)
        where T : DeskOrder => (_, id, by, at) => make(id, by, at);

    internal static Task<int> GiveAsync(
        ParseResult parsed, Func<string[], HostApplicationBuilder> builder, Func<DeskClient, string, string, DateTimeOffset, DeskOrder> order) =>
        WithDeskAsync(parsed, builder, async (desk, cancellationToken) =>
        {
            var by = parsed.GetRequiredValue(As);
            switch (await desk.Accounts.SignInAsync(by, Password.Read($"Password of {by}: "), cancellationToken))
            {
                case SignInOutcome.Locked:
                    throw new InvalidDataException("Too many wrong passwords; the account is locked for a quarter of an hour.");
                case SignInOutcome.Wrong:
                    throw new InvalidDataException("No such account, or another password.");
            }

            var answer = await desk.GiveAsync(order(desk, Guid.NewGuid().ToString("N"), by, TimeProvider.System.GetUtcNow()), Patience, cancellationToken);
            return ReviewPrinter.Answer(answer, parsed.GetValue(Json));
        });

    private static Sha256Digest WaitingPolicy(DeskClient desk) =>
        desk.Ask(book => book.WaitingPolicy)?.Policy ?? throw new InvalidDataException("No changed policy waits.");

    private static WaitingUpdate Find(DeskClient desk, string digits) => Single(desk.Ask(book => book.Waiting.ToList()), waiting => waiting.Update, digits);

    private static WaitingPlan FindPlan(DeskClient desk, string digits) => Single(desk.Ask(book => book.WaitingPlans.ToList()), waiting => waiting.Terms, digits);

    internal static T Single<T>(IEnumerable<T> waiting, Func<T, Sha256Digest> digestOf, string digits)
    {
        const int fewestDigits = 8;
        var found = waiting.Where(item => digits.Length >= fewestDigits && digestOf(item).ToString().StartsWith(digits, StringComparison.Ordinal)).ToList();
        return found is [var only] ? only : throw new InvalidDataException($"Nothing single that waits begins with '{digits}'; 'review list' names what does.");
    }

    internal static Task<int> WithDeskAsync(
        ParseResult parsed, Func<string[], HostApplicationBuilder> builder, Func<DeskClient, CancellationToken, Task<int>> work) =>
        ServiceProgram.RunAsync(
            () =>
            {
                var host = builder(["--settings", parsed.GetRequiredValue(Settings)]);
                host.Services.Configure<ConsoleLifetimeOptions>(lifetime => lifetime.SuppressStatusMessages = true);
                return host.Build();
            },
            (services, cancellationToken) =>
                work(new DeskClient(services.GetRequiredService<IOptions<AgentOptions>>().Value.DataDirectory, TimeProvider.System), cancellationToken));
}
