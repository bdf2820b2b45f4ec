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

    private const string Surprise = "SURPRISE";

    /// <summary>Rows that are no oracle, and why.</summary>
    private static readonly Dictionary<string, string> NoOracle = new()
    {
        [SignMismatch] = "GDCM ignores PixelRepresentation; see the test of this file",
        ["highdicom/seg_image_sm_dots.dcm"] = "775 bytes of bits: DCMTK hashed the padding byte too",
        ["highdicom/seg_image_sm_dots_tiled_full.dcm"] = "15625 bytes of bits: DCMTK hashed the padding byte too",
    };

    /// <summary>What GDCM or DCMTK make something of and we refuse, and why.</summary>
    private static readonly Dictionary<string, (DicomFault Fault, string Why)> StatedRefusals = new()
    {
        ["cornerstone/CTImage.dcm_JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm"] = (DicomFault.UnsupportedTransferSyntax, "retired in 2001"),
        ["cornerstone/CTImage.dcm_JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm"] = (DicomFault.UnsupportedTransferSyntax, "retired in 2001"),
        ["cornerstone/US-YBR_FULL_422-EVRLE.dcm"] = (DicomFault.UnsupportedPixels, "uncompressed subsampled colour"),
        ["pydicom/SC_ybr_full_422_uncompressed.dcm"] = (DicomFault.UnsupportedPixels, "uncompressed subsampled colour"),
        ["pydicom/JPEG2000-embedded-sequence-delimiter.dcm"] = (DicomFault.Malformed, "the width in the codestream is overwritten"),
        ["pydicom/MR_truncated.dcm"] = (DicomFault.Malformed, "truncated pixel data"),
        ["pydicom/SC_rgb_jpeg.dcm"] = (DicomFault.Malformed, "announces Explicit VR, is Implicit VR"),
        ["pydicom/badVR.dcm"] = (DicomFault.Malformed, "NumberOfFrames is no number"),
        ["pydicom/nested_priv_SQ.dcm"] = (DicomFault.MissingElement, "pixels without a pixel description"),
    };

    [Fact]
    public void Of_CodestreamUnsignedButHeaderSigned_FollowsTheHeader()
    {
        var summary = FileSummary.Of(Path.Combine(SharedData.Folder("dicom_conformance"), SignMismatch));

        Assert.Equal(-2000, summary.Min);
        Assert.InRange(summary.Max, 1, 4095);
    }

    /// <summary>Where GDCM or DCMTK has pixels, ours are theirs or the refusal is the stated one; where neither has, the file is refused by type.</summary>
    [Fact]
    public void Of_EveryFileOfTheSet_GivesTheOraclesPixelsOrTheStatedRefusal()
    {
        var folder = SharedData.Folder("dicom_conformance");
        var surprises = new List<string>();
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var row in ExpectedRow.ReadAll(Path.Combine(folder, "expected.csv")))
        {
            var (verdict, detail) = VerdictOn(row, folder);
            counts[verdict] = counts.GetValueOrDefault(verdict) + 1;
            output.WriteLine($"{row.File} | {row.TransferSyntax} | {verdict} | {detail}");
            if (verdict == Surprise)
            {
                surprises.Add($"{row.File}: {detail}");
            }
        }

        output.WriteLine(string.Join(", ", counts.Select(count => $"{count.Value} {count.Key}")));
        Assert.Empty(surprises);
        Assert.True(counts["as the oracle"] >= 202, $"Only {counts["as the oracle"]} files agree with an oracle.");
    }

    private static (string Verdict, string Detail) VerdictOn(ExpectedRow row, string folder)
    {
        try
        {
            var hash = FileSummary.Of(Path.Combine(folder, row.File)).PixelSha256;
            return NoOracle.TryGetValue(row.File, out var why) ? ("decoded, no oracle", why)
                : row.Oracles.Any(oracle => hash.StartsWith(oracle, StringComparison.Ordinal)) ? ("as the oracle", hash[..16])
                : row.Oracles.Length == 0 ? ("decoded, no oracle", hash[..16])
                : (Surprise, $"{hash[..16]} instead of {string.Join(" or ", row.Oracles)}");
        }
        catch (DicomException refusal)
        {
            var stated = StatedRefusals.GetValueOrDefault(row.File);
            return row.Oracles.Length == 0 && refusal.Fault is DicomFault.NotDicom or DicomFault.MissingElement or DicomFault.Malformed ? ("refused, no oracle", $"{refusal.Fault}")
                : stated.Why is not null && stated.Fault == refusal.Fault ? ("refused as stated", $"{refusal.Fault}: {stated.Why}")
                : (Surprise, $"{refusal.Fault}: {refusal.Message}");
        }
    }

    /// <summary>NEMA WG-04: what RLE, JPEG lossless, JPEG-LS and JPEG 2000 reversible stored is bit for bit the uncompressed original.</summary>
    [Theory]
    [InlineData("RLE", "RLE")]
    [InlineData("JPLL", "JPLL")]
    [InlineData("JLSL", "JLSL")]
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

    /// <param name="Oracles">The beginnings of the pixel hashes that are right.</param>
    private sealed record ExpectedRow(string File, string TransferSyntax, string[] Oracles)
    {
        private const int HashLetters = 16;

        public static IEnumerable<ExpectedRow> ReadAll(string csv)
        {
            var lines = System.IO.File.ReadAllLines(csv);
            var names = lines[0].Split(',').ToList();
            foreach (var cells in lines.Skip(1).Select(line => line.Split(',')))
            {
                string Cell(string name) => cells[names.IndexOf(name)];
                string[] hashes = [Cell("gdcm_pixels_sha256_16"), Cell("dcmtk_pixels_sha256_16")];
                yield return new(Cell("file"), Cell("transfer_syntax"), [.. hashes.Where(hash => hash.Length == HashLetters)]);
            }
        }
    }
}
