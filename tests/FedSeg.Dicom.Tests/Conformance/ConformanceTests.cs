using FedSeg.Testing;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Tests.Conformance;

public sealed class ConformanceTests(ITestOutputHelper output)
{
    /// <summary>
    /// The header says signed, the codestream unsigned. GDCM believes the codestream (0 to 8191); PixelRepresentation rules in DICOM (PS3.5 §8.2.4), and only
    /// then is the air around the patient -2000 as CT scanners pad it.
    /// </summary>
    private const string SignMismatch = "pydicom/J2K_pixelrep_mismatch.dcm";

    /// <summary>Rows that are no oracle, and why.</summary>
    private static readonly Dictionary<string, string> NoOracle = new()
    {
        [SignMismatch] = "GDCM ignores PixelRepresentation; see the test of this file",
        ["highdicom/seg_image_sm_dots.dcm"] = "775 bytes of bits: DCMTK hashed the padding byte too",
        ["highdicom/seg_image_sm_dots_tiled_full.dcm"] = "15625 bytes of bits: DCMTK hashed the padding byte too",
    };

    [Fact]
    public void Of_CodestreamUnsignedButHeaderSigned_FollowsTheHeader()
    {
        var summary = FileSummary.Of(Path.Combine(SharedData.Folder("dicom_conformance"), SignMismatch));

        Assert.Equal(-2000, summary.Min);
        Assert.InRange(summary.Max, 1, 4095);
    }

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
                outcome = !isOracle ? "decoded, no oracle" : agrees ? "agrees" : NoOracle.GetValueOrDefault(row.File) ?? "DISAGREES";
                agreed += agrees ? 1 : 0;
                if (isOracle && !agrees && !NoOracle.ContainsKey(row.File))
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
        Assert.True(agreed >= 155, $"Only {agreed} files agree with an oracle; a refusal must not replace a decode that worked.");
    }

    /// <summary>NEMA WG-04: what RLE, JPEG lossless and JPEG 2000 reversible stored is bit for bit the uncompressed original.</summary>
    [Theory]
    [InlineData("RLE", "RLE")]
    [InlineData("JPLL", "JPLL")]
    [InlineData("J2KR", "J2KR")]
    public void Of_LosslessCodecsOfWg04_GiveTheUncompressedReferencesPixels(string directory, string suffix)
    {
        var folder = SharedData.Folder("dicom_conformance/nema_wg04");
        var files = Directory.GetFiles(Path.Combine(folder, directory));

        Assert.True(files.Length >= 6);
        Assert.All(files, file =>
        {
            var reference = Path.Combine(folder, "REF", Path.GetFileName(file).Replace(suffix, "UNC", StringComparison.Ordinal));
            Assert.Equal(FileSummary.Of(reference).PixelSha256, FileSummary.Of(file).PixelSha256);
        });
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
