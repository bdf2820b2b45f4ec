using System.Text;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Deidentification;
using FedSeg.Dicom.Reading;
using FedSeg.Dicom.Writing;
using FedSeg.Testing;

namespace FedSeg.Dicom.Tests.Deidentification;

/// <summary>De-identifies single files in a folder that goes with the test, always under the same key.</summary>
internal sealed class DeidentificationRun : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Deidentifier _deidentifier;
    private int _inputs;

    public DeidentificationRun(params ProfileOption[] options) =>
        _deidentifier = new Deidentifier(DeidentificationProfile.With(options), Key);

    public static DeidentificationKey Key { get; } =
        DeidentificationKey.FromBytes(Encoding.ASCII.GetBytes("a key of thirty-two bytes, a key"));

    public DeidentificationReport Report => _deidentifier.Report;

    public string Output => _folder["out"];

    public void Dispose() => _folder.Dispose();

    public DeidentificationOutcome Outcome(byte[] file)
    {
        var input = _folder[$"Kanari Knut {_inputs++}.dcm"];
        File.WriteAllBytes(input, file);
        return _deidentifier.Deidentify(input, Output);
    }

    public DeidentificationOutcome Outcome(string input) => _deidentifier.Deidentify(input, Output);

    public byte[] Bytes(byte[] file) => File.ReadAllBytes(Path.Combine(Output, Assert.IsType<DeidentifiedFile>(Outcome(file)).Path));

    public DataSet Cleaned(DataSetBuilder source) => DicomFile.Parse(Bytes(DicomWriter.Encode(source)), "cleaned").DataSet;

    public DataSet Cleaned(byte[] file) => DicomFile.Parse(Bytes(file), "cleaned").DataSet;
}
