using System.CommandLine;
using FedSeg.Egress.Review;
using FedSeg.Federation.Charters;
using FedSeg.Hosting.Programs;
using Microsoft.Extensions.Hosting;

namespace FedSeg.SiteAgent.Review;

/// <summary><c>review charters</c> and its kin: in which studies this hospital takes part, and under what.</summary>
internal static class CharterCommands
{
    private static readonly Argument<string> Charter = new("charter") { Description = "The charter's hash, or its first 8 or more digits." };

    public static IEnumerable<Command> Create(Func<string[], HostApplicationBuilder> builder) => [List(builder), Import(builder), Accept(builder), Decline(builder)];

    private static Command List(Func<string[], HostApplicationBuilder> builder)
    {
        var command = new Command("charters", "Every charter that was brought here, in plain words, and what was decided about it.");
        command.SetAction((parsed, _) => ReviewCommands.WithDeskAsync(parsed, builder, (desk, _) =>
        {
            ReviewPrinter.Charters(desk, parsed.GetValue(ReviewCommands.Json));
            return Task.FromResult(ServiceProgram.Done);
        }));
        return command;
    }

    private static Command Import(Func<string[], HostApplicationBuilder> builder)
    {
        var file = new Argument<FileInfo>("charter.json") { Description = "A charter that the federation's authority signed." };
        var command = new Command("import-charter", "Put a study's signed charter before the desk.") { file, ReviewCommands.As };
        command.SetAction((parsed, _) => ReviewCommands.GiveAsync(parsed, builder, (desk, id, by, at) =>
        {
            var path = parsed.GetRequiredValue(file).FullName;
            var signed = SignedCharter.TryRead(File.ReadAllBytes(path)) ?? throw new InvalidDataException($"'{path}' is no signed charter; 'fedseg charter sign' makes one.");
            // The agent looks at the signature before it counts for anything.
            desk.Charters.Keep(signed);
            return new DeskOrder.ImportCharter { Id = id, By = by, At = at, Charter = signed.Hash };
        }));
        return command;
    }

    private static Command Accept(Func<string[], HostApplicationBuilder> builder)
    {
        var command = new Command("accept-charter", "Take part in a study under its charter.") { Charter, ReviewCommands.As };
        command.SetAction((parsed, _) => ReviewCommands.GiveAsync(parsed, builder, (desk, id, by, at) =>
            new DeskOrder.AcceptCharter { Id = id, By = by, At = at, Charter = Find(desk, parsed).Charter }));
        return command;
    }

    private static Command Decline(Func<string[], HostApplicationBuilder> builder)
    {
        var reason = new Option<RefusalReason>("--reason") { Description = "As for refuse.", Required = true };
        var command = new Command("decline-charter", "Take no part under it, or no longer.") { Charter, ReviewCommands.As, reason };
        command.SetAction((parsed, _) => ReviewCommands.GiveAsync(parsed, builder, (desk, id, by, at) =>
            new DeskOrder.DeclineCharter { Id = id, By = by, At = at, Charter = Find(desk, parsed).Charter, Reason = parsed.GetRequiredValue(reason) }));
        return command;
    }

    private static SiteCharter Find(DeskClient desk, ParseResult parsed) => ReviewCommands.Single(
        desk.Ask(book => book.Charters.Where(known => known.State is CharterState.Waiting or CharterState.Accepted).ToList()),
        known => known.Charter,
        parsed.GetRequiredValue(Charter));
}
