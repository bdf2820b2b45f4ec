using System.CommandLine;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;
using FedSeg.Protocol.V1;
using Spectre.Console;

namespace FedSeg.Cli.Jobs;

/// <summary><c>fedseg model</c>: the global models of all runs.</summary>
internal static class ModelCommands
{
    private static readonly Argument<string> ModelArgument = new("model") { Description = "SHA-256 of the model, or a run's id for its newest one." };

    public static Command Create()
    {
        var command = new Command("model", "List, inspect and fetch global models.")
        {
            List(),
            Show(),
            Download(),
            RecomputeCommand.Create(),
        };
        command.Options.Add(CoordinatorConnection.ProfileOption);
        command.Options.Add(CoordinatorConnection.TokenOption);
        return command;
    }

    private static Command List() => new Command("list", "All global models.").Does(async (parsed, cancellationToken) =>
    {
        using var connection = CoordinatorConnection.Open(parsed);
        var models = (await connection.Runs.ListModelsAsync(new ListModelsRequest(), cancellationToken: cancellationToken)).Models;
        if (parsed.GetValue(CommandLine.Json))
        {
            JsonOutput.Write(new { models = models.Select(model => new { sha256 = model.Sha256, bytes = model.Bytes, run = model.RunId, round = model.Round }) });
            return CommandLine.Done;
        }

        var table = new Table().AddColumns("run", "round", "bytes", "sha256");
        foreach (var model in models) table.AddRow(model.RunId, model.Round.ToString(), model.Bytes.ToString(), model.Sha256);
        AnsiConsole.Write(table);
        return CommandLine.Done;
    });

    private static Command Show() => new Command("show", "What a model file says of itself.") { ModelArgument }.Does(async (parsed, cancellationToken) =>
    {
        using var connection = CoordinatorConnection.Open(parsed);
        var model = await FindAsync(connection, parsed.GetRequiredValue(ModelArgument), cancellationToken);
        var path = Path.GetTempFileName();
        try
        {
            await connection.DownloadAsync(Sha256Digest.Parse(model.Sha256), path, cancellationToken);
            using var file = SafetensorsFile.Open(path);
            if (parsed.GetValue(CommandLine.Json))
            {
                JsonOutput.Write(new { sha256 = model.Sha256, bytes = model.Bytes, run = model.RunId, round = model.Round, metadata = file.Metadata, tensors = file.Tensors.Select(tensor => new { name = tensor.Name, shape = tensor.Shape }) });
                return CommandLine.Done;
            }

            Console.WriteLine($"{model.Sha256}  {model.Bytes} bytes  {model.RunId} round {model.Round}");
            foreach (var (key, value) in file.Metadata) Console.WriteLine($"  {key}: {value}");
            Console.WriteLine($"  {file.Tensors.Length} tensors, {file.Tensors.Sum(tensor => tensor.ElementCount)} weights");
            return CommandLine.Done;
        }
        finally
        {
            File.Delete(path);
        }
    });

    private static Command Download()
    {
        var output = new Option<FileInfo>("--out") { Description = "Where the safetensors file goes.", Required = true };
        return new Command("download", "Fetch a model.") { ModelArgument, output }.Does(async (parsed, cancellationToken) =>
        {
            using var connection = CoordinatorConnection.Open(parsed);
            var model = await FindAsync(connection, parsed.GetRequiredValue(ModelArgument), cancellationToken);
            var path = parsed.GetRequiredValue(output).FullName;
            await connection.DownloadAsync(Sha256Digest.Parse(model.Sha256), path, cancellationToken);
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { path, sha256 = model.Sha256, bytes = model.Bytes });
            else Console.WriteLine($"{path}  {model.Sha256}");
            return CommandLine.Done;
        });
    }

    private static async Task<ModelFile> FindAsync(CoordinatorConnection connection, string name, CancellationToken cancellationToken)
    {
        var models = (await connection.Runs.ListModelsAsync(new ListModelsRequest(), cancellationToken: cancellationToken)).Models;
        return models.LastOrDefault(model => model.Sha256 == name || model.RunId == name)
            ?? throw new BadInputException($"There is no model '{name}'; 'fedseg model list' shows those there are.");
    }
}
