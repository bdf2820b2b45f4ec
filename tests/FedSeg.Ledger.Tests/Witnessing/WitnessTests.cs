using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Witnessing;

namespace FedSeg.Ledger.Tests.Witnessing;

public sealed class WitnessTests : IDisposable
{
    private const string Name = "fedseg/coordinator";

    private readonly LedgerOnDisk _site = new LedgerOnDisk().With(3);
    private readonly LedgerOnDisk _coordinator = new();

    public void Dispose()
    {
        _site.Dispose();
        _coordinator.Dispose();
    }

    [Fact]
    public void Cosign_FirstCheckpoint_IsCosignedAndRemembered()
    {
        var cosigned = Assert.IsType<WitnessOutcome.Cosigned>(Cosign(_site, 0));
        var log = LedgerReader.Open(_site.Directory);

        Assert.True(cosigned.Cosignature.IsSignedBy(_coordinator.Key, log.Checkpoint.Checkpoint));
        Assert.False(cosigned.Cosignature.IsSignedBy(_site.Key, log.Checkpoint.Checkpoint));
        Assert.Equal(log.Checkpoint.With(cosigned.Cosignature).Note, Witness().Last(LedgerOnDisk.Origin)!.Note);
    }

    [Fact]
    public void Cosign_GrownLogWithProof_IsCosigned()
    {
        Cosign(_site, 0);
        _site.With(4);

        Assert.IsType<WitnessOutcome.Cosigned>(Cosign(_site, 3));
        Assert.Equal(7, Witness().Last(LedgerOnDisk.Origin)!.Checkpoint.Size);
    }

