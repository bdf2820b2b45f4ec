using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;

namespace FedSeg.Coordinator.Tests.Rounds;

public sealed class UpdateIntakeTests : IDisposable
{
    private readonly CoordinatorOnDisk _coordinator = new();
    private readonly RoundPlan _plan;
    private readonly SiteUpdate _update;

    public UpdateIntakeTests()
    {
        _plan = _coordinator.CreateAndOpen();
        _update = UpdateOf(North, 0.5f);
    }

    private static SiteId North => CoordinatorOnDisk.North;

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public async Task ReceiveAsync_GoodUpdate_IsOnTheDiskWhenAccepted()
    {
        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(_update));

        _coordinator.Reopen();
        var accepted = Accepted();
        Assert.Equal(_update.Announced.Digest, accepted.Digest);
        Assert.Equal(_update.Bytes, await File.ReadAllBytesAsync(_coordinator.Blobs.PathOf(accepted.Weights!.Sha256), CoordinatorOnDisk.Token));
        Assert.True(_coordinator.KeyOf(North).VerifyHash(accepted.Digest.ToBytes(), Convert.FromBase64String(accepted.Signature)));
    }

    [Fact]
    public async Task ReceiveAsync_AfterACut_GoesOnAtTheOffset()
    {
        await Assert.ThrowsAsync<IOException>(() => _coordinator.Intake.ReceiveAsync(_update.Announced, _coordinator.KeyOf(North), _plan.Run, 0, CutAfter(2500), CoordinatorOnDisk.Token));
        _coordinator.Reopen();

        var offset = _coordinator.Intake.StoredBytes(_plan.Run, North, _update.Announced.Digest);

        Assert.Equal(2500, offset);
        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(_update, offset));
        Assert.Equal(_update.Announced.Digest, Accepted().Digest);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2499)]
    [InlineData(2501)]
    public async Task ReceiveAsync_AnotherOffsetThanStored_IsRefusedAndKeepsWhatIsThere(int offset)
    {
        await Assert.ThrowsAsync<IOException>(() => _coordinator.Intake.ReceiveAsync(_update.Announced, _coordinator.KeyOf(North), _plan.Run, 0, CutAfter(2500), CoordinatorOnDisk.Token));

        Assert.Equal(UploadOutcome.WrongOffset, await _coordinator.SendAsync(_update, offset));
        Assert.Equal(2500, _coordinator.Intake.StoredBytes(_plan.Run, North, _update.Announced.Digest));
    }

    [Fact]
    public async Task ReceiveAsync_MoreBytesThanAnnounced_IsRefusedAndNeverStored()
    {
        var tooMany = _update with { Bytes = [.. _update.Bytes, 0] };

        Assert.Equal(UploadOutcome.TooLarge, await _coordinator.SendAsync(tooMany));

        Assert.InRange(_coordinator.Intake.StoredBytes(_plan.Run, North, _update.Announced.Digest), 0, _update.Bytes.Length);
        Assert.Empty(Round().Accepted);
    }

    [Fact]
    public async Task ReceiveAsync_FewerBytesThanAnnounced_IsRefusedAndGoesOnLater()
    {
        Assert.Equal(UploadOutcome.Incomplete, await _coordinator.SendAsync(_update with { Bytes = _update.Bytes[..3000] }));
        Assert.Empty(Round().Accepted);

        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(_update, _coordinator.Intake.StoredBytes(_plan.Run, North, _update.Announced.Digest)));
    }

    [Fact]
    public async Task ReceiveAsync_DamagedBytes_AreDeletedAndTheUpdateAcceptedAnew()
    {
        var damaged = _update.Bytes.ToArray();
        damaged[^1] ^= 1;

        Assert.Equal(UploadOutcome.BytesDamaged, await _coordinator.SendAsync(_update with { Bytes = damaged }));

        Assert.Equal(0, _coordinator.Intake.StoredBytes(_plan.Run, North, _update.Announced.Digest));
        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(_update));
    }

    [Fact]
    public async Task ReceiveAsync_WeightsOfOtherTensors_AreRefusedAndDeleted()
    {
        var tensors = _plan.Manifest().Tensors;
        var weights = SiteUpdate.Weights(new TensorManifest([.. tensors[..^1], tensors[^1] with { Name = "hood.bias" }]), 0);
        var update = SiteUpdate.Of(_plan, North, _coordinator.KeyOf(North), SiteUpdate.Report(_plan, North).ToBytes(), weights);

        Assert.Equal(UploadOutcome.TensorsRefused, await _coordinator.SendAsync(update));

        Assert.Equal(0, _coordinator.Intake.StoredBytes(_plan.Run, North, update.Announced.Digest));
        Assert.Empty(Round().Accepted);
        Assert.False(_coordinator.Blobs.Contains(update.Announced.Payload!.Value));
    }

    [Fact]
    public async Task ReceiveAsync_NotANumber_IsRefusedAndNeverCounts()
    {
        Assert.Equal(UploadOutcome.NotFinite, await _coordinator.SendAsync(UpdateOf(North, float.NaN)));
        Assert.Empty(Round().Accepted);
    }

    [Fact]
    public async Task ReceiveAsync_AnotherUpdateOfTheSite_TakesThePlaceOfTheUnfinishedOne()
    {
        Assert.Equal(UploadOutcome.Incomplete, await _coordinator.SendAsync(_update with { Bytes = _update.Bytes[..3000] }));

        var other = UpdateOf(North, 0.25f);
        Assert.Equal(UploadOutcome.Incomplete, await _coordinator.SendAsync(other with { Bytes = other.Bytes[..2000] }));

        Assert.Equal(0, _coordinator.Intake.StoredBytes(_plan.Run, North, _update.Announced.Digest));
        Assert.Equal(2000, _coordinator.Intake.StoredBytes(_plan.Run, North, other.Announced.Digest));
    }

    [Fact]
    public async Task ReceiveAsync_SameUpdateTwice_IsAcceptedAndCountsOnce()
    {
        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(_update));
        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(_update));

        Assert.Single(_coordinator.Journal.ReadAll(), entry => entry.Event is RunEvent.UpdateAccepted);
    }

    [Fact]
    public async Task ReceiveAsync_SameUpdateAfterTheRunEnded_IsStillAccepted()
    {
        await _coordinator.SendAsync(_update);
        _coordinator.Catalog.Cancel(_plan.Run, "ada");

        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(_update));
    }

    [Fact]
    public async Task ReceiveAsync_SecondDifferentUpdate_FindsTheSiteAnswered()
    {
        await _coordinator.SendAsync(_update);

        Assert.Equal(UploadOutcome.AlreadyAnswered, await _coordinator.SendAsync(UpdateOf(North, 0.25f)));
        Assert.Equal(_update.Announced.Digest, Accepted().Digest);
    }

    [Fact]
    public async Task ReceiveAsync_UnknownRun_IsRefused() =>
        Assert.Equal(UploadOutcome.UnknownRun, await _coordinator.SendAsync(_update, run: RunId.Parse("run-unknown")));

    [Fact]
    public async Task ReceiveAsync_ClosedRound_IsRefused()
    {
        _coordinator.Catalog.Cancel(_plan.Run, "ada");

        Assert.Equal(UploadOutcome.RoundNotOpen, await _coordinator.SendAsync(_update));
    }

    [Fact]
    public async Task ReceiveAsync_RunEndsDuringTheUpload_IsNotAccepted()
    {
        var outcome = await _coordinator.Intake.ReceiveAsync(_update.Announced, _coordinator.KeyOf(North), _plan.Run, 0, CancelTheRunThenSend(), CoordinatorOnDisk.Token);

        Assert.Equal(UploadOutcome.RoundNotOpen, outcome);
        Assert.DoesNotContain(_coordinator.Journal.ReadAll(), entry => entry.Event is RunEvent.UpdateAccepted);
    }

    [Fact]
    public async Task ReceiveAsync_SiteOfNoPartInTheRun_IsRefused()
    {
        var stranger = SiteId.Parse("south");
        var update = SiteUpdate.Of(_plan, stranger, _coordinator.KeyOf(North));

        Assert.Equal(
            UploadOutcome.RoundNotOpen,
            await _coordinator.Intake.ReceiveAsync(update.Announced, _coordinator.KeyOf(North), _plan.Run, 0, CoordinatorOnDisk.Chunks(update.Bytes), CoordinatorOnDisk.Token));
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> CutAfter(int bytes)
    {
        await foreach (var chunk in CoordinatorOnDisk.Chunks(_update.Bytes.AsMemory(0, bytes))) yield return chunk;
        throw new IOException("The line was cut.");
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> CancelTheRunThenSend()
    {
        _coordinator.Catalog.Cancel(_plan.Run, "ada");
        await foreach (var chunk in CoordinatorOnDisk.Chunks(_update.Bytes)) yield return chunk;
    }

    private SiteUpdate UpdateOf(SiteId site, float value) => SiteUpdate.Of(_plan, site, _coordinator.KeyOf(site), value);

    private RoundState Round() => _coordinator.Book.Find(_plan.Run)!.Rounds[0];

    private RunEvent.UpdateAccepted Accepted() => Assert.Single(Round().Accepted).Value;
}
