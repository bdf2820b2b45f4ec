using System.Collections.Immutable;
using FedSeg.Egress.Imprint;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;
using FedSeg.RedTeam.Tests.Images;
using FedSeg.RedTeam.Tests.Report;
using FedSeg.RedTeam.Tests.Sites;
using FedSeg.Testing;

namespace FedSeg.RedTeam.Tests.Imprint;

/// <summary>
/// A malicious coordinator sends a model that copies images into its update. It has to be refused: nothing that happens to the update later
/// would help.
/// </summary>
public sealed class ImprintTests : IDisposable
{
    private const int Size = 32, Bins = 64, Batch = 8;
    private readonly RedTeamReport _report;
    private readonly TemporaryFolder _folder = new();
    private readonly ImprintModel _model = new(Size, Bins);
    private readonly float[] _rows, _ladder;
    private readonly float[][] _batch = [.. Enumerable.Range(0, Batch).Select(i => Slice.Of(Size, 20 + i).Pixels)];

    public ImprintTests(RedTeamReport report)
    {
        _report = report;
        (_rows, _ladder) = _model.Plant(Own);
    }

    private static IEnumerable<float[]> Own => Enumerable.Range(0, 400).Select(i => Slice.Of(Size, 2000 + i).Pixels);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ImprintLayer_ByItsShape_IsRefused() =>
        Require("check of shapes (ImprintCheck)", ImprintCheck.Problems(_model.Manifest, [1, Size, Size]).Count > 0);

    [Fact]
    public void ImprintLayer_AsAConvolution_IsRefusedByItsShape()
    {
        // A kernel as large as the patch is the same layer by another name.
        var asKernel = new TensorManifest([new TensorSpec(ImprintModel.Weights, [Bins, 1, 1, Size, Size])]);
        Require("check of shapes, for the layer written as a convolution", ImprintCheck.Problems(asKernel, [1, Size, Size]).Count > 0);
    }

    [Fact]
    public void ImprintNetwork_ByItsName_IsRefused() =>
        Require("allow-list of networks (ArchitectureCatalog)",
            ArchitectureCatalog.Problems(new ArchitectureSpec { Name = "robbing-the-fed", Classes = 2 }).Count > 0);

    [Fact]
    public void ImprintModel_ByItsValues_IsRefused()
    {
        using var model = Write(_rows, _ladder);
        Require("check of the received weights (EqualRows)", EqualRows.Problem(model, _model.Manifest) is not null);
    }

    /// <summary>The gate takes declared tensors only: a trainer that was made to add the layer gets its gradient no further.</summary>
    [Fact]
    public void ImprintGradient_BesideTheDeclaredTensors_IsRefusedByTheGate()
    {
        var (rows, biases) = ImprintModel.Gradient(_rows, _ladder, _batch);
        using var update = Write(rows, biases);
        using var site = new ProductSite(Size, features: 16);
        Require("declared tensors only (DeltaReencoder)", DeltaReencoder.Problem(update, site.Manifest) is not null);
    }

    /// <summary>
    /// Rows made unlike each other still leak, and the check of values no longer sees them: shape and allow-list have to hold.
    /// </summary>
    [Fact]
    public void JitteredRows_PassTheCheckOfValues_AndStillLeak()
    {
        var (rows, ladder) = _model.Plant(Own, jitter: 0.05);
        using var model = Write(rows, ladder);
        Assert.Null(EqualRows.Problem(model, _model.Manifest));
        var leaked = Recovered(rows, ladder);
        Assert.InRange(leaked, 4, Batch);
        _report.Require(Row("check of the received weights (EqualRows) alone, rows jittered by 5 %", leaked) with
        {
            AtMost = null,
            Remark = "the check of values can be evaded; the check of shapes and the allow-list can't be by values",
        });
    }

    [Fact]
    public void ImprintModel_SumOfEightSites_StillLeaks()
    {
        var sum = Enumerable.Range(0, 8).Select(site =>
            ImprintModel.Gradient(_rows, _ladder, [.. Enumerable.Range(0, Batch).Select(i => Slice.Of(Size, 20 + 50 * site + i).Pixels)]))
            .Aggregate((left, right) => (Add(left.Rows, right.Rows), Add(left.Biases, right.Biases)));
        var leaked = ImprintModel.Found([.. ImprintModel.Recover(sum.Rows, sum.Biases)], _batch, Size);
        _report.Require(Row("sum of 8 sites alone, as a blind round shows it", leaked) with
        {
            AtMost = null,
            Remark = "more rows than images in the sum get the rest: masks do not stand in for the refusal",
        });
        Assert.InRange(leaked, 1, Batch);
    }

    private void Require(string defence, bool refused) =>
        _report.Require(Row(defence, refused ? 0 : Control) with { Remark = refused ? "refused before anything is trained or sent" : "" });

    private double Control => Recovered(_rows, _ladder);

    private double Recovered(float[] rows, float[] ladder)
    {
        var (gradient, biases) = ImprintModel.Gradient(rows, ladder, _batch);
        return ImprintModel.Found([.. ImprintModel.Recover(gradient, biases)], _batch, Size);
    }

    private Finding Row(string defence, double leaked) => new()
    {
        Attack = "C. Imprint model",
        Target = "linear layer of 64 rows ahead of the network, batch of 8",
        Defence = defence,
        Measure = "of 8 images, recovered with SSIM above 0.9",
        Control = Control,
        ControlAtLeast = 5,
        Floor = 0,
        Defended = leaked,
        AtMost = 0,
    };

    private SafetensorsFile Write(float[] rows, float[] biases)
    {
        var path = _folder[$"imprint-{Directory.GetFiles(_folder[""]).Length}"];
        using (var writer = SafetensorsWriter.Create(path, _model.Manifest))
        {
            writer.Write(rows);
            writer.Write(biases);
            writer.Complete();
        }

        return SafetensorsFile.Open(path);
    }

    private static float[] Add(float[] left, float[] right) => [.. left.Zip(right, (first, second) => first + second)];
}
