using System.CommandLine;
using System.CommandLine.Parsing;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using Grpc.Core;
using Spectre.Console;

namespace FedSeg.Cli.Programs;

/// <summary>
/// How every command ends: exit code 0 done, 1 the answer is no, 2 bad usage or input with one line that says what and where, 3 a fault. A stack trace only with
/// <c>--verbose</c>.
/// </summary>
internal static class CommandLine
{
    public const int Done = 0, No = 1, BadInput = 2, Fault = 3;

    public static Option<bool> Json { get; } = new("--json") { Description = "Print one JSON document on standard output and nothing else.", Recursive = true };

    private static Option<bool> Verbose { get; } = new("--verbose") { Description = "Show the stack trace of a fault.", Recursive = true };

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        // A pipe has no width; a table cut to 80 columns would lose what a script looks for.
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 400;
        root.Options.Add(Json);
        root.Options.Add(Verbose);
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(error.Message);
            await Console.Error.WriteLineAsync($"See 'fedseg {PathOf(parsed.CommandResult)}--help'.");
            return BadInput;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return Fault;
        }
        catch (Exception error)
        {
            var (code, message) = Explain(error);
            await Console.Error.WriteLineAsync(parsed.GetValue(Verbose) ? error.ToString() : message.ReplaceLineEndings(" "));
            return code;
        }
    }

    /// <summary>Adds what a command does.</summary>
    public static Command Does(this Command command, Func<ParseResult, CancellationToken, Task<int>> action)
    {
        command.SetAction(action);
        return command;
    }

    /// <summary>Adds what a command does that computes with tensors: in a process whose memory is kept for them.</summary>
    public static Command Computes(this Command command, Func<ParseResult, CancellationToken, Task<int>> action) => command.Does((parsed, cancellationToken) =>
    {
        TensorMemory.Prepare();
        return action(parsed, cancellationToken);
    });

    /// <summary>The names of a command and those above it, below the root.</summary>
    private static string PathOf(CommandResult command) =>
        command.Parent is CommandResult above ? $"{PathOf(above)}{command.Command.Name} " : "";

    private static (int Code, string Message) Explain(Exception error) => error switch
    {
        AggregateException { InnerExceptions: [var only] } => Explain(only),
        CohortException => (BadInput, error.Message),
        BadInputException or InvalidDataException or SafetensorsException => (BadInput, error.Message),
        FileNotFoundException or DirectoryNotFoundException => (BadInput, error.Message),
        Dicom.DicomException or InvalidOperationException { Source: "FedSeg.Hosting" } => (BadInput, error.Message),
        RpcException { StatusCode: StatusCode.NotFound or StatusCode.InvalidArgument } rpc => (BadInput, rpc.Status.Detail),
        RpcException { StatusCode: StatusCode.Unauthenticated or StatusCode.PermissionDenied } =>
            (BadInput, "The coordinator does not let this certificate do that, or this token; ask the federation's authority to enter the certificate in the register, sign in again, or ask for another role."),
        RpcException { StatusCode: StatusCode.Unavailable } rpc => NoAnswer(rpc),
        // A connection that is closed while a call starts on it has no status of its own.
        RpcException { InnerException: HttpRequestException } rpc => NoAnswer(rpc),
        RpcException rpc => (Fault, $"The coordinator failed: {(rpc.Status.Detail.Length > 0 ? rpc.Status.Detail : rpc.StatusCode)}"),
        UnauthorizedAccessException or IOException => (Fault, error.Message),
        _ => (Fault, $"{error.GetType().Name}: {error.Message} (--verbose shows where)"),
    };

    private static (int Code, string Message) NoAnswer(RpcException rpc) => (Fault,
        $"No answer from the coordinator: {(rpc.InnerException?.GetBaseException().Message ?? rpc.Status.Detail).TrimEnd('.')}. Check that it runs, and the address and certificates in the profile.");
}

/// <summary>What a person asked for can't be done as asked: the message says what, where and what to do.</summary>
internal sealed class BadInputException(string message) : Exception(message);
