using FedSeg.Testing;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Tests.Conformance;

/// <summary>
/// Real files of every supported syntax with bytes changed, runs removed and lengths blown up: pixels or <see cref="DicomException"/>, nothing else.
/// A longer run: <c>FEDSEG_FUZZ_ROUNDS=20000 dotnet test --project tests/FedSeg.Dicom.Tests -c Release</c> (rounds for each file of the corpus).
/// </summary>
public sealed class MutationTests(ITestOutputHelper output)
{
    private const int DefaultRoundsPerFile = 150;

    private static readonly string[] Corpus =
    [
        "pydicom/MR_small.dcm", "pydicom/MR_small_RLE.dcm", "pydicom/MR_small_jp2klossless.dcm", "pydicom/SC_rgb_gdcm_KY.dcm",
        "pydicom/SC_rgb_jpeg_gdcm.dcm", "pydicom/SC_rgb_rle_2frame.dcm", "pydicom/MR_small_bigendian.dcm", "pydicom/image_dfl.dcm",
        "highdicom/seg_image_ct_binary.dcm", "highdicom/seg_image_ct_binary_fractional.dcm", "pydicom/UN_sequence.dcm", "pydicom/rtdose_rle.dcm",
    ];

    [Fact]
    public void Of_MutatedRealFiles_GivesPixelsOrDicomException()
    {
        var folder = SharedData.Folder("dicom_conformance");
        var limits = new DicomLimits { MaxPixelBytes = 64 << 20, MaxFrameBytes = 16 << 20, MaxInflatedBytes = 16 << 20 };
        var path = Path.GetTempFileName();
        var rounds = int.TryParse(Environment.GetEnvironmentVariable("FEDSEG_FUZZ_ROUNDS"), out var asked) ? asked : DefaultRoundsPerFile;
        var (state, decoded, refused) = (20260102UL, 0, 0);
        foreach (var name in Corpus.Where(name => File.Exists(Path.Combine(folder, name))))
        {
            var whole = File.ReadAllBytes(Path.Combine(folder, name));
            for (var round = 0; round < rounds; round++)
            {
                File.WriteAllBytes(path, Mutated(whole, ref state));
                try
                {
                    FileSummary.Of(path, limits);
                    decoded++;
                }
                catch (DicomException)
                {
                    refused++;
                }
            }
        }

        File.Delete(path);
        output.WriteLine($"{decoded} decoded, {refused} refused");
        Assert.True(refused > 200);
        Assert.True(decoded > 200);
    }

    private static byte[] Mutated(byte[] whole, ref ulong state)
    {
        var bytes = whole.ToArray();
        var changes = 1 + Next(ref state) % 6;
        for (var i = 0UL; i < changes; i++)
        {
            var at = (int)(Next(ref state) % (ulong)(bytes.Length - 140)) + 132;
            switch (Next(ref state) % 4)
            {
                case 0:
                    bytes[at] = (byte)Next(ref state);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << (int)(Next(ref state) % 8));
                    break;
                case 2:
                    bytes.AsSpan(at, 4).Fill(Next(ref state) % 2 == 0 ? (byte)0xFF : (byte)0x00);
                    break;
                default:
                    var gone = (int)(Next(ref state) % 64);
                    bytes = bytes.Length - gone < 300 ? bytes : [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + gone)..], .. new byte[8]];
                    break;
            }
        }

        return bytes;
    }

    private static ulong Next(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        var value = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
