using System.Globalization;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Dicom.Writing;

namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// Makes the cleaned data set of one file: each element by its rule, items of sequences likewise. Values that stay as bytes are not copied;
/// text that stays becomes UTF-8.
/// </summary>
internal sealed class DataSetCleaner
{
    private const string StandardRoot = "1.2.840.10008.";
    private const int OldestToldAge = 89;
    private const int MostZeros = 1024 * 1024;

    private static readonly DicomTag PatientAge = new(0x0010, 0x1010);

    private readonly ProfileRules _rules;
    private readonly DeidentificationKey _key;
    private readonly DeidentificationReport _report;
    private readonly ObjectKind _kind;
    private readonly IdentityEcho _echo;
    private readonly DateShift _shift;
    private readonly bool _guessesSign;
    private readonly bool _signedPixels;

    public DataSetCleaner(DicomFile file, DeidentificationProfile profile, DeidentificationKey key, DeidentificationReport report)
    {
        var dataSet = file.DataSet;
        _rules = new ProfileRules(profile);
        _key = key;
        _report = report;
        _kind = DeidentifiableObjects.KindOf(dataSet.RequiredText(Tags.SopClassUid));
        _echo = new IdentityEcho(dataSet);
        _shift = new DateShift(key.ShiftDays(dataSet.Text(Tags.PatientId) ?? dataSet.RequiredText(Tags.StudyInstanceUid)));
        _guessesSign = !file.TransferSyntax.IsExplicit;
        _signedPixels = dataSet.Find(Tags.PixelRepresentation) is { Vr: DicomVr.US } && dataSet.WholeNumber(Tags.PixelRepresentation) == 1;
    }

    /// <summary>The cleaned main data set, without the marks that say how it was cleaned.</summary>
    public DataSetBuilder Clean(DataSet dataSet) => Clean(dataSet, _kind, hollow: false);

    /// <param name="hollow">Dummy values for all that would stay: the items of a sequence that itself must be a dummy.</param>
    private DataSetBuilder Clean(DataSet dataSet, ObjectKind kind, bool hollow)
    {
        var cleaned = new DataSetBuilder();
        foreach (var element in dataSet.Elements.Where(element => element.Tag.Element != 0 && element.Tag != Tags.SpecificCharacterSet))
        {
            var rule = _rules.For(dataSet, element, kind);
            if (Apply(rule.Action, rule, dataSet, element, cleaned, hollow) is { } outcome)
            {
                _report.Count(element.Tag, outcome);
            }
        }

        return cleaned;
    }

    private AttributeOutcome? Apply(ProfileAction action, ElementRule rule, DataSet dataSet, DicomElement element, DataSetBuilder cleaned,
        bool hollow) => action switch
    {
        ProfileAction.Remove => AttributeOutcome.Removed,
        ProfileAction.Empty or ProfileAction.Dummy when element.Tag == Tags.PatientId && dataSet.Text(element.Tag) is { } id =>
            Write(cleaned, element, _key.Pseudonym(id), AttributeOutcome.Remapped),
        ProfileAction.Empty => Empty(element, cleaned),
        ProfileAction.Dummy => Dummy(element, cleaned),
        ProfileAction.ReplaceUid => ReplaceUids(dataSet, element, cleaned, hollow),
        ProfileAction.Keep => Keep(rule, dataSet, element, cleaned, hollow),
        ProfileAction.Clean => CleanValue(dataSet, element, cleaned, hollow)
            ?? Apply(rule.Otherwise, rule, dataSet, element, cleaned, hollow),
        _ => throw new InvalidOperationException($"No action {action}."),
    };

    private static AttributeOutcome Empty(DicomElement element, DataSetBuilder cleaned)
    {
        if (element.Items is not null)
        {
            cleaned.Sequence(element.Tag);
        }
        else
        {
            cleaned.Bytes(element.Tag, element.Vr, []);
        }

        return AttributeOutcome.Emptied;
    }

    private AttributeOutcome Dummy(DicomElement element, DataSetBuilder cleaned)
    {
        if (element.Items is { } items)
        {
            cleaned.Sequence(element.Tag, items.Select(item => Clean(item, ObjectKind.Other, hollow: true)));
            return AttributeOutcome.Replaced;
        }

        if (element.Vr == DicomVr.UI)
        {
            return Write(cleaned, element, _key.Uid(element.Tag.ToString()), AttributeOutcome.Replaced);
        }

        if (element.Vr.IsText())
        {
            return Write(cleaned, element, DummyValues.Text(element.Vr), AttributeOutcome.Replaced);
        }

        cleaned.Bytes(element.Tag, element.Vr, DummyValues.Zeros(element.Vr));
        return AttributeOutcome.Replaced;
    }

    private AttributeOutcome? ReplaceUids(DataSet dataSet, DicomElement element, DataSetBuilder cleaned, bool hollow)
    {
        if (element.Items is { } items)
        {
            cleaned.Sequence(element.Tag, items.Select(item => Clean(item, ObjectKind.Other, hollow)));
            return AttributeOutcome.Remapped;
        }

        if (element.Vr != DicomVr.UI)
        {
            return AttributeOutcome.Removed;
        }

        var old = dataSet.Texts(element.Tag);
        string[] replaced = [.. old.Select(uid => uid.Length == 0 || IsStandard(uid) ? uid : _key.Uid(uid))];
        cleaned.Text(element.Tag, DicomVr.UI, replaced);
        return replaced.SequenceEqual(old) ? null : AttributeOutcome.Remapped;
    }

