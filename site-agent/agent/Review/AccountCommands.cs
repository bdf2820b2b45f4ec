using System.CommandLine;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Hosting.Programs;

namespace FedSeg.SiteAgent.Review;

/// <summary><c>review account</c>: who may sign in. Whoever may write the agent's folder may do this; nobody can over the network.</summary>
internal static class AccountCommands
{
    public static Command Create(Func<ParseResult, Func<DeskClient, CancellationToken, Task<int>>, Task<int>> withDesk) =>
        new("account", "Who may sign in at this site.") { Set(withDesk), List(withDesk), Remove(withDesk) };

    private static Command Set(Func<ParseResult, Func<DeskClient, CancellationToken, Task<int>>, Task<int>> withDesk)
    {
        var name = new Argument<string>("name");
        var role = new Option<DeskRole>("--role") { Description = string.Join(", ", Enum.GetValues<DeskRole>()), Required = true };
        var command = new Command("set", "Add a person, or give one a new password or role.") { name, role };
        command.SetAction((parsed, _) => withDesk(parsed, async (desk, cancellationToken) =>
        {
            await desk.Accounts.SetAsync(parsed.GetRequiredValue(name), parsed.GetRequiredValue(role), Password.Read("New password: "), cancellationToken);
            return ServiceProgram.Done;
        }));
        return command;
    }

    private static Command List(Func<ParseResult, Func<DeskClient, CancellationToken, Task<int>>, Task<int>> withDesk)
    {
        var command = new Command("list", "Every account and its role.");
        command.SetAction((parsed, _) => withDesk(parsed, (desk, _) =>
        {
            foreach (var account in desk.Accounts.All) Console.WriteLine($"{account.Name,-32} {account.Role}");
            return Task.FromResult(ServiceProgram.Done);
        }));
        return command;
    }

    private static Command Remove(Func<ParseResult, Func<DeskClient, CancellationToken, Task<int>>, Task<int>> withDesk)
    {
        var name = new Argument<string>("name");
        var command = new Command("remove", "Close an account.") { name };
        command.SetAction((parsed, _) => withDesk(parsed, async (desk, cancellationToken) =>
            await desk.Accounts.RemoveAsync(parsed.GetRequiredValue(name), cancellationToken) ? ServiceProgram.Done : ServiceProgram.No));
        return command;
    }
}
