using FedSeg.Dicom.DataSets;

namespace FedSeg.Importer.Pacs;

/// <summary>A study that a query matched. All but the identifier is as the PACS chose to tell it; what it left out is empty.</summary>
internal sealed record StudyMatch(Uid Study, string Date, string Description, string AccessionNumber, IReadOnlyList<string> Modalities)
{
    public static StudyMatch Of(DicomJson match) => new(
        match.RequiredUid(Tags.StudyInstanceUid),
        match.Text(Tags.StudyDate),
        match.Text(Tags.StudyDescription),
        match.Text(Tags.AccessionNumber),
        [.. match.Texts(DicomJson.ModalitiesInStudy)]);
}

/// <summary>A series of a study.</summary>
internal sealed record SeriesMatch(Uid Series, string Modality, string Description)
{
    public static SeriesMatch Of(DicomJson match) =>
        new(match.RequiredUid(Tags.SeriesInstanceUid), match.Text(Tags.Modality), match.Text(Tags.SeriesDescription));
}
