using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Tests.Weights;

public sealed class ModelMetadataTests
{
    private static readonly ModelMetadata Full = new()
    {
        Architecture = new ArchitectureSpec { Name = "unet3d", Classes = 3, BaseFeatures = 8, Levels = 4 },
        Labels = ["anterior", "posterior"],
        Preprocessing = new PreprocessingSpec { Modality = "MR", SpacingMm = [1, 1, 1.5], PatchVoxels = [40, 56, 40] },
        Run = RunId.Parse("run-one"),
        Round = 3,
        Base = Sha256Digest.Of("base"u8),
        Plan = Sha256Digest.Of("plan"u8),
    };

    [Fact]
    public void Parse_WhatWasWritten_IsTheSame()
    {
        var read = ModelMetadata.Parse(Full.ToDictionary());
        Assert.Equal(Full.ToDictionary(), read.ToDictionary());
        Assert.Equal((Full.Architecture, Full.Run, Full.Round, Full.Base, Full.Plan), (read.Architecture, read.Run, read.Round, read.Base, read.Plan));
        Assert.Equal(Full.Preprocessing.SpacingMm.AsEnumerable(), read.Preprocessing.SpacingMm);
    }

    [Fact]
    public void ToDictionary_OutsideAFederation_LeavesOutWhatIsUnknown()
    {
        var entries = (Full with { Run = null, Round = null, Base = null, Plan = null }).ToDictionary();
        Assert.Equal(["architecture", "fedseg", "labels", "preprocessing"], entries.Keys);
        Assert.Null(ModelMetadata.Parse(entries).Round);
    }

    [Theory]
    [InlineData("fedseg", "2")]
    [InlineData("architecture", "{}")]
    [InlineData("labels", "anterior")]
    [InlineData("labels", "null")]
    [InlineData("round", "three")]
    [InlineData("round", "99999999999")]
    [InlineData("base", "abc")]
    [InlineData("run", "../run")]
    public void Parse_MalformedEntry_IsRefusedByName(string key, string value)
    {
        var entries = new Dictionary<string, string>(Full.ToDictionary()) { [key] = value };
        Assert.Contains(key, Assert.Throws<SafetensorsException>(() => ModelMetadata.Parse(entries)).Message);
    }

    [Fact]
    public void Parse_FileOfAnotherProgram_IsRefused() =>
        Assert.Contains("not a FedSeg model", Assert.Throws<SafetensorsException>(() => ModelMetadata.Parse(new Dictionary<string, string>())).Message);
}
