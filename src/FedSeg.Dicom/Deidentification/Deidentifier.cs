using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Dicom.Writing;

namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// De-identifies DICOM files by the Basic Application Level Confidentiality Profile and its options (PS3.15 Annex E). A file is written
/// whole or not at all;
/// pixel data pass byte for byte. Not safe for concurrent use: one instance counts one run.
/// </summary>
public sealed class Deidentifier(DeidentificationProfile profile, DeidentificationKey key, DicomLimits? limits = null)
{
    private const string Method = "FedSeg: DICOM PS3.15 2024b Basic Profile";
    private const string Scheme = "DCM";
    private const int BasicProfileCode = 113100;
    private const string BasicProfileMeaning = "Basic Application Confidentiality Profile";

    private static readonly DicomTag PatientIdentityRemoved = new(0x0012, 0x0062);
    private static readonly DicomTag DeidentificationMethod = new(0x0012, 0x0063);
    private static readonly DicomTag DeidentificationMethodCodes = new(0x0012, 0x0064);
    private static readonly DicomTag LongitudinalTemporalInformationModified = new(0x0028, 0x0303);

    /// <summary>What was done so far.</summary>
    public DeidentificationReport Report { get; } = new();

    /// <summary>
    /// Reads a file and writes its de-identified copy as <c>study/series/instance.dcm</c> below a folder, all three by their new UIDs. On
    /// return the file is complete under its name, or nothing was written.
    /// </summary>
    /// <exception cref="IOException">The output can't be written; what can't be opened or is corrupt is quarantined instead.</exception>
    public DeidentificationOutcome Deidentify(string path, string outputFolder)
    {
        DeidentificationOutcome outcome;
        try
        {
            using var file = TryOpen(path);
            outcome = file is null ? new QuarantinedFile(QuarantineReason.Unreadable) : Deidentify(file, outputFolder);
        }
        catch (DicomException unreadable)
        {
            outcome = new QuarantinedFile(unreadable.Fault == DicomFault.NotDicom ? QuarantineReason.NotDicom
                : QuarantineReason.Unreadable);
        }

        Report.Count(outcome);
        return outcome;
    }

    /// <summary>The file, or <see langword="null"/> for one that went away or whose permissions forbid it.</summary>
    private DicomFile? TryOpen(string path)
    {
        try
        {
            return DicomFile.Open(path, limits);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private DeidentificationOutcome Deidentify(DicomFile file, string outputFolder)
    {
        if (DeidentifiableObjects.Refuse(file.Meta, file.DataSet) is { } reason)
        {
            return new QuarantinedFile(reason);
        }

        if (OutputSyntax(file.TransferSyntax) is not { } syntax)
        {
            return new QuarantinedFile(QuarantineReason.UnsupportedTransferSyntax);
        }

        string?[] uids = [NewUid(file.DataSet, Tags.StudyInstanceUid), NewUid(file.DataSet, Tags.SeriesInstanceUid),
            NewUid(file.DataSet, Tags.SopInstanceUid)];
        if (uids.Contains(null))
        {
            return new QuarantinedFile(QuarantineReason.MissingUid);
        }

        var relative = Path.Combine(uids[0]!, uids[1]!, uids[2] + ".dcm");
        var target = Path.Combine(outputFolder, relative);
        if (File.Exists(target))
        {
            return new QuarantinedFile(QuarantineReason.DuplicateInstance);
        }

        var cleaned = new DataSetCleaner(file, profile, key, Report).Clean(file.DataSet);
        Mark(cleaned, file.DataSet);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var unfinished = target + ".unfinished";
        using (var stream = new FileStream(unfinished, FileMode.Create, FileAccess.Write))
        {
            DicomWriter.Write(stream, cleaned, syntax);
        }

        File.Move(unfinished, target);
        return new DeidentifiedFile(relative);
    }

    /// <summary>
    /// Compressed pixel data stay as they are; everything else becomes Explicit VR Little Endian, whose pixel bytes are those of Implicit
    /// VR.
    /// </summary>
    private static TransferSyntax? OutputSyntax(TransferSyntax input) =>
        input.IsBigEndian || !TransferSyntax.IsKnown(input.Uid) ? null
        : input.IsEncapsulated ? input
        : TransferSyntax.ExplicitLittleEndian;

    /// <summary>The UID that the cleaned file has, or <see langword="null"/> where the file has none that is one.</summary>
    private string? NewUid(DataSet dataSet, DicomTag tag)
    {
        var uid = dataSet.Find(tag) is { Vr: DicomVr.UI } ? dataSet.Text(tag) : null;
        return uid is null || uid.Length > 64 || !uid.All(letter => char.IsAsciiDigit(letter) || letter == '.') ? null
            : profile.Has(ProfileOption.RetainUids) ? uid
            : key.Uid(uid);
    }

    /// <summary>
    /// Says in the file what was done to it, PS3.15 §E.2 and PS3.3 §C.12.1.1.7; what an earlier de-identification said stays said.
    /// </summary>
    private void Mark(DataSetBuilder cleaned, DataSet source)
    {
        var codes = new SortedDictionary<int, string> { [BasicProfileCode] = BasicProfileMeaning };
        foreach (var option in profile.Options.Concat(EarlierOptions(source)))
        {
            codes[(int)option] = ProfileOptionTerm.Of(option).Meaning;
        }

        cleaned
            .Text(PatientIdentityRemoved, "YES")
            .Text(DeidentificationMethod, Method)
            .Sequence(DeidentificationMethodCodes, codes.Select(code => new DataSetBuilder()
                .Text(Tags.CodeValue, code.Key.ToString(System.Globalization.CultureInfo.InvariantCulture))
                .Text(Tags.CodingSchemeDesignator, Scheme)
                .Text(Tags.CodeMeaning, code.Value)))
            .Text(LongitudinalTemporalInformationModified, Temporal(source));
    }

    private string Temporal(DataSet source)
    {
        var earlier = source.Find(LongitudinalTemporalInformationModified) is { Vr: DicomVr.CS }
            ? source.Text(LongitudinalTemporalInformationModified) : null;
        return !profile.Has(ProfileOption.RetainFullDates) && !profile.Has(ProfileOption.RetainModifiedDates) || earlier == "REMOVED"
            ? "REMOVED"
            : profile.Has(ProfileOption.RetainModifiedDates) || earlier == "MODIFIED" ? "MODIFIED"
            : "UNMODIFIED";
    }

    private static IEnumerable<ProfileOption> EarlierOptions(DataSet source) =>
        (source.Find(DeidentificationMethodCodes)?.Items ?? [])
            .Where(item => item.Text(Tags.CodingSchemeDesignator) == Scheme)
            .Select(item => int.TryParse(item.Text(Tags.CodeValue), out var code) ? (ProfileOption)code : default)
            .Where(Enum.IsDefined);
}
