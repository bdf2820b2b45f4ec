using System.Text.Json;
using FedSeg.Imaging.Nifti;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Imaging;

public sealed class DicomCommandsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Scan_RealCtWithSegmentations_TellsSeriesAndEveryOtherFile()
    {
        var ended = await FedsegProcess.RunAsync("dicom", "scan", SharedData.Folder("ct_3slice_dicom_seg"), "--json");

        Assert.Equal(0, ended.ExitCode);
        using var document = JsonDocument.Parse(ended.Output);
        var large = document.RootElement.GetProperty("series").EnumerateArray()
            .Single(one => one.GetProperty("shape")[0].GetInt32() == 512);
        Assert.True(large.GetProperty("usable").GetBoolean());
        Assert.Equal([512, 512, 3], large.GetProperty("shape").EnumerateArray().Select(count => count.GetInt32()));
        Assert.Equal(2, large.GetProperty("segmentations").GetArrayLength());
        Assert.Contains(
            document.RootElement.GetProperty("quarantined").EnumerateArray(),
            problem => problem.GetProperty("file").GetString()!.EndsWith("slicer.png", StringComparison.Ordinal)
                && problem.GetProperty("reason").GetString()!.StartsWith("NotDicom", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Convert_EnhancedMr_WritesItsVolumeAndTellsTheAffine()
    {
        var ended = await FedsegProcess.RunAsync(
            "dicom", "convert", SharedData.Folder("mr_siemens_xa30_enhanced"), "--out", _folder["mr.nii.gz"], "--json");

        Assert.Equal(0, ended.ExitCode);
        using var document = JsonDocument.Parse(ended.Output);
        Assert.Equal([128, 128, 96], document.RootElement.GetProperty("shape").EnumerateArray().Select(count => count.GetInt32()));
        // Rows run to the feet and columns to the back; the first voxel of the volume is the last frame of the file.
        Assert.Equal(-2, document.RootElement.GetProperty("affine")[1][0].GetDouble(), 1e-4);
        Assert.Equal(-2, document.RootElement.GetProperty("affine")[2][1].GetDouble(), 1e-4);
        Assert.Equal(128 * 128 * 96,
            NiftiReader.ReadVolume(_folder["mr.nii.gz"], cancellationToken: TestContext.Current.CancellationToken).Voxels.Length);
    }

    [Fact]
    public async Task Convert_SegmentationOfACt_WritesItsLabelsOnTheImagesGrid()
    {
        var data = SharedData.Folder("ct_3slice_dicom_seg");

        var ended = await FedsegProcess.RunAsync(
            "dicom", "convert", Path.Combine(data, "ct"), "--segmentation", Path.Combine(data, "seg", "liver.dcm"), "--out",
            _folder["liver.nii"]);

        Assert.Equal(0, ended.ExitCode);
        var labels = NiftiReader.ReadLabels(_folder["liver.nii"], cancellationToken: TestContext.Current.CancellationToken).Labels;
        Assert.Equal(36233 + 35645 + 35220, labels.Count(label => label == 1));
    }

    [Fact]
    public async Task Dump_Htj2k_IsDecodedOnlyWhenAllowed()
    {
        var file = RepositoryFile.Find("tests", "FedSeg.Dicom.Tests", "Corpus", "u12.htj2k201.dcm");

        var refused = await FedsegProcess.RunAsync("dicom", "dump", file);
        var allowed = await FedsegProcess.RunAsync("dicom", "dump", file, "--allow-htj2k");

        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("--allow-htj2k", refused.ErrorLine, StringComparison.Ordinal);
        Assert.Equal((0, true), (allowed.ExitCode, allowed.Output.Contains("pixelSha256", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("image.img", "must end in .nii")]
    [InlineData("image.nii", "choose one")]
    public async Task Convert_WhatIsNotClear_IsBadInputInOneLine(string output, string expected)
    {
        var ended = await FedsegProcess.RunAsync("dicom", "convert", SharedData.Folder("ct_3slice_dicom_seg"), "--out", _folder[output]);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(expected, ended.ErrorLine, StringComparison.Ordinal);
    }
}
