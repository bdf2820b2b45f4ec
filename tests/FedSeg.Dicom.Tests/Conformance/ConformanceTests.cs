using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Tests.Conformance;

public sealed class ConformanceTests(ITestOutputHelper output)
{
    /// <summary>Every file of the set ends in pixels or in the one typed refusal; where GDCM and DCMTK agree the pixels are theirs.</summary>
    [Fact]
    public void Of_EveryFileOfTheSet_GivesTheOraclesPixelsOrATypedRefusal()
    {
        var folder = SharedData.Folder("dicom_conformance");
        var disagreements = new List<string>();
        var agreed = 0;
        foreach (var row in ExpectedRow.ReadAll(Path.Combine(folder, "expected.csv")))
        {
            string outcome;
            try
            {
                var summary = FileSummary.Of(Path.Combine(folder, row.File));
                var isOracle = row.Gdcm.Length > 0 || row.Dcmtk.Length == 16;
                var agrees = summary.PixelSha256.StartsWith(row.Gdcm, StringComparison.Ordinal) && row.Gdcm.Length > 0
                    || summary.PixelSha256.StartsWith(row.Dcmtk, StringComparison.Ordinal) && row.Dcmtk.Length > 0;
                outcome = !isOracle ? "decoded, no oracle" : agrees ? "agrees" : "DISAGREES";
                agreed += agrees ? 1 : 0;
                if (isOracle && !agrees)
                {
                    disagreements.Add(row.File);
                }
            }
            catch (DicomException refusal)
            {
                outcome = $"{refusal.Fault}: {refusal.Message.Replace(folder, "", StringComparison.Ordinal)}";
            }

            output.WriteLine($"{row.File} | {row.TransferSyntax} | {row.Gdcm} {row.Dcmtk} {row.Verdict} | {outcome}");
        }

        output.WriteLine($"{agreed} agree");
        Assert.Empty(disagreements);
    }

    private sealed record ExpectedRow(string File, string TransferSyntax, string Gdcm, string Dcmtk, string Verdict)
    {
        public static IEnumerable<ExpectedRow> ReadAll(string csv)
        {
            var lines = System.IO.File.ReadAllLines(csv);
            var names = lines[0].Split(',').ToList();
            foreach (var cells in lines.Skip(1).Select(line => line.Split(',')))
            {
                string Cell(string name) => cells[names.IndexOf(name)];
                yield return new(Cell("file"), Cell("transfer_syntax"), Cell("gdcm_pixels_sha256_16"), Cell("dcmtk_pixels_sha256_16"), Cell("gdcm_vs_dcmtk"));
            }
        }
    }
}
