using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Fingerprints;

/// <summary>
/// Reads fingerprints from JSON. A list of cases, as <c>fedseg plan</c> takes it: <c>spacings[][3]</c> mm and <c>shapes[][3]</c> voxels (z,
/// y, x), <c>labels</c>
/// (names, or the number of classes with the background), <c>modality</c> (MR or CT), for CT <c>intensity{mean,std,p005,p995}</c> in
/// HU, and where images were cropped to their nonzero box <c>shareKept</c>, the median share of voxels left. Or a site's sketches.
/// </summary>
public static class FingerprintFile
{
    /// <summary>Longest file read: 64 MiB, some half a million listed cases.</summary>
    public const int LargestBytes = 64 << 20;

    private const int LargestClasses = 256;

    // Other tools write more into such files; what a plan needs is required by name.
    private static readonly JsonSerializerOptions ListOptions = new(FederationJson.Options)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    };

    /// <summary>Whether the document is a site's sketches rather than a list of cases.</summary>
    /// <exception cref="FingerprintException">Not a JSON object.</exception>
    public static bool IsSketch(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.TryGetProperty("leastCases", out _)
                : throw new FingerprintException("expected a JSON object with spacings, shapes, labels, modality and intensity");
        }
        catch (JsonException error)
        {
            throw Malformed(error);
        }
    }

    /// <summary>Reads a site's sketches.</summary>
    /// <exception cref="FingerprintException">Not a site's fingerprint, or one with a <see cref="SiteFingerprint.Problem"/>.</exception>
    public static SiteFingerprint ReadSite(ReadOnlySpan<byte> json)
    {
        try
        {
            var site = JsonSerializer.Deserialize<SiteFingerprint>(json, FederationJson.Options)
                ?? throw new FingerprintException("it is null");
            return site.Problem() is { } problem ? throw new FingerprintException(problem) : site;
        }
        catch (JsonException error)
        {
            throw Malformed(error);
        }
    }

    /// <summary>Reads a list of cases.</summary>
    /// <exception cref="FingerprintException">Something is missing, malformed or impossible.</exception>
    public static ListedFingerprint ReadList(ReadOnlySpan<byte> json)
    {
        try
        {
            var file = JsonSerializer.Deserialize<CaseList>(json, ListOptions) ?? throw new FingerprintException("it is null");
            return Check(file);
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, for one.
            throw new FingerprintException("a label is not text");
        }
        catch (JsonException error)
        {
            throw Malformed(error);
        }
    }

    private static ListedFingerprint Check(CaseList file)
    {
        if (file.Spacings.IsDefaultOrEmpty)
        {
            throw new FingerprintException("spacings is missing or empty; expected [z, y, x] in mm for each case");
        }

        if (file.Shapes.IsDefault || file.Shapes.Length != file.Spacings.Length)
        {
            var cases = file.Shapes.IsDefault ? 0 : file.Shapes.Length;
            throw new FingerprintException($"shapes has {cases} cases, spacings {file.Spacings.Length}; expected as many");
        }

        for (var i = 0; i < file.Spacings.Length; i++)
        {
            CheckAxes("spacings", i, file.Spacings[i], value => value > 0, "three positive lengths in mm");
            CheckAxes("shapes", i, file.Shapes[i], IsVoxelCount, "three whole numbers of voxels of at least 1");
        }

        if (file.Modality is not ("MR" or "CT")) throw new FingerprintException($"modality is '{Quote.Of(file.Modality)}'; use MR or CT");
        if (file.ShareKept is not (null or (> 0 and <= 1)))
        {
            throw new FingerprintException($"shareKept is {file.ShareKept}; expected a share above 0 and up to 1");
        }

        return new ListedFingerprint
        {
            Cases = file.Spacings.Length,
            Classes = Classes(file.Labels),
            Modality = file.Modality,
            Intensity = file.Modality == "CT" ? Intensity(file.Intensity) : null,
            SpacingsMm = file.Spacings,
            Shapes = file.Shapes,
            ShareKept = file.ShareKept ?? 1,
        };
    }

    private static void CheckAxes(string key, int index, ImmutableArray<double> axes, Func<double, bool> accept, string expected)
    {
        if (axes.IsDefault || axes.Length != 3 || axes.Any(value => !double.IsFinite(value) || !accept(value)))
        {
            var values = axes.IsDefault ? "" : string.Join(", ", axes);
            throw new FingerprintException($"{key}[{index}] is [{values}]; expected {expected}, [z, y, x]");
        }
    }

    /// <summary>
    /// A number counts the background; names and values may leave it out; an object maps names to values, as nnU-Net's data sets have it.
    /// </summary>
    private static int Classes(JsonElement labels)
    {
        var classes = labels.ValueKind switch
        {
            JsonValueKind.Number => labels.TryGetInt32(out var count) ? count : 0,
            JsonValueKind.Array => WithBackground([.. labels.EnumerateArray().Select(IsBackground)]),
            JsonValueKind.Object => WithBackground([.. labels.EnumerateObject().Select(IsBackground)]),
            _ => 0,
        };
        return classes is >= 2 and <= LargestClasses
            ? classes
            : throw new FingerprintException($"labels must be names, or the number of classes with the background, 2 to {LargestClasses}");
    }

    private static int WithBackground(bool[] isBackground) => isBackground.Length + (isBackground.Contains(true) ? 0 : 1);

    private static bool IsVoxelCount(double value) => value >= 1 && value <= 1 << 20 && value == Math.Floor(value);

    private static bool IsBackground(JsonElement label) => label.ValueKind switch
    {
        JsonValueKind.Number => label.TryGetInt32(out var value) && value == 0,
        JsonValueKind.String => IsBackground(label.GetString()!),
        _ => false,
    };

    private static bool IsBackground(JsonProperty label) => IsBackground(label.Name) || IsBackground(label.Value);

    private static bool IsBackground(string name) => name.Equals("background", StringComparison.OrdinalIgnoreCase);

    private static ForegroundIntensity Intensity(CaseIntensity? listed)
    {
        if (listed is not { Mean: { } mean, Std: { } deviation, P005: { } lower, P995: { } upper })
        {
            throw new FingerprintException("intensity is incomplete; CT needs mean, std, p005 and p995 of the labelled voxels in HU");
        }

        var intensity = new ForegroundIntensity { Mean = mean, Deviation = deviation, LowerClip = lower, UpperClip = upper };
        return intensity.Problem() is { } problem ? throw new FingerprintException($"intensity: {problem}") : intensity;
    }

    private static FingerprintException Malformed(JsonException error) =>
        new($"it can't be read at {error.Path ?? "$"} (line {(error.LineNumber ?? 0) + 1}): {Quote.Of(error.Message.Split(" Path:")[0])}");

    /// <summary>Nothing is required here, so that a missing key gets a better message than the serializer's.</summary>
    private sealed record CaseList
    {
        public ImmutableArray<ImmutableArray<double>> Spacings { get; init; }

        public ImmutableArray<ImmutableArray<double>> Shapes { get; init; }

        public JsonElement Labels { get; init; }

        public string? Modality { get; init; }

        public CaseIntensity? Intensity { get; init; }

        public double? ShareKept { get; init; }
    }

    private sealed record CaseIntensity
    {
        public double? Mean { get; init; }

        public double? Std { get; init; }

        public double? P005 { get; init; }

        public double? P995 { get; init; }
    }
}
