using System.Security.Cryptography;
using System.Text;
using FedSeg.Federation.Charters;

namespace FedSeg.Federation.Tests.Charters;

public sealed class SignedCharterTests : IDisposable
{
    private readonly ECDsa _authority = ECDsa.Create(ECCurve.NamedCurves.nistP256), _other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose()
    {
        _authority.Dispose();
        _other.Dispose();
    }

    [Fact]
    public void TryRead_WhatWasWritten_IsSignedByTheAuthorityAndByNobodyElse()
    {
        var signed = SignedCharter.TryRead(SignedCharter.Sign(CharterFileTests.Charter(), _authority).ToBytes())!;

        Assert.Equal(CharterFileTests.Charter().Hash, signed.Hash);
        Assert.True(signed.IsSignedBy(_authority));
        Assert.False(signed.IsSignedBy(_other));
    }

    [Fact]
    public void TryRead_AnyByteChanged_IsNoCharterOrNotSigned()
    {
        var bytes = SignedCharter.Sign(CharterFileTests.Charter(), _authority).ToBytes();
        for (var place = 0; place < bytes.Length; place++)
        {
            var changed = bytes.ToArray();
            changed[place] ^= 1;
            Assert.False(SignedCharter.TryRead(changed)?.IsSignedBy(_authority) ?? false, $"byte {place}");
        }
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{\"charter\":null,\"signature\":\"\"}")]
    [InlineData("{\"charter\":{},\"signature\":\"\"}")]
    public void TryRead_SomethingElse_IsNone(string text) => Assert.Null(SignedCharter.TryRead(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void TryRead_WhatTheCanonicalFormDoesNotRepeat_IsNone()
    {
        var text = Encoding.UTF8.GetString(SignedCharter.Sign(CharterFileTests.Charter(), _authority).ToBytes());

        Assert.Null(SignedCharter.TryRead(Encoding.UTF8.GetBytes(" " + text)));
        Assert.Null(SignedCharter.TryRead(Encoding.UTF8.GetBytes(text.Replace("{\"study\"", "{\"more\":1,\"study\"", StringComparison.Ordinal))));
    }
}
