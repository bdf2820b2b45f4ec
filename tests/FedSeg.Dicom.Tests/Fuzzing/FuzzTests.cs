using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Pixels;
using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Tests.Fuzzing;

/// <summary>
/// Parses and decodes mutated files of the corpus: pixels or <see cref="DicomException"/>, nothing else, in bounded memory. docs/fuzzing.md tells how to run
/// longer, from other seeds, and how to repeat one execution.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const long DefaultExecutions = 200_000;
    private const ulong DefaultSeed = 20260102;
    private const long MostBytesOfOneExecution = 16 << 20;
    private const long MostGrowthOfTheProcess = 512 << 20;
    private static readonly TimeSpan LongestExecution = TimeSpan.FromSeconds(20);

    private static readonly DicomLimits Limits = new()
    {
        MaxInflatedBytes = 1 << 20, MaxFrameBytes = 1 << 20, MaxPixelBytes = 4 << 20, MaxElements = 20_000, MaxFragments = 1000, MaxFrames = 1000,
    };

    [Fact]
    public void ParseAndDecode_MutatedCorpus_GivesPixelsOrTheTypedErrorInBoundedMemory()
    {
        var seed = (ulong)Setting("FEDSEG_FUZZ_SEED", (long)DefaultSeed);
        var first = Setting("FEDSEG_FUZZ_FIRST", 0);
        var executions = Setting("FEDSEG_FUZZ_EXECUTIONS", DefaultExecutions);
        var folders = new[] { Corpus.Folder, Environment.GetEnvironmentVariable("FEDSEG_FUZZ_CORPUS") }.Where(folder => folder is not null);
        var mutator = new Mutator([.. folders.SelectMany(folder => Directory.GetFiles(folder!)).Order(StringComparer.Ordinal).Select(FuzzSeed.Of)]);
        var isTraced = Setting("FEDSEG_FUZZ_TRACE", 0) == 1;
        var tally = new Tally();
        Execute(Corpus.Read("u8.raw"), new byte[Limits.MaxFrameBytes]);
        var workingSet = Environment.WorkingSet;
        var watch = Stopwatch.StartNew();

        Parallel.For(first, first + executions, () => new byte[Limits.MaxFrameBytes], (execution, _, buffer) =>
        {
            if (isTraced)
            {
                Console.Error.WriteLine(execution);
            }

            Run(mutator.Make(seed, execution), execution, buffer, tally);
            return buffer;
        }, static _ => { });

        var growth = Environment.WorkingSet - workingSet;
        output.WriteLine($"{executions} executions in {watch.Elapsed.TotalSeconds:0} s: {tally}; the process grew by {growth >> 20} MiB.");
        Assert.True(tally.Failures.IsEmpty, string.Join("\n", tally.Failures.Take(5).Select(failure =>
            $"{failure.Value}\n  replay: FEDSEG_FUZZ_SEED={seed} FEDSEG_FUZZ_FIRST={failure.Key} FEDSEG_FUZZ_EXECUTIONS=1 "
            + "dotnet test --project tests/FedSeg.Dicom.Tests -c Release --filter-class '*FuzzTests'")));
        Assert.InRange(growth, long.MinValue, MostGrowthOfTheProcess);
        Assert.True(executions < 1000 || (tally.Decoded > executions / 20 && tally.Refused > executions / 20), $"The mutations hit one side only: {tally}");
    }

    private static void Run(byte[] input, long execution, byte[] buffer, Tally tally)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var start = Stopwatch.GetTimestamp();
        try
        {
            Execute(input, buffer);
            Interlocked.Increment(ref tally.Decoded);
        }
        catch (DicomException refusal)
        {
            tally.Count(refusal.Fault);
        }
        catch (Exception fault)
        {
            tally.Failures[execution] = fault.ToString();
        }

        var (bytes, time) = (GC.GetAllocatedBytesForCurrentThread() - before, Stopwatch.GetElapsedTime(start));
        tally.Measure(bytes, time);
        if (bytes > MostBytesOfOneExecution || time > LongestExecution)
        {
            tally.Failures[execution] = $"an input of {input.Length} bytes took {bytes} bytes of memory and {time.TotalSeconds:0.0} s";
        }
    }

    private static void Execute(byte[] input, byte[] buffer)
    {
        using var file = DicomFile.Parse(input, "fuzz.dcm", Limits);
        Touch(file.DataSet);
        var frames = new FrameReader(file);
        for (var frame = 0; frame < Math.Min(frames.Layout.Frames, 3); frame++)
        {
            frames.Read(frame, buffer);
        }
    }

    /// <summary>Reads every value the way its representation asks for.</summary>
    private static void Touch(DataSet set)
    {
        foreach (var element in set.Elements)
        {
            if (element.Vr.IsText() || element.Vr == DicomVr.UN)
            {
                set.Texts(element.Tag);
            }

            foreach (var item in element.Items ?? [])
            {
                Touch(item);
            }
        }
    }

    private static long Setting(string name, long value) =>
        Environment.GetEnvironmentVariable(name) is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : value;

    private sealed class Tally
    {
        private readonly ConcurrentDictionary<DicomFault, long> _refusals = new();
        private long _mostBytes;
        private long _longestTicks;

        public long Decoded;

        public ConcurrentDictionary<long, string> Failures { get; } = new();

        public long Refused => _refusals.Values.Sum();

        public void Count(DicomFault fault) => _refusals.AddOrUpdate(fault, 1, static (_, count) => count + 1);

        public void Measure(long bytes, TimeSpan time)
        {
            Raise(ref _mostBytes, bytes);
            Raise(ref _longestTicks, time.Ticks);
        }

        public override string ToString() =>
            $"{Decoded} decoded, {string.Join(", ", _refusals.OrderBy(refusal => refusal.Key).Select(refusal => $"{refusal.Value} {refusal.Key}"))}; "
            + $"at most {_mostBytes >> 10} KiB and {TimeSpan.FromTicks(_longestTicks).TotalMilliseconds:0} ms for one";

        private static void Raise(ref long most, long value)
        {
            for (var known = Volatile.Read(ref most); value > known;)
            {
                var seen = Interlocked.CompareExchange(ref most, value, known);
                if (seen == known)
                {
                    return;
                }

                known = seen;
            }
        }
    }
}