    [Fact]
    public void Cosign_SameCheckpointAgain_IsCosignedAgain()
    {
        Cosign(_site, 0);

        Assert.IsType<WitnessOutcome.Cosigned>(Cosign(_site, 3));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Cosign_ProofFromAnotherSize_NamesTheLastOne(long oldSize)
    {
        Cosign(_site, 0);
        _site.With(1);

        Assert.Equal(3, Assert.IsType<WitnessOutcome.SizeMismatch>(Cosign(_site, oldSize)).Last!.Checkpoint.Size);
    }

    [Fact]
    public void Cosign_LogRolledBack_IsRefusedAndItsOwnerLearnsWhatIsLost()
    {
        var older = _site.Snapshot();
        _site.With(2);
        Cosign(_site, 0);
        _site.Restore(older);

        var mismatch = Assert.IsType<WitnessOutcome.SizeMismatch>(Cosign(_site, 3));
        Assert.True(mismatch.Last!.IsSignedBy(_site.Key));
        Assert.Equal(3, OwnPast.FirstLost(LedgerReader.Open(_site.Directory), mismatch.Last));
    }

    [Fact]
    public void Cosign_LogRewrittenWithItsOwnKey_IsRefused()
    {
        Cosign(_site, 0);
        var last = Witness().Last(LedgerOnDisk.Origin)!;
        using var rewritten = new LedgerOnDisk();
        rewritten.Key.ImportECPrivateKey(_site.Key.ExportECPrivateKey(), out _);
        rewritten.WithCommits("rewritten", 5);

        Assert.Equal(new WitnessOutcome.Refused(WitnessRefusal.Inconsistent), Cosign(rewritten, 3));
        Assert.Equal(last.Note, Witness().Last(LedgerOnDisk.Origin)!.Note);
        Assert.Equal(0, OwnPast.FirstLost(LedgerReader.Open(rewritten.Directory), last));
    }

    [Fact]
    public void Cosign_SameLogUnderAnotherKey_IsRefused()
    {
        Cosign(_site, 0);
        using var other = new LedgerOnDisk().With(4);

        Assert.Equal(new WitnessOutcome.Refused(WitnessRefusal.KeyChanged), Cosign(other, 3));
    }

    [Fact]
    public void Cosign_AnothersLogOrNoKey_IsRefused()
    {
        var log = LedgerReader.Open(_site.Directory);
        var key = _site.Key.ExportSubjectPublicKeyInfo();

        Assert.Equal(new WitnessOutcome.Refused(WitnessRefusal.NotSigned), Witness().Cosign("fedseg/site/other", key, log.Checkpoint.Note, 0, []));
        Assert.Equal(new WitnessOutcome.Refused(WitnessRefusal.NotSigned), Witness().Cosign(LedgerOnDisk.Origin, _coordinator.Key.ExportSubjectPublicKeyInfo(), log.Checkpoint.Note, 0, []));
        Assert.Equal(new WitnessOutcome.Refused(WitnessRefusal.KeyUnknown), Witness().Cosign(LedgerOnDisk.Origin, key.AsSpan(1), log.Checkpoint.Note, 0, []));
        Assert.Null(Witness().Last(LedgerOnDisk.Origin));
    }

    [Fact]
    public void Cosign_TwoBranchesOfOneLog_OnlyTheFirstIsEverCosigned()
    {
        Cosign(_site, 0);
        var common = _site.Snapshot();
        _site.With(1);
        Assert.IsType<WitnessOutcome.Cosigned>(Cosign(_site, 3));
        _site.Restore(common);
        _site.WithCommits("branched", 2);

        // With an honest proof of its own branch, and with none.
        Assert.IsType<WitnessOutcome.SizeMismatch>(Cosign(_site, 3));
        Assert.Equal(new WitnessOutcome.Refused(WitnessRefusal.Inconsistent), Cosign(_site, 4));
    }

    [Fact]
    public void Cosign_TornLastNote_GoesOnFromTheOneBefore()
    {
        Cosign(_site, 0);
        var path = Witness().NotesPath(LedgerOnDisk.Origin);
        File.AppendAllText(path, LedgerReader.Open(_site.Directory).Checkpoint.Note);
        _site.With(1);

        Assert.IsType<WitnessOutcome.Cosigned>(Cosign(_site, 3));
        Assert.Equal(4, Witness().Last(LedgerOnDisk.Origin)!.Checkpoint.Size);
    }

    [Fact]
    public void KeepCosigned_AnothersSignature_IsRefused()
    {
        var cosigned = Assert.IsType<WitnessOutcome.Cosigned>(Cosign(_site, 0));
        using var writer = _site.Open();
        var log = LedgerReader.Open(_site.Directory);

        Assert.Throws<ArgumentException>(() => writer.KeepCosigned(log.Checkpoint.With(cosigned.Cosignature), _site.Key));
        Assert.Throws<ArgumentException>(() => writer.KeepCosigned(log.Checkpoint, _coordinator.Key));
        Assert.Null(LedgerReader.Open(_site.Directory).Cosigned);
    }

    [Fact]
    public void Cosignature_AnyByteOfItsLineFlipped_IsRefusedOrUnsigned()
    {
        var cosigned = Assert.IsType<WitnessOutcome.Cosigned>(Cosign(_site, 0)).Cosignature;
        var checkpoint = LedgerReader.Open(_site.Directory).Checkpoint.Checkpoint;
        var line = cosigned.ToLine();
        for (var i = 0; i < line.Length; i++)
        {
            var changed = line.ToCharArray();
            changed[i] ^= (char)1;
            Assert.False(Cosignature.FromLine(new string(changed))?.IsSignedBy(_coordinator.Key, checkpoint) == true, $"character {i}");
        }
    }

    private Witness Witness() => new(_coordinator.PathOf("witnessed"), Name, _coordinator.Key, TimeProvider.System);

    private WitnessOutcome Cosign(LedgerOnDisk site, long oldSize)
    {
        var log = LedgerReader.Open(site.Directory);
        IReadOnlyList<MerkleHash> proof = oldSize <= log.Count ? log.ConsistencyProof(oldSize) : [];
        return Witness().Cosign(LedgerOnDisk.Origin, site.Key.ExportSubjectPublicKeyInfo(), log.Checkpoint.Note, oldSize, proof);
    }
}
