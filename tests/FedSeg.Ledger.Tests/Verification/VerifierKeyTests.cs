using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Ledger.Verifier;
using FedSeg.Ledger.Verifier.Notes;
using NSec.Cryptography;

namespace FedSeg.Ledger.Tests.Verification;

/// <summary>Notes that other programs sign.</summary>
public sealed class VerifierKeyTests
{
    // The example key and note of golang.org/x/mod/sumdb/note, which the C2SP signed-note document uses too.
    private const string GoKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    private const string GoNote =
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        + "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    // The ECDSA key of rekor.sigstore.dev in the same notation.
    private const string SigstoreKey =
        "rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc=";

    [Fact]
    public void Signed_Ed25519NoteOfTheReferenceImplementation_Holds()
    {
        var (key, note) = (VerifierKey.Parse(GoKey), SignedNote.Parse(Encoding.UTF8.GetBytes(GoNote))!);

        Assert.True(key.Signed(note.Signatures[0], note.Text));
        Assert.False(key.Signed(note.Signatures[0], note.Text.Replace("graphy", "grapHy", StringComparison.Ordinal)));
        Assert.False(key.Cosigned(note.Signatures[0], note.Text));
    }

    [Fact]
    public void Parse_EcdsaKeyOfAnotherLog_IsRead() => Assert.NotNull(VerifierKey.Parse(SigstoreKey));

    [Theory]
    [InlineData("")]
    [InlineData("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")]
    public void Parse_NoKeyOrHashOfAnother_IsRefused(string text) => Assert.Throws<FormatException>(() => VerifierKey.Parse(text));

    [Fact]
    public void Parse_EcdsaKeyThatIsNone_IsRefused()
    {
        byte[] key = [1, 2, 3];
        var text = $"log+{Convert.ToHexStringLower(SHA256.HashData(key)[..4])}+{Convert.ToBase64String([2, .. key])}";

        Assert.Throws<FormatException>(() => VerifierKey.Parse(text));
    }

    [Fact]
    public void VerifyProof_OfALogThatSignsAndIsCosignedWithEd25519_Holds()
    {
        using var log = NSec.Cryptography.Key.Create(SignatureAlgorithm.Ed25519);
        using var witness = NSec.Cryptography.Key.Create(SignatureAlgorithm.Ed25519);
        var root = SHA256.HashData([0, .. "entry"u8]);
        var text = $"other.example/log\n1\n{Convert.ToBase64String(root)}\n";
        byte[] time = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(time, 1_800_000_000);
        var signature = SignatureAlgorithm.Ed25519.Sign(log, Encoding.UTF8.GetBytes(text));
        byte[] cosignature = [.. time, .. SignatureAlgorithm.Ed25519.Sign(witness, Encoding.UTF8.GetBytes("cosignature/v1\ntime 1800000000\n" + text))];
        var proof = Encoding.UTF8.GetBytes("c2sp.org/tlog-proof@v1\nindex 0\n\n" + text + "\n" + Line("other.example/log", 1, log, signature) + Line("witness.example", 4, witness, cosignature));

        var verdict = LedgerVerifier.VerifyProof(proof, Key("other.example/log", 1, log), Key("witness.example", 4, witness), "entry"u8);
        Assert.Equal((null, 1), (verdict.Problem, verdict.CosignedSize));
        Assert.False(LedgerVerifier.VerifyProof(proof, Key("other.example/log", 1, witness), null, "entry"u8).Verified);
    }

    private static VerifierKey Key(string name, byte type, Key key) =>
        VerifierKey.Parse($"{name}+{Convert.ToHexStringLower(Id(name, type, key))}+{Convert.ToBase64String([type, .. Public(key)])}");

    private static string Line(string name, byte type, Key key, byte[] signature) => $"— {name} {Convert.ToBase64String([.. Id(name, type, key), .. signature])}\n";

    private static byte[] Id(string name, byte type, Key key) => SHA256.HashData([.. Encoding.UTF8.GetBytes(name), (byte)'\n', type, .. Public(key)])[..4];

    private static byte[] Public(Key key) => key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
}
