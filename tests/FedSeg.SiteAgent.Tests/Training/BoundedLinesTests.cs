using FedSeg.SiteAgent.Training;

namespace FedSeg.SiteAgent.Tests.Training;

public sealed class BoundedLinesTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_LinesAcrossBuffers_AreWholeAndInOrder()
    {
        var longLine = new string('x', 10_000);
        var lines = new BoundedLines(new StringReader($"first\n\n{longLine}\nlast"));

        Assert.Equal("first", await lines.ReadAsync(Cancellation));
        Assert.Equal("", await lines.ReadAsync(Cancellation));
        Assert.Equal(longLine, await lines.ReadAsync(Cancellation));
        Assert.Equal("last", await lines.ReadAsync(Cancellation));
        Assert.Null(await lines.ReadAsync(Cancellation));
    }

    [Fact]
    public async Task Read_LineWithoutEnd_IsRefusedAtTheBound()
    {
        var endless = new EndlessReader();

        await Assert.ThrowsAsync<InvalidDataException>(() => new BoundedLines(endless).ReadAsync(Cancellation));
        Assert.InRange(endless.Given, BoundedLines.MaximumLength, BoundedLines.MaximumLength + 10_000);
    }

    private sealed class EndlessReader : TextReader
    {
        public long Given { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<char> buffer, CancellationToken cancellationToken = default)
        {
            buffer.Span.Fill('x');
            Given += buffer.Length;
            return ValueTask.FromResult(buffer.Length);
        }
    }
}
