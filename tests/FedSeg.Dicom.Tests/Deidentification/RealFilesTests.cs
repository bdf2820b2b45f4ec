using System.Diagnostics;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Deidentification;
using FedSeg.Dicom.Reading;
using FedSeg.Dicom.Writing;
using FedSeg.Testing;

namespace FedSeg.Dicom.Tests.Deidentification;

/// <summary>Files of real machines and toolkits, and other people's readers.</summary>
public sealed class RealFilesTests(ITestOutputHelper output)
{
    /// <summary>Whatever is written has the source's pixel bytes; whatever is not has a reason. Nothing throws.</summary>
    [Fact]
    public void Deidentify_EveryFileOfTheConformanceSet_KeepsItsPixelsOrIsHeldBack()
    {
        using var run = new DeidentificationRun(ProfileOption.RetainModifiedDates, ProfileOption.CleanDescriptors,
            ProfileOption.CleanGraphics);
        foreach (var input in FolderDeidentification.Files(SharedData.Folder("dicom_conformance")))
        {
            if (run.Outcome(input) is DeidentifiedFile { Path: var path })
            {
                using var source = DicomFile.Open(input);
                using var cleaned = DicomFile.Open(Path.Combine(run.Output, path));
                AssertSamePixels(source, cleaned);
            }
        }

        output.WriteLine($"written: {run.Report.Files}");
        foreach (var (reason, count) in run.Report.Quarantined)
        {
            output.WriteLine($"{reason}: {count}");
        }

        Assert.True(run.Report.Files > 100, $"only {run.Report.Files} files were written");
    }

    [Fact]
    public async Task Deidentify_ValidImage_StaysValidForDciodvfy()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/dciodvfy"), "dciodvfy not found: apt-get install dicom3tools");
        using var run = new DeidentificationRun();
        using var folder = new TemporaryFolder();
        var source = folder["source.dcm"];
        DicomWriter.Write(source, SourceImage.Create());

        var before = await ToolAsync("/usr/bin/dciodvfy", source);
        var after = await ToolAsync("/usr/bin/dciodvfy",
            Path.Combine(run.Output, Assert.IsType<DeidentifiedFile>(run.Outcome(source)).Path));

        Assert.DoesNotContain("Error", before, StringComparison.Ordinal);
        Assert.Contains("MRImage", after, StringComparison.Ordinal);
        Assert.DoesNotContain("Error", after, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deidentify_Image_IsReadByPydicom()
    {
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/pydicom"), "pydicom not found: apt-get install python3-pydicom");
        using var run = new DeidentificationRun();
        const string Script = "import pydicom,sys; d=pydicom.dcmread(sys.argv[1]); "
            + "print(d.PatientIdentityRemoved, repr(str(d.PatientName)), d.DeidentificationMethodCodeSequence[0].CodeValue, d.PixelData.hex(), "
            + "d.file_meta.MediaStorageSOPInstanceUID == d.SOPInstanceUID)";
        var path = Assert.IsType<DeidentifiedFile>(run.Outcome(DicomWriter.Encode(SourceImage.Create()))).Path;

        var said = await ToolAsync("/usr/bin/python3", "-c", Script, Path.Combine(run.Output, path));

        Assert.Equal($"YES '' 113100 {Convert.ToHexStringLower(SourceImage.Pixels)} True", said.Trim());
    }

    private static void AssertSamePixels(DicomFile source, DicomFile cleaned)
    {
        foreach (var tag in new[] { Tags.PixelData, Tags.FloatPixelData, Tags.DoubleFloatPixelData, Tags.ExtendedOffsetTable })
        {
            var (before, after) = (source.DataSet.Find(tag), cleaned.DataSet.Find(tag));
            Assert.Equal(before is null, after is null);
            if (before is null || after is null)
            {
                continue;
            }

            Assert.True(before.Value.Span.SequenceEqual(after.Value.Span) || before.Value.Length % 2 == 1, $"{source.Path}: {tag} changed");
            Assert.Equal(before.Encapsulated is null, after.Encapsulated is null);
            if (before.Encapsulated is { } fragments)
            {
                Assert.True(fragments.OffsetTable.ToMemory().Span.SequenceEqual(after.Encapsulated!.OffsetTable.ToMemory().Span));
                Assert.Equal(fragments.Fragments.Count, after.Encapsulated.Fragments.Count);
                Assert.All(fragments.Fragments.Zip(after.Encapsulated.Fragments), pair =>
                    Assert.True(pair.First.ToMemory().Span.SequenceEqual(pair.Second.ToMemory().Span)));
            }
        }
    }

    private static async Task<string> ToolAsync(string tool, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true,
            RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var text = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return text + await errors;
    }
}
