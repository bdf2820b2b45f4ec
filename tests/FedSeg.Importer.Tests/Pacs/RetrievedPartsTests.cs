using System.Net.Http.Headers;
using System.Text;
using FedSeg.Importer.Pacs;

namespace FedSeg.Importer.Tests.Pacs;

public sealed class RetrievedPartsTests
{
    private const string Related = "multipart/related; type=\"application/dicom\"; boundary=\"b-1\"";
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Related, 1)]
    [InlineData(Related, 7)]
    [InlineData("multipart/related; boundary=b-1", 100_000)]
    [InlineData("Multipart/Related; Type=\"application/dicom\"; Boundary=b-1", 3)]
    public async Task Read_TwoParts_GivesTheirBytesHoweverTheyArrive(string contentType, int bytesAtATime)
    {
        // Bytes that begin like the boundary, and an end of line at the end, are part of the content.
        var first = "\r\n--b-\r\n--b-2\r\n"u8.ToArray();
        var second = Enumerable.Range(0, 5000).Select(i => (byte)i).ToArray();

        var parts = await ReadAsync(Body(first, second), contentType, bytesAtATime: bytesAtATime);

        Assert.Equal([first, second], parts);
    }

    [Fact]
    public async Task Read_AnEmptyPart_IsAPart() => Assert.Equal([[]], await ReadAsync(Body([[]])));

    [Fact]
    public async Task Read_TextBeforeTheFirstBoundary_IsPassedOver() =>
        Assert.Equal([[1, 2]], await ReadAsync([.. "preamble\r\n"u8, .. Body([1, 2])]));

    [Fact]
    public async Task Read_CutAnywhereBeforeTheLastBoundary_IsRefused()
    {
        var whole = Body([1, 2, 3], [4, 5, 6]);
        // The closing "--b-1--" is recognised by "--b-1" and what follows it.
        for (var length = 0; length <= whole.Length - "--".Length; length++)
        {
            var cut = whole[..length];
            var failure = await Assert.ThrowsAsync<PacsException>(() => ReadAsync(cut));
            // A header cut short looks like another header.
            Assert.True(failure.Fault is PacsFault.ConnectionLost or PacsFault.UnexpectedAnswer);
        }
    }

    [Fact]
    public async Task Read_CutInTheMiddleOfAPart_IsALostConnection() =>
        Assert.Equal(
            PacsFault.ConnectionLost,
            (await Assert.ThrowsAsync<PacsException>(() => ReadAsync(Body(new byte[1000])[..^500]))).Fault);

    [Fact]
    public async Task Read_OversizePart_IsRefusedAndNotWrittenOut()
    {
        using var written = new MemoryStream();
        var parts = Open(Body(new byte[5000]), Related, largestPart: 1000);
        Assert.True(await parts.MoveNextAsync(Cancellation));

        var failure = await Assert.ThrowsAsync<PacsException>(() => parts.CopyToAsync(written, Cancellation));

        Assert.Equal(PacsFault.LimitExceeded, failure.Fault);
        Assert.True(written.Length <= 1000);
    }

    [Fact]
    public async Task Read_MorePartsThanAskedFor_IsRefused() =>
        Assert.Equal(
            PacsFault.UnexpectedAnswer,
            (await Assert.ThrowsAsync<PacsException>(() => ReadAsync(Body([1], [2], [3]), mostParts: 2))).Fault);

    [Theory]
    [InlineData(null)]
    [InlineData("application/dicom")]
    [InlineData("multipart/mixed; boundary=b-1")]
    [InlineData("multipart/related")]
    [InlineData("multipart/related; boundary=\"\"")]
    [InlineData("multipart/related; type=\"application/octet-stream\"; boundary=b-1")]
    public void Open_AnotherContentType_IsRefused(string? contentType) =>
        Assert.Equal(PacsFault.UnexpectedAnswer, Assert.Throws<PacsException>(() => Open(Body([1]), contentType)).Fault);

    [Fact]
    public void Open_EndlessBoundary_IsRefused() =>
        Assert.Equal(
            PacsFault.UnexpectedAnswer,
            Assert.Throws<PacsException>(() => Open(Body([1]), "multipart/related; boundary=" + new string('x', 5000))).Fault);

    [Theory]
    [InlineData("Content-Type: multipart/related; boundary=inner")]
    [InlineData("Content-Type: text/html")]
    [InlineData("X-Nothing: 1")]
    public async Task Read_PartThatIsNoDicom_IsRefused(string header) =>
        Assert.Equal(
            PacsFault.UnexpectedAnswer,
            (await Assert.ThrowsAsync<PacsException>(() => ReadAsync(Ascii($"--b-1\r\n{header}\r\n\r\nx\r\n--b-1--")))).Fault);

    [Theory]
    [InlineData(17, 10)]
    [InlineData(1, 100_000)]
    public async Task Read_TooManyOrTooLongHeaders_IsRefused(int count, int length)
    {
        var headers = string.Concat(Enumerable.Range(0, count).Select(i => $"X-{i}: {new string('x', length)}\r\n"));

        var failure = await Assert.ThrowsAsync<PacsException>(() => ReadAsync(Ascii($"--b-1\r\n{headers}\r\nx\r\n--b-1--")));

        Assert.Equal(PacsFault.UnexpectedAnswer, failure.Fault);
    }

    [Fact]
    public async Task Read_EndlessTextWithoutABoundary_IsRefused() =>
        Assert.Equal(PacsFault.UnexpectedAnswer, (await Assert.ThrowsAsync<PacsException>(() => ReadAsync(new byte[1 << 20]))).Fault);

    [Fact]
    public async Task Read_MutatedBodies_EndInPartsOrInAPacsException()
    {
        var chance = new Random(1);
        var whole = Body([1, 2, 3, 13, 10, 45, 45], [4, 5, 6], []);
        for (var round = 0; round < 5000; round++)
        {
            var mutated = whole.ToArray();
            for (var change = chance.Next(1, 6); change > 0; change--)
            {
                var value = chance.Next(3) switch { 0 => (byte)'-', 1 => (byte)'\r', _ => (byte)chance.Next(256) };
                mutated[chance.Next(mutated.Length)] = value;
            }

            if (chance.Next(4) == 0) mutated = mutated[..chance.Next(mutated.Length)];
            var failure = await Record.ExceptionAsync(() => ReadAsync(mutated, bytesAtATime: chance.Next(1, 50)));
            Assert.True(failure is null or PacsException, $"Round {round}: {failure}");
        }
    }

    private static byte[] Body(params byte[][] parts) =>
        [
            .. parts.SelectMany(part => (byte[])[.. "--b-1\r\nContent-Type: application/dicom\r\n\r\n"u8, .. part, .. "\r\n"u8]),
            .. "--b-1--"u8,
        ];

    private static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);
    private static RetrievedParts Open(
        byte[] body, string? contentType, long largestPart = 100_000, int mostParts = 10, int bytesAtATime = int.MaxValue) =>
        RetrievedParts.Open(
            contentType is null ? null : MediaTypeHeaderValue.Parse(contentType),
            new TricklingStream(body, bytesAtATime),
            largestPart,
            mostParts);

    private static async Task<List<byte[]>> ReadAsync(
        byte[] body, string contentType = Related, int mostParts = 10, int bytesAtATime = int.MaxValue)
    {
        var found = new List<byte[]>();
        var parts = Open(body, contentType, mostParts: mostParts, bytesAtATime: bytesAtATime);
        while (await parts.MoveNextAsync(Cancellation))
        {
            using var part = new MemoryStream();
            await parts.CopyToAsync(part, Cancellation);
            found.Add(part.ToArray());
        }

        return found;
    }

    private sealed class TricklingStream(byte[] bytes, int bytesAtATime) : MemoryStream(bytes)
    {
        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            base.ReadAsync(buffer, offset, Math.Min(count, bytesAtATime), cancellationToken);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, bytesAtATime)], cancellationToken);
    }
}
