using System.CommandLine;
using FedSeg.Cli.Demo;
using FedSeg.Cli.Programs;
using FedSeg.Dicom;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Planning;
using FedSeg.Imaging.Cases;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Cli.Engine;

/// <summary>The job file of the commands that train without a federation: the one that the federation would be given.</summary>
internal static class LocalJob
{
    public static Option<FileInfo?> Option { get; } = new("--job")
    {
        Description = "Network, preprocessing and recipe as a job file, as a federation takes it; what 'demo' proposes when not given. Its sites are not looked at.",
    };

    /// <summary>Reads a job file for data; a network that is to be planned is planned from all their sites, as a coordinator would.</summary>
    /// <param name="file">The job.</param>
    /// <param name="data">The data to plan from.</param>
    /// <param name="limits">As they were surveyed with, and as they will be trained on.</param>
    /// <exception cref="BadInputException">There is no such file, it is no job, or its network can't be planned from these data.</exception>
    public static JobSpec Read(FileInfo file, DemoData data, DicomLimits limits)
    {
        var job = ReadUnplanned(file);
        if (job.Planning is not { } asked) return job;
        try
        {
            var labels = LabelVocabulary.Of(job.Labels);
            var fingerprints = data.Sites.OrderBy(site => SiteId.Parse(site.Key))
                .Select(site => CohortFingerprint.Of(
                    site.Value,
                    labels,
                    job.Preprocessing.Modality,
                    asked.LeastCases,
                    Environment.ProcessorCount,
                    CancellationToken.None,
                    limits)
                    ?? throw new BadInputException($"'{site.Value}' has fewer than {asked.LeastCases} patients with a labelled case: too few to plan from."))
                .ToList();
            return job.With(RunPlanning.Of(asked, fingerprints)) with { Planning = null };
        }
        catch (Exception error) when (error is FingerprintException or PlanningException)
        {
            throw new BadInputException($"No network could be planned from these data: {error.Message}");
        }
    }

    /// <summary>Reads a job file, whatever it leaves to be planned.</summary>
    /// <exception cref="BadInputException">There is no such file, or it is no job.</exception>
    public static JobSpec ReadUnplanned(FileInfo file)
    {
        if (!file.Exists) throw new BadInputException($"There is no job file '{file.FullName}'.");
        return JobSpecReader.Read(File.ReadAllText(file.FullName)) switch
        {
            JobSpecResult.Valid valid => valid.Job,
            JobSpecResult.Invalid invalid => throw new BadInputException($"{file.FullName}: {string.Join("; ", invalid.Problems)}"),
            _ => throw new InvalidOperationException("A job is either valid or invalid."),
        };
    }
}
