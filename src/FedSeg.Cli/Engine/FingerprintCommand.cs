using System.CommandLine;
using FedSeg.Cli.Demo;
using FedSeg.Cli.Imaging;
using FedSeg.Cli.Programs;
using FedSeg.Imaging.Cases;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Cli.Engine;

/// <summary><c>fedseg fingerprint</c>: what each site would tell of its data so that a plan can be made.</summary>
internal static class FingerprintCommand
{
    private const int DefaultLeastCases = 5;

    private static readonly Option<DirectoryInfo> Data = new("--data")
    {
        Description = "DIR/<site>/<case>/… with DICOM files.",
        Required = true,
    };

    private static readonly Option<DirectoryInfo> Output = new("--out")
    {
        Description = "Folder for one <site>.json a site.",
        Required = true,
    };

    private static readonly Option<int> LeastCases = new("--least-cases")
    {
        Description = "Counts of fewer patients are left out, at least 2.",
        DefaultValueFactory = _ => DefaultLeastCases,
    };

    public static Command Create() =>
        new Command("fingerprint", "Each site's sketches for 'fedseg plan'.") { Data, Output, LeastCases, Htj2kSwitch.Option }.Does(RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var leastCases = parsed.GetValue(LeastCases);
        if (leastCases < 2)
        {
            throw new BadInputException($"--least-cases is {leastCases}; a count of one patient is that patient. Use at least 2.");
        }

        var limits = Htj2kSwitch.Limits(parsed);
        var data = DemoData.Survey(parsed.GetRequiredValue(Data).FullName, limits, cancellationToken);
        var labels = LabelVocabulary.Of(data.CommonLabels);
        var modality = data.Cases.First().Modality;
        var output = parsed.GetRequiredValue(Output).FullName;
        Directory.CreateDirectory(output);

        var written = new List<object>();
        foreach (var (site, folder) in data.Sites)
        {
            var fingerprint = CohortFingerprint.Of(
                folder, labels, modality, leastCases, Environment.ProcessorCount, cancellationToken, limits)
                ?? throw new BadInputException(
                    $"'{folder}' has fewer than {leastCases} patients with a usable, labelled {modality} case: too few to tell anything of it. "
                    + "Add patients or lower --least-cases.");
            var path = Path.Combine(output, $"{site}.json");
            await File.WriteAllBytesAsync(path, fingerprint.ToBytes(), cancellationToken);
            written.Add(new { site, cases = fingerprint.Cases, path });
            var suppressed = fingerprint.Intensity.SuppressedShare();
            Console.Error.WriteLine($"{site}: {fingerprint.Cases} cases, {suppressed:P1} of the intensities suppressed");
        }

        if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { modality, labels = data.CommonLabels, sites = written });
        return CommandLine.Done;
    }
}
