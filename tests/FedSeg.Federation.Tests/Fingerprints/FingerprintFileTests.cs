using System.Text;
using FedSeg.Federation.Fingerprints;

namespace FedSeg.Federation.Tests.Fingerprints;

public sealed class FingerprintFileTests
{
    private const string Good =
        """{"spacings":[[1,1,1],[2,1,1]],"shapes":[[36,50,35],[30,50,35]],"labels":["anterior","posterior"],"modality":"CT","intensity":{"mean":50,"std":20,"p005":-10,"p995":150}}""";

    [Fact]
    public void ReadList_Good_HasEveryCase()
    {
        var fingerprint = FingerprintFile.ReadList(Encoding.UTF8.GetBytes(Good));

        Assert.Equal((2, 3, "CT", 1.5), (fingerprint.Cases, fingerprint.Classes, fingerprint.Modality, fingerprint.SpacingQuantile(0, 0.5)));
        Assert.Equal((50.0, -10.0), (fingerprint.Intensity!.Mean, fingerprint.Intensity.LowerClip));
        Assert.Equal(48, fingerprint.MedianShapeAt(0, 1)); // 36 and 60 voxels of 1 mm
    }

    [Theory]
    [InlineData("3", 3)]
    [InlineData("""["background","a","b"]""", 3)]
    [InlineData("""["a","b"]""", 3)]
    [InlineData("[1,2]", 3)]
    [InlineData("[0,1,2]", 3)]
    [InlineData("""{"background":0,"a":1,"b":2}""", 3)]
    public void ReadList_Labels_CountTheBackgroundOnce(string labels, int classes) =>
        Assert.Equal(classes, FingerprintFile.ReadList(Encoding.UTF8.GetBytes(Good.Replace("""["anterior","posterior"]""", labels))).Classes);

    [Theory]
    [InlineData("\"spacings\":[[1,1,1],[2,1,1]],", "", "spacings")]
    [InlineData("[2,1,1]", "[2,1]", "spacings[1]")]
    [InlineData("[2,1,1]", "[2,1,0]", "spacings[1]")]
    [InlineData(",[2,1,1]", "", "shapes has 2 cases, spacings 1")]
    [InlineData("[30,50,35]", "[30,50.5,35]", "shapes[1]")]
    [InlineData("[30,50,35]", "null", "shapes[1]")]
    [InlineData("\"CT\"", "\"PT\"", "modality is 'PT'")]
    [InlineData("[\"anterior\",\"posterior\"]", "1", "labels")]
    [InlineData("[\"anterior\",\"posterior\"]", "true", "labels")]
    [InlineData("\"anterior\"", "\"\\ud800\"", "a label is not text")]
    [InlineData("\"p995\":150", "\"p995\":-20", "lower percentile")]
    [InlineData("\"std\":20,", "", "std")]
    [InlineData(",\"intensity\":{\"mean\":50,\"std\":20,\"p005\":-10,\"p995\":150}", "", "intensity is incomplete")]
    [InlineData("\"CT\",", "\"CT\",\"shareKept\":1.5,", "shareKept is 1.5")]
    [InlineData("\"CT\",", "\"CT\",\"shareKept\":0,", "shareKept is 0")]
    [InlineData("}}", "", "can't be read")]
    public void ReadList_SomethingWrong_SaysWhat(string find, string replace, string problem)
    {
        Assert.Contains(find, Good);

        var error = Assert.Throws<FingerprintException>(() => FingerprintFile.ReadList(Encoding.UTF8.GetBytes(Good.Replace(find, replace))));

        Assert.Contains(problem, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }
}
