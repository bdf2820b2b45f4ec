using System.CommandLine;
using FedSeg.Cli.Programs;
using FedSeg.Egress.Policy;

namespace FedSeg.Cli.Policies;

/// <summary><c>fedseg policy</c>: check what a hospital wants to let out before its agent goes by it.</summary>
internal static class PolicyCommands
{
    public static Command Create() => new("policy", "Check a site's egress policy.") { Validate(), Schema() };

    private static Command Validate()
    {
        var file = new Argument<FileInfo>("policy.yaml") { Description = "The egress policy." };
        return new Command("validate", "Name every problem of a policy file.") { file }.Does((parsed, _) =>
        {
            var path = parsed.GetRequiredValue(file);
            if (!path.Exists) throw new BadInputException($"There is no policy file '{path.FullName}'.");
            var problems = EgressPolicyFile.Read(path.FullName) is EgressPolicyResult.Invalid invalid ? invalid.Problems : [];
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { valid = problems.IsEmpty, problems = problems.Select(problem => new { line = problem.Line, message = problem.Message }) });
            else if (problems.IsEmpty) Console.WriteLine($"{path.Name} is valid.");
            else foreach (var problem in problems) Console.Error.WriteLine($"{path.Name}: {problem}");
            return Task.FromResult(problems.IsEmpty ? CommandLine.Done : CommandLine.BadInput);
        });
    }

    private static Command Schema() => new Command("schema", "The JSON schema of a policy file, for editors.").Does((_, _) =>
    {
        Console.WriteLine(EgressPolicyFile.Schema);
        return Task.FromResult(CommandLine.Done);
    });
}
