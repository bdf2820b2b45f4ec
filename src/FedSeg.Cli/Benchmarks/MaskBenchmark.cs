using System.Security.Cryptography;
using FedSeg.Federation.Identity;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Masking;
using FedSeg.SecureAggregation.Server;
using FedSeg.SecureAggregation.Sites;

namespace FedSeg.Cli.Benchmarks;

/// <summary>
/// One secure sum in memory, with every message and every key as in a round, and the vectors streamed in chunks as the programs do. What is
/// left out is the wire, the disk and the check of a certificate's chain. Times are the processor's, all on one thread, so that other work
/// on the machine does not count.
/// </summary>
internal static class MaskBenchmark
{
    private const double DropShare = 0.3;
    private const int GridExponent = -15;

    /// <summary>Measures a model's length with a number of sites.</summary>
    public static MaskBenchmarkResult Run(long parameters, int sites, CancellationToken cancellationToken)
    {
        var context = new SumContext
        {
            Run = RunId.Parse("run-bench-1"),
            Round = 1,
            Plan = Sha256Digest.Of("plan"u8),
            BaseModel = Sha256Digest.Of("model"u8),
            Sites = [.. Enumerable.Range(1, sites).Select(number => SiteId.Parse($"site{number:000}"))],
        };
        var whole = new Exchange(context);
        var mask = whole.MaskOne(parameters, cancellationToken);
        var unmask = whole.Unmask([.. context.Sites], parameters, cancellationToken);

        var halved = new Exchange(context);
        halved.MaskOne(0, cancellationToken);
        var gone = Math.Min((int)Math.Round(DropShare * sites), sites - context.Threshold);
        var unmaskAfterDrops = halved.Unmask([.. context.Sites.SkipLast(gone)], parameters, cancellationToken);
        return new MaskBenchmarkResult
        {
            MillionParameters = parameters / 1e6,
            Sites = sites,
            UploadBytes = parameters * Words24.BytesPerWord,
            ExchangeBytes = whole.SentBytes / sites,
            KeySeconds = Math.Round(whole.KeySeconds / sites, 4),
            MaskSeconds = Math.Round(mask, 3),
            UnmaskSeconds = Math.Round(unmask, 3),
            Dropped = gone,
            UnmaskSecondsAfterDrops = Math.Round(unmaskAfterDrops, 3),
        };
    }

    /// <summary>All parties of one sum.</summary>
    private sealed class Exchange
    {
        private readonly SumContext _context;
        private readonly SumServer _server;
        private readonly Dictionary<SiteId, SumClient> _clients = [];

        public Exchange(SumContext context)
        {
            _context = context;
            _server = new SumServer(context, Key);
            foreach (var site in context.Sites)
            {
                var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                var credential = new SiteCredential(key.ExportSubjectPublicKeyInfo(), key);
                _clients[site] = new SumClient(context, site, credential, Key, SumContext.FewestSites, RandomNumberGenerator.Create());
            }
        }

        /// <summary>Bytes that all sites sent, masked updates left out.</summary>
        public long SentBytes { get; private set; }

        /// <summary>Time that all sites spent on everything but masking.</summary>
        public double KeySeconds { get; private set; }

        /// <summary>Runs the exchange up to the masks and masks one site's update.</summary>
        /// <returns>Seconds from values on the grid to packed, masked words.</returns>
        public double MaskOne(long parameters, CancellationToken cancellationToken)
        {
            SendAll(SumStage.Keys, _context.Sites, client => client.Advertise());
            SendAll(SumStage.Shares, _context.Sites, (client, site) => client.AnswerRoster(_server.MessageAfter(SumStage.Keys, site)));
            var seconds = 0.0;
            foreach (var (site, client) in _clients)
            {
                KeySeconds += Timed(() => client.AcceptShares(_server.MessageAfter(SumStage.Shares, site)));
                var started = Environment.CpuUsage.TotalTime;
                using var masks = client.TakeMasks();
                if (site != _context.Sites[0]) continue;
                MaskAll(masks, parameters, cancellationToken);
                seconds = (Environment.CpuUsage.TotalTime - started).TotalSeconds;
            }

            return seconds;
        }

