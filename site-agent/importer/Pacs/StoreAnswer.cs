using FedSeg.Dicom.DataSets;

namespace FedSeg.Importer.Pacs;

/// <summary>
/// What a STOW-RS answer says about each instance, PS3.18 Annex I: stored (with a warning or without), or failed with a reason code.
/// </summary>
internal sealed class StoreAnswer
{
    private readonly Dictionary<Uid, StoreVerdict> _verdicts = [];
    private readonly List<int> _failuresWithoutName = [];

    /// <param name="dataSets">The answer; one data set, in an array or alone.</param>
    public static StoreAnswer Of(IReadOnlyList<DicomJson> dataSets)
    {
        var answer = new StoreAnswer();
        foreach (var dataSet in dataSets)
        {
            foreach (var item in dataSet.Items(DicomJson.ReferencedSopSequence))
            {
                if (Uid.TryParse(item.Text(Tags.ReferencedSopInstanceUid), out var instance))
                {
                    answer._verdicts[instance] = new StoreVerdict.Stored(item.WholeNumber(DicomJson.WarningReason));
                }
            }

            // A failure wins over a success that the same answer claims.
            foreach (var item in dataSet.Items(DicomJson.FailedSopSequence))
            {
                var reason = item.WholeNumber(DicomJson.FailureReason) ?? StoreVerdict.Failed.ReasonNotGiven;
                if (Uid.TryParse(item.Text(Tags.ReferencedSopInstanceUid), out var instance))
                {
                    answer._verdicts[instance] = new StoreVerdict.Failed(reason);
                }
                else answer._failuresWithoutName.Add(reason);
            }
        }

        return answer;
    }

    /// <summary>
    /// The verdict on an instance that was sent. One that the answer does not name was not confirmed, so it counts as failed.
    /// </summary>
    public StoreVerdict VerdictOn(Uid instance) => _verdicts.GetValueOrDefault(instance)
        ?? new StoreVerdict.Failed(_failuresWithoutName is [var reason, ..] ? reason : StoreVerdict.Failed.NotConfirmed);
}

/// <summary>Whether the PACS holds an instance now.</summary>
internal abstract record StoreVerdict
{
    private StoreVerdict() { }

    /// <param name="Warning">Warning Reason (0008,1196), such as 0xB000 for coerced elements.</param>
    public sealed record Stored(int? Warning) : StoreVerdict;

    /// <param name="Reason">Failure Reason (0008,1197), PS3.3 §C.14; or one of our own below zero.</param>
    public sealed record Failed(int Reason) : StoreVerdict
    {
        public const int ReasonNotGiven = -1, NotConfirmed = -2;

        /// <summary>The code in words, PS3.3 table C.14-1 and PS3.4 §B.2.3.</summary>
        public string Meaning => Reason switch
        {
            ReasonNotGiven => "the PACS gave no reason",
            NotConfirmed => "the PACS did not confirm it",
            0x0110 => "processing failure",
            0x0119 => "class and instance don't fit",
            0x0122 => "the PACS does not take this SOP class",
            0x0124 => "not authorised",
            0x0131 or 0x0132 => "the data are invalid",
            0xC122 => "the PACS does not take this transfer syntax",
            >= 0xA700 and <= 0xA7FF => "the PACS is out of resources",
            >= 0xA900 and <= 0xA9FF => "the data set does not fit its SOP class",
            >= 0xC000 and <= 0xCFFF => "the PACS can't understand it",
            _ => "refused",
        };
    }
}
