using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using FedSeg.Egress.Policy;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;

namespace FedSeg.Egress.Tests.Sealing;

/// <summary>What a hostile or broken trainer may put where its weights belong.</summary>
public sealed class UpdateSealerTests : IDisposable
{
    private readonly HospitalOnDisk _hospital = new();

    public void Dispose() => _hospital.Dispose();

    [Fact]
    public async Task Clear_GoodWeights_LeaveAsTheCanonicalFile()
    {
        var cleared = await _hospital.ClearedAsync();
        await using var payload = cleared.OpenPayload();
        var bytes = new MemoryStream();
        await payload.CopyToAsync(bytes, HospitalOnDisk.Token);

        Assert.Equal(await File.ReadAllBytesAsync(_hospital.DeltaPath, HospitalOnDisk.Token), bytes.ToArray());
        Assert.Equal(bytes.Length, cleared.PayloadBytes);
    }

    [Theory]
    [InlineData(UpdateEncoding.F16, "requantisation: off\n", 6)]
    [InlineData(UpdateEncoding.F16, "requantisation: bits8\n", 128)]
    [InlineData(UpdateEncoding.I16, "", 1)]
    [InlineData(UpdateEncoding.I16, "requantisation: bits8\n", 256)]
    [InlineData(UpdateEncoding.I8, "requantisation: bits16\n", 256)]
    public async Task Clear_EncodedWeights_LeaveAsTheEncodingAndThePolicyLetThem(UpdateEncoding encoding, string rounding, int coarseness)
    {
        var plan = _hospital.Plan with { Recipe = _hospital.Plan.Recipe with { UpdateEncoding = encoding } };
        (_hospital.Plan, _hospital.Report) = (plan, HospitalOnDisk.GoodReport(plan));
        _hospital.WritePolicy(HospitalOnDisk.ValidPolicy + rounding);
        _hospital.WriteDelta(0.7f);
        var cleared = await _hospital.ClearedAsync();
        var path = Path.Combine(_hospital.Root, "received");
        await using (var payload = cleared.OpenPayload())
        await using (var received = File.Create(path)) await payload.CopyToAsync(received, HospitalOnDisk.Token);

        using var update = UpdateFile.Open(path, plan.Manifest(), encoding);
        var values = new float[update.Length];
        update.Read(0, values);

        Assert.Equal(plan.UpdateBytes(), cleared.PayloadBytes);
        // The largest magnitude has at least 2^14 of the finest steps.
        Assert.All(values, value => Assert.InRange(value, 0.7 - 0.7 * coarseness / (1 << 14), 0.7 + 0.7 * coarseness / (1 << 14)));
        Assert.Contains(_hospital.Entries, entry => entry.Facts.TryGetValue("norm", out var norm)
            && Math.Abs(double.Parse(norm, CultureInfo.InvariantCulture) - Math.Sqrt(values.Sum(value => (double)value * value))) < 1e-4);
    }

    [Fact]
    public async Task Clear_HeaderPaddedWithAMessage_LeavesWithoutIt()
    {
        // JSON white space can carry bits: space is 0, tab is 1.
        var plain = await File.ReadAllBytesAsync(_hospital.DeltaPath, HospitalOnDisk.Token);
        var header = BitConverter.ToInt32(plain);
        byte[] longer = [.. BitConverter.GetBytes((long)header + 16), .. plain[8..(8 + header)], .. " \t \t\t  \t\t \t  \t\t "u8[..16], .. plain[(8 + header)..]];
        await File.WriteAllBytesAsync(_hospital.DeltaPath, longer, HospitalOnDisk.Token);
        var cleared = await _hospital.ClearedAsync();

        Assert.Equal(Sha256Digest.Of(plain), cleared.PayloadSha256);
    }

    [Fact]
    public Task Clear_ExtraTensor_IsRefused()
    {
        _hospital.WriteDelta(new TensorManifest([.. _hospital.Plan.Manifest().Tensors, new TensorSpec("patients", [4])]), 0.1f);
        return AssertRefusedAsync();
    }

