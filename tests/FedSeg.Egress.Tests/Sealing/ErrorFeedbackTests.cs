using FedSeg.Egress.Policy;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Testing;

namespace FedSeg.Egress.Tests.Sealing;

/// <summary>What an encoding loses, and that it is not lost for good.</summary>
public sealed class ErrorFeedbackTests : IDisposable
{
    private readonly HospitalOnDisk _hospital = new();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _hospital.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(UpdateEncoding.Top10, "")]
    [InlineData(UpdateEncoding.Top1, "requantisation: bits8\n")]
    [InlineData(UpdateEncoding.I8, "")]
    [InlineData(UpdateEncoding.F16, "")]
    public async Task Clear_WithErrorFeedback_LeavesAtTheSiteWhatTheUpdateDoesNotTell(UpdateEncoding encoding, string rounding)
    {
        _hospital.WritePolicy(HospitalOnDisk.ValidPolicy + rounding);
        Ask(encoding, errorFeedback: true);
        var change = WriteChange();
        var cleared = await _hospital.ClearedAsync();

        var sent = await SentAsync(cleared, encoding);
        var held = Values(_hospital.ResidualPath, UpdateEncoding.F32);
        Assert.Equal(change.Zip(sent, (trained, told) => trained - told), held);
        Assert.Contains(held, value => value != 0);
        Assert.Equal(_hospital.Plan.UpdateBytes(), cleared.PayloadBytes);
        // It lies where the trainer keeps what stays, not among what can be sent.
        Assert.DoesNotContain(Directory.GetFiles(_hospital.OutboxPath, "*", SearchOption.AllDirectories), path =>
            path.Contains("residual", StringComparison.Ordinal));
        var request = Assert.Single(_hospital.Entries, entry => entry.Action == "egressRequested").Facts;
        Assert.Contains("with error feedback", request["encoding"], StringComparison.Ordinal);
        Assert.True(long.Parse(request["float32Bytes"]) > cleared.PayloadBytes);
    }

    [Fact]
    public async Task Clear_SparseTwice_GivesTheSameBits()
    {
        _hospital.WritePolicy(HospitalOnDisk.ValidPolicy + "requantisation: off\n");
        Ask(UpdateEncoding.Top10, errorFeedback: true);
        WriteChange();
        var first = (await _hospital.ClearedAsync()).PayloadSha256;
        var residual = await File.ReadAllBytesAsync(_hospital.ResidualPath, HospitalOnDisk.Token);

        Assert.Equal(first, (await _hospital.ClearedAsync()).PayloadSha256);
        Assert.Equal(residual, await File.ReadAllBytesAsync(_hospital.ResidualPath, HospitalOnDisk.Token));
    }

    /// <summary>A value that would be left out is looked at all the same.</summary>
    [Fact]
    public async Task Clear_SparseChangeWithOneInfinity_IsRefused()
    {
        Ask(UpdateEncoding.Top1);
        WriteChange(value => value == 0 ? float.NegativeInfinity : value);

        var report = Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync()).Report;
        Assert.Contains(report.Rules, rule => rule is { Rule: EgressRule.FiniteValues, Passed: false });
    }

    /// <summary>
    /// Two sites with ½‖x − b‖² pull the first weight 2 to either side and agree on the others. The largest tenth of a change is always the
    /// first weight, whose sum is 0: by itself it moves nothing, ever. With error feedback the others are told as soon as they have added
    /// up.
    /// </summary>
    [Theory]
    [InlineData(false, 9.0, 9.0)]
    [InlineData(true, 0.0, 0.02)]
    public void TopTenth_OfOpposedSites_ConvergesWithErrorFeedbackOnly(bool errorFeedback, double atLeast, double atMost)
    {
        const double rate = 0.05;
        Ask(UpdateEncoding.Top10, errorFeedback);
        var manifest = new TensorManifest([new TensorSpec("x", [10])]);
        float[][] optima = [[2, 1, 1, 1, 1, 1, 1, 1, 1, 1], [-2, 1, 1, 1, 1, 1, 1, 1, 1, 1]];
        var x = new float[10];
        for (var round = 0; round < 80; round++)
        {
            var step = new float[10];
            for (var site = 0; site < 2; site++)
            {
                WriteFloats(manifest, [.. x.Zip(optima[site], (at, optimum) => (float)(rate * (optimum - at)))]);
                var residual = _folder[$"residual-{site}"];
                if (File.Exists(residual)) Residual.Add(_folder["change"], residual, manifest);
                using (var source = SafetensorsFile.Open(_folder["change"]))
                {
                    DeltaReencoder.Reencode(
                        source, manifest, new StochasticGrid(Requantisation.Off, new SeededGenerator()), null, UpdateEncoding.Top10,
                            _folder["sent"], null, HospitalOnDisk.Token);
                }

                if (errorFeedback) Residual.Write(_folder["change"], _folder["sent"], manifest, UpdateEncoding.Top10, residual,
                    HospitalOnDisk.Token);
                using var sent = UpdateFile.Open(_folder["sent"], manifest, UpdateEncoding.Top10);
                var told = new float[10];
                sent.Read(0, told);
                for (var i = 0; i < 10; i++) step[i] += told[i] / 2;
            }

            for (var i = 0; i < 10; i++) x[i] += step[i];
        }

        // The optimum is 0 and nine ones.
        Assert.InRange(Math.Pow(x[0], 2) + x[1..].Sum(value => Math.Pow(value - 1, 2)), atLeast, atMost);
    }

    private void Ask(UpdateEncoding encoding, bool errorFeedback = false)
    {
        _hospital.Plan = _hospital.Plan with { Recipe =
            _hospital.Plan.Recipe with { UpdateEncoding = encoding, ErrorFeedback = errorFeedback } };
        _hospital.AnswerPlan();
    }

    /// <summary>Small numbers of every size, none twice, and a zero.</summary>
    private float[] WriteChange(Func<float, float>? change = null)
    {
        var manifest = _hospital.Plan.Manifest();
        var values = Enumerable.Range(0, (int)manifest.ParameterCount)
            .Select(i => (change ?? (value => value))((i * 7919 % 1009) / 1009f * (i % 2 == 0 ? 0.1f : -0.1f))).ToArray();
        using var writer = SafetensorsWriter.Create(_hospital.DeltaPath, manifest);
        writer.Write(values);
        writer.Complete();
        return values;
    }

    private void WriteFloats(TensorManifest manifest, float[] values)
    {
        using var writer = SafetensorsWriter.Create(_folder["change"], manifest);
        writer.Write(values);
        writer.Complete();
    }

    private async Task<float[]> SentAsync(Outbox.ClearedUpdate cleared, UpdateEncoding encoding)
    {
        await using (var payload = cleared.OpenPayload())
        await using (var received = File.Create(_folder["received"])) await payload.CopyToAsync(received, HospitalOnDisk.Token);
        return Values(_folder["received"], encoding);
    }

    private float[] Values(string path, UpdateEncoding encoding)
    {
        using var file = UpdateFile.Open(path, _hospital.Plan.Manifest(), encoding);
        var values = new float[file.Length];
        file.Read(0, values);
        return values;
    }
}
