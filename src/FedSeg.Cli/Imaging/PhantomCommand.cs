using System.CommandLine;
using FedSeg.Cli.Programs;
using FedSeg.Imaging.Phantoms;

namespace FedSeg.Cli.Imaging;

/// <summary><c>fedseg phantom</c>: synthetic hospitals as real DICOM files, to try everything without a patient.</summary>
internal static class PhantomCommand
{
    public static Command Create()
    {
        var output = new Option<DirectoryInfo>("--out") { Description = "A new folder; DIR/<site>/<case>/… is written.", Required = true };
        var sites = new Option<int>("--sites") { Description = "Hospitals.", DefaultValueFactory = _ => 3 };
        var cases = new Option<int>("--cases") { Description = "Cases per hospital; the last one has fewer.", DefaultValueFactory = _ => 12 };
        var modality = new Option<string>("--modality") { Description = "MR or CT.", DefaultValueFactory = _ => "MR" };
        modality.AcceptOnlyFromAmong("MR", "CT");
        var seed = new Option<int>("--seed") { Description = "The same seed gives the same bytes.", DefaultValueFactory = _ => 1 };
        return new Command("phantom", "Write deterministic synthetic hospitals: DICOM series and DICOM SEG.") { output, sites, cases, modality, seed }.Does((parsed, cancellationToken) =>
        {
            var directory = parsed.GetRequiredValue(output).FullName;
            if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any()) throw new BadInputException($"--out {directory} is not empty; name a new folder.");
            var options = new PhantomOptions { Sites = parsed.GetValue(sites), CasesPerSite = parsed.GetValue(cases), Modality = parsed.GetRequiredValue(modality), Seed = parsed.GetValue(seed) };
            IReadOnlyList<(string Site, int Cases)> written;
            try
            {
                written = PhantomHospitals.Write(directory, options, cancellationToken);
            }
            catch (ArgumentException error)
            {
                throw new BadInputException(error.Message);
            }

            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { sites = written.Select(entry => new { name = entry.Site, cases = entry.Cases }), cases = written.Sum(entry => entry.Cases) });
            else foreach (var (site, count) in written) Console.WriteLine($"{Path.Combine(directory, site)}: {count} cases");
            return Task.FromResult(CommandLine.Done);
        });
    }
}