        /// <summary>Runs the exchange to its end and sums the survivors' updates.</summary>
        /// <returns>Seconds of the server, from the shares to the sum.</returns>
        public double Unmask(SiteId[] survivors, long parameters, CancellationToken cancellationToken)
        {
            _server.Close(survivors);
            SendAll(SumStage.Confirmations, survivors, (client, site) =>
                client.AnswerSurvivors(_server.MessageAfter(SumStage.Masked, site)));
            SendAll(SumStage.Disclosures, survivors, (client, site) =>
                client.AnswerConfirmations(_server.MessageAfter(SumStage.Confirmations, site)));
            var started = Environment.CpuUsage.TotalTime;
            using var masks = _server.Recover().Masks ?? throw new InvalidOperationException("The masks did not come out.");
            var chunk = new MaskedChunk(masks);
            var packed = new byte[MaskSet.ChunkWords * Words24.BytesPerWord];
            foreach (var (number, length) in Chunks(parameters, cancellationToken))
            {
                chunk.Begin(length);
                foreach (var _ in survivors) chunk.Add(packed.AsSpan(0, length * Words24.BytesPerWord));
                chunk.Unmask(number);
            }

            return (Environment.CpuUsage.TotalTime - started).TotalSeconds;
        }

        private static void MaskAll(MaskSet masks, long parameters, CancellationToken cancellationToken)
        {
            var values = new float[MaskSet.ChunkWords];
            var words = new uint[MaskSet.ChunkWords];
            var packed = new byte[MaskSet.ChunkWords * Words24.BytesPerWord];
            new FixedGrid(RandomNumberGenerator.Create()).Round(values, scale: 1, GridExponent);
            foreach (var (number, length) in Chunks(parameters, cancellationToken))
            {
                FixedGrid.ToWords(values.AsSpan(0, length), GridExponent, words);
                masks.Apply(number, words.AsSpan(0, length));
                Words24.Pack(words.AsSpan(0, length), packed.AsSpan(0, length * Words24.BytesPerWord));
            }
        }

        private void SendAll(SumStage stage, IEnumerable<SiteId> sites, Func<SumClient, StepOutcome> answer) =>
            SendAll(stage, sites, (client, _) => answer(client));

        private void SendAll(SumStage stage, IEnumerable<SiteId> sites, Func<SumClient, SiteId, StepOutcome> answer)
        {
            foreach (var site in sites)
            {
                StepOutcome? outcome = null;
                KeySeconds += Timed(() => outcome = answer(_clients[site], site));
                var message = outcome is StepOutcome.Reply reply ? reply.Message : throw new InvalidOperationException(
                    $"{site} ended the sum: {outcome}");
                SentBytes += message.Length;
                if (_server.Accept(
                    stage, site, message) is { } refusal) throw new InvalidOperationException($"The server refused {site}: {refusal}");
            }

            _server.Close();
        }

        private static double Timed(Action action)
        {
            var started = Environment.CpuUsage.TotalTime;
            action();
            return (Environment.CpuUsage.TotalTime - started).TotalSeconds;
        }

        private static IEnumerable<(long Number, int Length)> Chunks(long parameters, CancellationToken cancellationToken)
        {
            for (var start = 0L; start < parameters; start += MaskSet.ChunkWords)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return (start / MaskSet.ChunkWords, (int)Math.Min(MaskSet.ChunkWords, parameters - start));
            }
        }

        private static ECDsa Key(SiteId site, byte[] certificate)
        {
            var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(certificate, out _);
            return key;
        }
    }
}

/// <summary>What a secure sum cost; seconds of one processor.</summary>
internal sealed record MaskBenchmarkResult
{
    public required double MillionParameters { get; init; }

    public required int Sites { get; init; }

    /// <summary>A site's masked update.</summary>
    public required long UploadBytes { get; init; }

    /// <summary>A site's other messages.</summary>
    public required long ExchangeBytes { get; init; }

    /// <summary>A site's time on keys, shares and signatures.</summary>
    public required double KeySeconds { get; init; }

    /// <summary>A site's time from values on the grid to packed, masked words.</summary>
    public required double MaskSeconds { get; init; }

    /// <summary>The coordinator's time from the shares to the sum of all.</summary>
    public required double UnmaskSeconds { get; init; }

    /// <summary>Sites that dropped out after sharing keys.</summary>
    public required int Dropped { get; init; }

    /// <summary>The coordinator's time with those gone.</summary>
    public required double UnmaskSecondsAfterDrops { get; init; }

    public void Print() => Console.WriteLine(
        $"{MillionParameters:G} M parameters, {Sites} sites: upload {UploadBytes / 1e6:F1} MB + {ExchangeBytes} bytes; keys {KeySeconds:F3} s, "
        + $"mask {MaskSeconds:F2} s, unmask {UnmaskSeconds:F2} s, with {Dropped} dropped {UnmaskSecondsAfterDrops:F2} s");
}
