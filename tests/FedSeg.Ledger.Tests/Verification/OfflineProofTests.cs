using System.Text;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;
using FedSeg.Ledger.Verifier.Notes;
using FedSeg.Ledger.Witnessing;

namespace FedSeg.Ledger.Tests.Verification;

public sealed class OfflineProofTests : IDisposable
{
    private readonly LedgerOnDisk _ledger = new LedgerOnDisk().WithCommits(300);
    private readonly LedgerOnDisk _peer = new();

    public void Dispose()
    {
        _ledger.Dispose();
        _peer.Dispose();
    }

    [Fact]
    public void VerifyProof_EveryPlace_Holds()
    {
        var log = LedgerReader.Open(_ledger.Directory);

        for (var index = 0; index < 300; index += 13) Assert.Equal(new Verdict(300, log.Checkpoint.Checkpoint.Root.ToString(), null, null), Check(OfflineProof.Of(log, index)));
    }

    [Fact]
    public void Of_Entry_IsLaidOutAsTheSpecificationHasIt()
    {
        var log = LedgerReader.Open(_ledger.Directory);
        var lines = OfflineProof.Of(log, 5).Split('\n');

        Assert.Equal(["c2sp.org/tlog-proof@v1", "extra " + Convert.ToBase64String(log.EntryBytes(5)), "index 5"], lines[..3]);
        Assert.Equal(log.InclusionProof(5, 300).Select(hash => Convert.ToBase64String(hash.Bytes)), lines[3..^7]);
        Assert.EndsWith("\n\n" + log.Checkpoint.Note, OfflineProof.Of(log, 5), StringComparison.Ordinal);
    }

    [Fact]
    public void VerifyProof_AnyByteFlipped_Fails()
    {
        var proof = Encoding.UTF8.GetBytes(OfflineProof.Of(LedgerReader.Open(_ledger.Directory), 299));
        for (var i = 0; i < proof.Length; i++)
        {
            foreach (var mask in new byte[] { 0x01, 0x20, 0x80 })
            {
                var changed = proof.ToArray();
                changed[i] ^= mask;
                Assert.False(LedgerVerifier.VerifyProof(changed, Key(_ledger)).Verified, $"byte {i}, mask {mask:x2}");
            }
        }
    }

    [Fact]
    public void VerifyProof_OtherKeyOrOtherEntry_Fails()
    {
        var proof = Encoding.UTF8.GetBytes(OfflineProof.Of(LedgerReader.Open(_ledger.Directory), 7));

        Assert.Equal(7, LedgerVerifier.VerifyProof(proof, Key(_peer)).FirstBadIndex);
        Assert.Equal(7, LedgerVerifier.VerifyProof(proof, Key(_ledger), entry: "{}"u8).FirstBadIndex);
    }

    [Fact]
    public void VerifyProof_WitnessAsked_NeedsItsCosignature()
    {
        var plain = Encoding.UTF8.GetBytes(OfflineProof.Of(LedgerReader.Open(_ledger.Directory), 7));
        using (var writer = _ledger.Open())
        {
            var log = LedgerReader.Open(_ledger.Directory);
            var outcome = new Witness(_peer.PathOf("witnessed"), "coordinator", _peer.Key, TimeProvider.System)
                .Cosign(LedgerOnDisk.Origin, writer.PublicKey, log.Checkpoint.Note, 0, []);
            writer.KeepCosigned(log.Checkpoint.With(Assert.IsType<WitnessOutcome.Cosigned>(outcome).Cosignature), _peer.Key);
        }

        var cosigned = Encoding.UTF8.GetBytes(OfflineProof.Of(LedgerReader.Open(_ledger.Directory), 7));
        Assert.False(LedgerVerifier.VerifyProof(plain, Key(_ledger), Key(_peer)).Verified);
        Assert.Equal((null, 300), (LedgerVerifier.VerifyProof(cosigned, Key(_ledger), Key(_peer)).Problem, LedgerVerifier.VerifyProof(cosigned, Key(_ledger), Key(_peer)).CosignedSize));
        Assert.False(LedgerVerifier.VerifyProof(cosigned, Key(_ledger), Key(_ledger)).Verified);
    }

    private Verdict Check(string proof) => LedgerVerifier.VerifyProof(Encoding.UTF8.GetBytes(proof), Key(_ledger));

    private static VerifierKey Key(LedgerOnDisk ledger) => VerifierKey.Parse(ledger.Key.ExportSubjectPublicKeyInfoPem());
}
