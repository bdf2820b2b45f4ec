using System.Collections.Immutable;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.RedTeam.Tests.Images;
using FedSeg.RedTeam.Tests.Report;
using FedSeg.RedTeam.Tests.Sites;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using FedSeg.Testing;

namespace FedSeg.RedTeam.Tests.Imprint;

/// <summary>What the trainer measures of its update, and what a site's policy makes of it: images are found, honest updates pass.</summary>
public sealed class ImageLikenessTests : IDisposable
{
    private const int Size = 32, Patients = 12;

    /// <summary>A policy's bound when it says nothing else.</summary>
    private const double Bound = 0.5;

    private readonly RedTeamReport _report;
    private readonly TemporaryFolder _folder = new();
    private readonly ProductSite _site = new(Size, features: 16);
    private readonly Slice[] _slices = [.. Enumerable.Range(0, Patients).Select(i => Slice.Of(Size, 20 + i))];
    private readonly ImmutableArray<PreparedCase> _cases;
    private readonly RoundPlan _plan;

    public ImageLikenessTests(RedTeamReport report)
    {
        _report = report;
        _cases = [.. _slices.Select((slice, i) => ProductSite.Prepare(slice, $"patient-{i}"))];
        _plan = _site.Plan(ProductSite.Recipe(steps: 40, batch: 4, rate: 0.01));
    }

    public void Dispose()
    {
        _site.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Measure_ImprintModelsGradient_IsBlocked()
    {
        var found = OfGradient();
        _report.Require(new Finding
        {
            Attack = "C. Imprint model",
            Target = "its gradient on 12 images, and an honest round of the product on the same",
            Defence = "rule on likeness to images (policy: maximumImageSimilarity 0.5)",
            Measure = "largest cosine of either sign; the control must be above the policy's bound, the honest round below",
            Control = found,
            ControlAtLeast = Bound,
            Defended = Measured(Honest(_plan)),
            AtMost = 0.4,
            Remark = "a copy in plain order; images that are permuted or spread stay unfound",
        });
    }

    /// <summary>A trainer that was made to write an image anywhere into an update of the right form.</summary>
    [Theory]
    [InlineData(0, 1f)]
    [InlineData(1777, 1e-3f)]
    public void Measure_ImageWrittenOverAnHonestUpdate_IsFound(int at, float scale)
    {
        var update = ProductSite.Read(Honest(_plan), _site.Manifest);
        var image = _cases[3].Prepared.Input.Voxels.ToArray();
        // Behind the first layer, in the largest tensor.
        var start = at + 1000;
        for (var i = 0; i < image.Length; i++) update[start + i] = scale * image[i];

        Assert.InRange(Measured(_site.Write(update)), 0.9, 1);
    }

    [Fact]
    public void Measure_PrivateRound_Passes() => Assert.InRange(
        Measured(Honest(_site.Plan(Private))), 0, 0.4);

    [Fact]
    public void Measure_ImagesOfOneValue_IsNotMeasured()
    {
        PreparedCase[] flat = [ProductSite.Prepare(_slices[0] with { Pixels = [.. Enumerable.Repeat(1f, Size * Size)] }, "flat")];

        Assert.Null(ImageLikeness.Measure(Honest(_plan), flat, TrainingSchedule.Of(_plan, 1)));
    }

    [Fact]
    public void Measure_Update_NamesItsBytes()
    {
        var update = Honest(_plan);

        Assert.Equal(Federation.Identity.Sha256Digest.Of(File.ReadAllBytes(update)),
            ImageLikeness.Measure(update, _cases, TrainingSchedule.Of(_plan, Patients))!.Update);
    }

    private static TrainingRecipe Private => ProductSite.Recipe(steps: 20, batch: 4, rate: 0.01, privacy: new PatientPrivacy
    {
        ClippingNorm = 0.5,
        ExpectedBatch = 4,
        PatchesPerPatient = 1,
        Delta = 1e-4,
        NoiseMultiplier = 1,
    });

    private string Honest(RoundPlan plan) => _site.Train(plan, _cases, _site.Initial(seed: 4)).Update;

    private double Measured(string update) => ImageLikeness.Measure(update, _cases, TrainingSchedule.Of(_plan, Patients))!.Largest;

    /// <summary>
    /// What is measured of the gradient that a planted layer has of all patients' slices. Normalising changes none of an image's
    /// directions.
    /// </summary>
    private double OfGradient()
    {
        var model = new ImprintModel(Size, bins: 64);
        var (rows, ladder) = model.Plant(Enumerable.Range(0, 400).Select(i => Slice.Of(Size, 2000 + i).Pixels));
        var (gradient, biases) = ImprintModel.Gradient(rows, ladder, [.. _slices.Select(slice => slice.Pixels)]);
        using (var writer = SafetensorsWriter.Create(_folder["imprint"], model.Manifest))
        {
            writer.Write(gradient);
            writer.Write(biases);
            writer.Complete();
        }

        return Measured(_folder["imprint"]);
    }
}