    /// <summary>Well-known UIDs are of no one; what follows the standard's root must look like a UID to count as one.</summary>
    private static bool IsStandard(string uid) =>
        uid.StartsWith(StandardRoot, StringComparison.Ordinal) && uid.All(letter => char.IsAsciiDigit(letter) || letter == '.');

    private AttributeOutcome? Keep(ElementRule rule, DataSet dataSet, DicomElement element, DataSetBuilder cleaned, bool hollow)
    {
        AttributeOutcome? kept = rule.ByOption ? AttributeOutcome.Kept : null;
        var (tag, vr) = (element.Tag, element.Vr);
        if (element.Items is { } items)
        {
            cleaned.Sequence(tag, items.Select(item => Clean(item, ObjectKind.Other, hollow)));
            return kept;
        }

        if (hollow && vr is not (DicomVr.CS or DicomVr.UI or DicomVr.US or DicomVr.SS))
        {
            return Hollow(element, cleaned);
        }

        if (tag == PatientAge && IsTellingAge(dataSet.Text(tag)))
        {
            return Write(cleaned, element, string.Create(CultureInfo.InvariantCulture, $"{OldestToldAge + 1:000}Y"),
                AttributeOutcome.Cleaned);
        }

        if (!IsWellFormed(element))
        {
            return AttributeOutcome.Removed;
        }

        if (vr.FollowsCharacterSet())
        {
            string[] texts = [.. dataSet.Texts(tag)];
            if (texts.Any(_echo.IsIn))
            {
                return Write(cleaned, element, DummyValues.Text(vr), AttributeOutcome.EchoReplaced);
            }

            cleaned.Text(tag, vr, texts);
            return kept;
        }

        if (_guessesSign && _signedPixels && vr == DicomVr.US && StandardDictionary.Find(tag) is { SignFollowsPixels: true })
        {
            cleaned.Bytes(tag, DicomVr.SS, element.Value.ToArray());
            return kept;
        }

        // Text that SOPClassUID and its like are read from again before writing; other values stay slices of the file.
        if (vr == DicomVr.UI)
        {
            cleaned.Text(tag, vr, [.. dataSet.Texts(tag)]);
        }
        else
        {
            cleaned.Bytes(element);
        }

        return kept;
    }

    /// <summary>Nothing but the length of a value stays.</summary>
    private static AttributeOutcome Hollow(DicomElement element, DataSetBuilder cleaned)
    {
        if (element.Vr.IsText())
        {
            return Write(cleaned, element, DummyValues.Text(element.Vr), AttributeOutcome.Replaced);
        }

        cleaned.Bytes(element.Tag, element.Vr, DummyValues.Zeros(element.Vr, (int)Math.Min(element.Bytes.Length, MostZeros)));
        return AttributeOutcome.Replaced;
    }

    /// <summary>The cleaned value, or <see langword="null"/> where nothing may stay or no rule tells how to clean it.</summary>
    private AttributeOutcome? CleanValue(DataSet dataSet, DicomElement element, DataSetBuilder cleaned, bool hollow)
    {
        if (element.Items is { } items)
        {
            cleaned.Sequence(element.Tag, items.Select(item => Clean(item, ObjectKind.Other, hollow)));
            return AttributeOutcome.Cleaned;
        }

        var vr = element.Vr;
        Func<string, string?>? clean = vr switch
        {
            DicomVr.DA or DicomVr.DT or DicomVr.TM => value => _shift.Move(vr, value),
            DicomVr.LO or DicomVr.SH or DicomVr.LT or DicomVr.ST or DicomVr.UT or DicomVr.UC => value =>
                DescriptorVocabulary.Clean(value, _echo),
            _ => null,
        };
        string?[] values = clean is null ? [] : [.. dataSet.Texts(element.Tag).Select(value => value.Length == 0 ? "" : clean(value))];
        if (hollow || values.All(string.IsNullOrEmpty) || values.Contains(null))
        {
            return null;
        }

        cleaned.Text(element.Tag, vr, values!);
        return AttributeOutcome.Cleaned;
    }

    private static AttributeOutcome Write(DataSetBuilder cleaned, DicomElement element, string value, AttributeOutcome outcome)
    {
        cleaned.Text(element.Tag, element.Vr, value);
        return outcome;
    }

    /// <summary>
    /// Ages above 89 are few enough to tell who it is (HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)(C)); the standard leaves them.
    /// </summary>
    private static bool IsTellingAge(string? age) =>
        age is [.., 'Y'] && int.TryParse(age.AsSpan(0, age.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var years)
            && years > OldestToldAge;

    /// <summary>Numbers and UIDs as text hold nothing else: a name that was typed into one is no number and does not stay.</summary>
    private static bool IsWellFormed(DicomElement element)
    {
        ReadOnlySpan<byte> allowed = element.Vr switch
        {
            DicomVr.DS => "0123456789+-.eE \\\0"u8,
            DicomVr.IS => "0123456789+- \\\0"u8,
            DicomVr.UI => "0123456789. \\\0"u8,
            _ => default,
        };
        return allowed.IsEmpty || !element.Value.Span.ContainsAnyExcept(allowed);
    }
}
