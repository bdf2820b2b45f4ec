using System.CommandLine;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Hosting.Programs;

namespace FedSeg.SiteAgent.Review;

/// <summary><c>review account</c>: who may sign in. Whoever may write the agent's folder may do this; nobody can over the network.</summary>
internal static class AccountCommands
{
    public static Command Create(Func<ParseResult, Func<DeskClient, CancellationToken, Task<int>>, Task<int>> withDesk) =>
        new("account", "Who may sign in at this site.") { Set(withDesk), List(withDesk), Remove(withDesk), EndSessions(withDesk) };

    private static Command Set(Func<ParseResult, Func<DeskClient, CancellationToken, Task<int>>, Task<int>> withDesk)
    {
        var name = new Argument<string>("name");
        var role = new Option<DeskRole>("--role") { Description = string.Join(", ", Enum.GetValues<DeskRole>()), Required = true };
        var person = new Option<string?>("--person") { Description = "The id by which the hospital's sign-in knows the same person; 'review account list' shows those who signed in." };
        var command = new Command("set", "Add a person, or give one a new password or role; their sessions end.") { name, role, person };
        command.SetAction((parsed, _) => withDesk(parsed, async (desk, cancellationToken) =>
        {
            var password = Password.Read("New password: ");
            await desk.Accounts.SetAsync(parsed.GetRequiredValue(name), parsed.GetRequiredValue(role), password, parsed.GetValue(person), cancellationToken);
            return ServiceProgram.Done;
        }));
        return command;
    }

    private static Command List(Func<ParseResult, Func<DeskClient, CancellationToken, Task<int>>, Task<int>> withDesk)
    {
        var command = new Command("list", "Every account and its role.");
        command.SetAction((parsed, _) => withDesk(parsed, (desk, _) =>
        {
            foreach (var account in desk.Accounts.All) Console.WriteLine($"{account.Name,-32} {account.Role,-16} {account.Person}");
            return Task.FromResult(ServiceProgram.Done);
        }));
        return command;
    }

    private static Command Remove(Func<ParseResult, Func<DeskClient, CancellationToken, Task<int>>, Task<int>> withDesk)
    {
        var name = new Argument<string>("name");
        var command = new Command("remove", "Close an account; its sessions end.") { name };
        command.SetAction((parsed, _) => withDesk(parsed, async (desk, cancellationToken) =>
            await desk.Accounts.RemoveAsync(parsed.GetRequiredValue(name), cancellationToken) ? ServiceProgram.Done : ServiceProgram.No));
        return command;
    }

    private static Command EndSessions(Func<ParseResult, Func<DeskClient, CancellationToken, Task<int>>, Task<int>> withDesk)
    {
        var name = new Argument<string>("name");
        var command = new Command("end-sessions", "Sign an account out everywhere.") { name };
        command.SetAction((parsed, _) => withDesk(parsed, async (desk, cancellationToken) =>
            await desk.Accounts.EndSessionsAsync(parsed.GetRequiredValue(name), cancellationToken) ? ServiceProgram.Done : ServiceProgram.No));
        return command;
    }
}
