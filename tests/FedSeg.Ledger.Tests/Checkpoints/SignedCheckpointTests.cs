using System.Security.Cryptography;
using System.Text;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Tests.Checkpoints;

public sealed class SignedCheckpointTests : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose() => _key.Dispose();

    [Fact]
    public void Sign_Checkpoint_HasTheLinesOfTheSpecification()
    {
        var lines = Signed().Note.Split('\n');

        // The root is that of an empty log: SHA-256 of nothing, base64.
        Assert.Equal(["log.example/a", "0", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", ""], lines[..4]);
        Assert.StartsWith("— log.example/a ", lines[4], StringComparison.Ordinal);
        Assert.Equal("", lines[5]);
        Assert.Equal(6, lines.Length);
    }

    [Fact]
    public void Sign_Checkpoint_VerifiesWithNothingButTheSpecification()
    {
        var note = Signed().Note;
        var blob = Convert.FromBase64String(note.Split(' ')[^1]);
        var text = note[..(note.IndexOf("\n\n", StringComparison.Ordinal) + 1)];

        Assert.Equal(SHA256.HashData(_key.ExportSubjectPublicKeyInfo())[..4], blob[..4]);
        Assert.True(_key.VerifyData(Encoding.UTF8.GetBytes(text), blob[4..], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    [Fact]
    public void Parse_OwnNote_GivesTheSameCheckpoint()
    {
        var parsed = SignedCheckpoint.Parse(Signed().Note);

        Assert.NotNull(parsed);
        Assert.Equal(Signed().Checkpoint, parsed.Checkpoint);
        Assert.True(parsed.IsSignedBy(_key));
    }

    [Fact]
    public void IsSignedBy_OtherKey_IsFalse()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.False(Signed().IsSignedBy(other));
    }

    [Fact]
    public void Parse_AnyByteFlipped_IsRefusedOrUnsigned()
    {
        var note = Encoding.UTF8.GetBytes(Signed().Note);
        for (var i = 0; i < note.Length; i++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var changed = note.ToArray();
                changed[i] ^= (byte)(1 << bit);
                Assert.False(SignedCheckpoint.Parse(Encoding.UTF8.GetString(changed))?.IsSignedBy(_key) == true, $"byte {i}, bit {bit}");
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("has space")]
    [InlineData("has+plus")]
    [InlineData("has\nline")]
    [InlineData("häßlich")]
    public void IsOrigin_NotPlainName_IsFalse(string name) => Assert.False(Checkpoint.IsOrigin(name));

    private SignedCheckpoint Signed() => SignedCheckpoint.Sign(new Checkpoint("log.example/a", 0, MerkleHash.EmptyRoot), _key);
}
