using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Importer.Pacs;

namespace FedSeg.Importer.Cohort;

/// <summary>What a received file is, before it may enter a case.</summary>
internal abstract record InstanceCheck
{
    private InstanceCheck() { }

    public sealed record Passed(Uid Instance) : InstanceCheck;

    public sealed record Failed(InstanceFault Fault) : InstanceCheck;

    /// <summary>
    /// Walks the whole file: it must be DICOM to its end, of this study, and one of the instances asked for. What the pixels show is the
    /// trainer's business.
    /// </summary>
    public static InstanceCheck Of(string path, Uid study, IReadOnlySet<Uid> asked)
    {
        try
        {
            using var file = DicomFile.Open(path);
            var declared = file.Meta.Text(Tags.MediaStorageSopInstanceUid);
            var actual = file.DataSet.Text(Tags.SopInstanceUid);
            if (file.DataSet.Text(Tags.StudyInstanceUid) != study.Value) return new Failed(InstanceFault.OtherStudy);
            return declared == actual && Uid.TryParse(actual, out var instance) && asked.Contains(instance)
                ? new Passed(instance)
                : new Failed(InstanceFault.OtherInstance);
        }
        catch (DicomException refusal)
        {
            return new Failed(refusal.Fault switch
            {
                DicomFault.NotDicom => InstanceFault.NotDicom,
                DicomFault.LimitExceeded => InstanceFault.TooLarge,
                _ => InstanceFault.Malformed,
            });
        }
    }
}

/// <summary>Why an instance did not enter its case; a code for logs and reports.</summary>
internal enum InstanceFault
{
    /// <summary>The bytes are not DICOM.</summary>
    NotDicom,

    /// <summary>DICOM, but truncated or corrupt.</summary>
    Malformed,

    /// <summary>Beyond a limit of the DICOM reader or of <see cref="PacsOptions.MaximumInstanceBytes"/>.</summary>
    TooLarge,

    /// <summary>Another instance than the one asked for, or its meta header names another than its data set.</summary>
    OtherInstance,

    /// <summary>An instance of another study.</summary>
    OtherStudy,

    /// <summary>The PACS lists it, but does not serve it.</summary>
    NotServed,
}
