using System.Collections.Concurrent;
using FedSeg.Hosting.Storage;
using FedSeg.Importer.Cohort;
using FedSeg.Importer.Pacs;
using FedSeg.Importer.Selection;
using Microsoft.Extensions.Options;

namespace FedSeg.Importer.Imports;

/// <summary>
/// Brings one study into the cohort: asks which instances it has, compares them with those on disk, fetches what is missing, checks each,
/// and publishes the case when it is whole.
/// </summary>
internal sealed class StudyImport(PacsClient pacs, CohortFolder cohort, StudySelection selection, IOptions<ImporterOptions> options)
{
    private readonly PacsOptions _pacsOptions = options.Value.Pacs;

    public async Task<StudyOutcome> RunAsync(Uid study, CancellationToken cancellationToken)
    {
        try
        {
            return selection.Choose(await pacs.FindSeriesAsync(study, cancellationToken)) switch
            {
                SeriesChoice.Nothing nothing => new StudyOutcome.Skipped(nothing.Reason),
                SeriesChoice.Chosen chosen => await ImportAsync(study, chosen.Series, cancellationToken),
                _ => throw new InvalidOperationException("A study's series are either chosen or not."),
            };
        }
        catch (PacsException failure)
        {
            return new StudyOutcome.Postponed(failure.Fault);
        }
    }

    private async Task<StudyOutcome> ImportAsync(Uid study, IReadOnlyList<Uid> series, CancellationToken cancellationToken)
    {
        var seriesOf = await ListInstancesAsync(study, series, cancellationToken);
        if (seriesOf.Count == 0) return new StudyOutcome.Skipped(SkipReason.NoInstances);
        if (seriesOf.Count > _pacsOptions.MaximumInstances) return new StudyOutcome.Skipped(SkipReason.TooManyInstances);
        var folder = cohort.Case(study);
        if (folder.IsPublishedWith(seriesOf.Keys)) return new StudyOutcome.Unchanged();

        var present = folder.Stage(seriesOf.Keys);
        var missing = seriesOf.Keys.Where(instance => !present.Contains(instance)).ToHashSet();
        foreach (var one in series) await FetchSeriesAsync(folder, study, one, missing, seriesOf, cancellationToken);
        var faults = await FetchSinglyAsync(folder, study, missing, seriesOf, cancellationToken);
        var fetched = seriesOf.Count - present.Count - faults.Count;
        if (faults.Count > 0) return new StudyOutcome.Quarantined(fetched, faults);
        folder.Publish();
        return new StudyOutcome.Imported(fetched, present.Count);
    }

    /// <summary>Every instance once, with the series it is asked for in: an archive may list the same one twice.</summary>
    private async Task<Dictionary<Uid, Uid>> ListInstancesAsync(Uid study, IReadOnlyList<Uid> series, CancellationToken cancellationToken)
    {
        var seriesOf = new Dictionary<Uid, Uid>();
        foreach (var one in series)
        {
            foreach (var instance in await pacs.FindInstancesAsync(study, one, cancellationToken)) seriesOf.TryAdd(instance, one);
        }

        return seriesOf;
    }

    /// <summary>
    /// A series of which nothing is here comes in one answer, without a round trip for each instance. Whatever this does not bring, for
    /// whatever reason, is left to
    /// <see cref="FetchSinglyAsync"/>, which retries and judges.
    /// </summary>
    private async Task FetchSeriesAsync(
        CaseFolder folder, Uid study, Uid series, HashSet<Uid> missing, Dictionary<Uid, Uid> seriesOf, CancellationToken cancellationToken)
    {
        var instances = seriesOf.Where(entry => entry.Value == series).Select(entry => entry.Key).ToHashSet();
        if (instances.Count < 2 || !instances.IsSubsetOf(missing)) return;
        try
        {
            await pacs.RetrieveSeriesAsync(
                study,
                series,
                instances.Count,
                async (parts, stop) =>
                {
                    while (await parts.MoveNextAsync(stop))
                    {
                        var path = await ReceiveAsync(parts, stop);
                        if (InstanceCheck.Of(path, study, instances) is InstanceCheck.Passed passed)
                        {
                            folder.Accept(path, passed.Instance);
                            missing.Remove(passed.Instance);
                        }
                        else
                        {
                            File.Delete(path);
                        }
                    }
                },
                cancellationToken);
        }
        catch (PacsException)
        {
            // Trouble that lasts meets the single requests as well, and they report it.
        }
    }

    private async Task<IReadOnlyList<InstanceFault>> FetchSinglyAsync(
        CaseFolder folder, Uid study, HashSet<Uid> missing, Dictionary<Uid, Uid> seriesOf, CancellationToken cancellationToken)
    {
        var faults = new ConcurrentBag<InstanceFault>();
        await Parallel.ForEachAsync(
            missing,
            new ParallelOptions { MaxDegreeOfParallelism = _pacsOptions.Connections, CancellationToken = cancellationToken },
            async (instance, stop) =>
            {
                if (await FetchAsync(folder, study, seriesOf[instance], instance, stop) is { } fault) faults.Add(fault);
            });
        return [.. faults.Order()];
    }

    private async Task<InstanceFault?> FetchAsync(
        CaseFolder folder, Uid study, Uid series, Uid instance, CancellationToken cancellationToken)
    {
        InstanceFault? fault = InstanceFault.NotServed;
        try
        {
            await pacs.RetrieveInstanceAsync(
                study,
                series,
                instance,
                async (parts, stop) =>
                {
                    if (!await parts.MoveNextAsync(stop)) return;
                    var path = await ReceiveAsync(parts, stop);
                    fault = Judge(folder, path, study, instance);
                },
                cancellationToken);
            return fault;
        }
        catch (PacsException failure) when (failure.Fault == PacsFault.NotFound)
        {
            return InstanceFault.NotServed;
        }
        catch (PacsException failure) when (failure.Fault == PacsFault.LimitExceeded)
        {
            return InstanceFault.TooLarge;
        }
    }

    private static InstanceFault? Judge(CaseFolder folder, string path, Uid study, Uid instance)
    {
        switch (InstanceCheck.Of(path, study, new HashSet<Uid> { instance }))
        {
            case InstanceCheck.Failed failed:
                folder.Refuse(path, instance, failed.Fault);
                return failed.Fault;
            default:
                folder.Accept(path, instance);
                return null;
        }
    }

    /// <summary>
    /// Streams the current part into a new file. Its bytes are flushed when this returns, so that a name it gets later never stands for an
    /// empty file.
    /// </summary>
    private async Task<string> ReceiveAsync(RetrievedParts parts, CancellationToken cancellationToken)
    {
        var path = cohort.NewIncomingPath();
        try
        {
            await using var file = new FileStream(
                path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);
            await parts.CopyToAsync(file, cancellationToken);
            DurableFile.Flush(file);
            return path;
        }
        catch (PacsException)
        {
            File.Delete(path);
            throw;
        }
    }
}
