using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Hosting.Programs;
using FedSeg.Importer.Pacs;
using Microsoft.Extensions.DependencyInjection;

namespace FedSeg.Importer.Push;

/// <summary>
/// <c>FedSeg.Importer push FILE…</c>: stores segmentations in the PACS by STOW-RS. Anything but a DICOM segmentation is refused before
/// the first byte is sent.
/// </summary>
internal static class SegmentationPush
{
    /// <summary>Segmentation Storage and Label Map Segmentation Storage, PS3.4 §B.5.</summary>
    private static readonly string[] SegmentationClasses = ["1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"];

    /// <returns>Done when the PACS holds every file now, No when it refused one, BadInput when a file is no segmentation, Fault when the
    /// PACS can't be talked to.</returns>
    public static async Task<int> RunAsync(IServiceProvider services, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        var instances = files.Select(file => (File: file, Instance: InstanceOf(file))).ToArray();
        var pacs = services.GetRequiredService<PacsClient>();
        var refused = 0;
        try
        {
            foreach (var (file, instance) in instances)
            {
                var verdict = (await pacs.StoreAsync(file, cancellationToken)).VerdictOn(instance);
                if (verdict is StoreVerdict.Failed) refused++;
                await Console.Out.WriteLineAsync($"{file}: {Describe(verdict)}");
            }
        }
        catch (PacsException failure)
        {
            await Console.Error.WriteLineAsync($"{failure.Fault}: {failure.Message}");
            return ServiceProgram.Fault;
        }

        return refused == 0 ? ServiceProgram.Done : ServiceProgram.No;
    }

    /// <exception cref="InvalidDataException">The file is not a DICOM segmentation.</exception>
    private static Uid InstanceOf(string path)
    {
        try
        {
            var file = DicomFile.OpenHeader(path);
            return SegmentationClasses.Contains(file.DataSet.Text(Tags.SopClassUid))
                && Uid.TryParse(file.DataSet.Text(Tags.SopInstanceUid), out var instance)
                ? instance
                : throw new InvalidDataException($"{path}: not a DICOM segmentation; only those are pushed.");
        }
        catch (DicomException refusal)
        {
            throw new InvalidDataException(refusal.Message, refusal);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path}: can't be read: {error.Message}", error);
        }
    }

    private static string Describe(StoreVerdict verdict) => verdict switch
    {
        StoreVerdict.Stored { Warning: { } warning } => $"stored, with warning 0x{warning:X4}",
        StoreVerdict.Stored => "stored",
        StoreVerdict.Failed { Reason: >= 0 } failed => $"not stored, 0x{failed.Reason:X4}: {failed.Meaning}",
        StoreVerdict.Failed failed => $"not stored: {failed.Meaning}",
        _ => throw new InvalidOperationException("An instance is either stored or not."),
    };
}