    [Fact]
    public Task Clear_MissingTensor_IsRefused()
    {
        _hospital.WriteDelta(new TensorManifest(_hospital.Plan.Manifest().Tensors[1..]), 0.1f);
        return AssertRefusedAsync();
    }

    [Fact]
    public async Task Clear_TensorsKeptLocal_AreNotInWhatLeaves()
    {
        _hospital.Plan = _hospital.Plan with { Recipe = _hospital.Plan.Recipe with { Tensors = new TensorRules { KeepLocal = [TensorGroup.Normalisation] } } };
        _hospital.AnswerPlan();
        _hospital.WriteDelta(_hospital.Plan.UpdateManifest().All, 0.1f);
        var cleared = await _hospital.ClearedAsync();

        await using var content = cleared.OpenPayload();
        var copy = new MemoryStream();
        await content.CopyToAsync(copy, HospitalOnDisk.Token);
        Assert.DoesNotContain("norm", Encoding.Latin1.GetString(copy.ToArray()));
        Assert.Equal(SafetensorsWriter.FileLength(_hospital.Plan.UpdateManifest().All), cleared.PayloadBytes);
    }

    [Fact]
    public Task Clear_TensorsKeptLocalSentAllTheSame_IsRefused()
    {
        _hospital.Plan = _hospital.Plan with { Recipe = _hospital.Plan.Recipe with { Tensors = new TensorRules { KeepLocal = [TensorGroup.Head] } } };
        _hospital.AnswerPlan();
        _hospital.WriteDelta(_hospital.Plan.Manifest(), 0.1f);
        return AssertRefusedAsync();
    }

    [Fact]
    public async Task Clear_ControlVariates_PassTheSameGate()
    {
        _hospital.Plan = _hospital.Plan with { Recipe = _hospital.Plan.Recipe with { Algorithm = new LocalAlgorithm.Scaffold() } };
        _hospital.AnswerPlan();
        _hospital.WriteDelta(_hospital.Plan.UpdateManifest().All, 0.1f);
        Assert.Equal(SafetensorsWriter.FileLength(_hospital.Plan.UpdateManifest().All), (await _hospital.ClearedAsync()).PayloadBytes);

        // A control variate that is not finite does not leave either.
        _hospital.WriteDelta(_hospital.Plan.UpdateManifest().All, float.NaN);
        Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync());
    }

    [Fact]
    public Task Clear_TensorsInOtherOrder_IsRefused()
    {
        _hospital.WriteDelta(new TensorManifest(_hospital.Plan.Manifest().Tensors.Reverse()), 0.1f);
        return AssertRefusedAsync();
    }

    [Fact]
    public Task Clear_Metadata_IsRefused()
    {
        _hospital.WriteDelta(_hospital.Plan.Manifest(), 0.1f, ImmutableDictionary<string, string>.Empty.Add("note", "CANARY"));
        return AssertRefusedAsync();
    }

    [Fact]
    public Task Clear_TrailingBytes_IsRefused()
    {
        File.AppendAllText(_hospital.DeltaPath, "CANARY");
        return AssertRefusedAsync();
    }

    [Fact]
    public Task Clear_CutOff_IsRefused()
    {
        using (var stream = File.OpenWrite(_hospital.DeltaPath)) stream.SetLength(stream.Length - 1);
        return AssertRefusedAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("CANARY")]
    [InlineData("\u0080\u0002}q\u0001(X\u0006CANARY")]
    public Task Clear_NoSafetensors_IsRefused(string content)
    {
        File.WriteAllText(_hospital.DeltaPath, content, Encoding.Latin1);
        return AssertRefusedAsync();
    }

    [Fact]
    public Task Clear_NoFile_IsRefused()
    {
        File.Delete(_hospital.DeltaPath);
        return AssertRefusedAsync();
    }

    private async Task AssertRefusedAsync()
    {
        var report = Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync()).Report;

        Assert.Contains(report.Rules, rule => rule is { Rule: EgressRule.OnlyDeclaredTensors, Passed: false });
        Assert.Empty(Directory.GetFileSystemEntries(_hospital.OutboxPath));
        Assert.DoesNotContain("CANARY", string.Concat(_hospital.Entries.SelectMany(entry => entry.Facts.Values)), StringComparison.Ordinal);
    }
}
