using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using FedSeg.Dicom.DataSets;
using Polly;

namespace FedSeg.Importer.Pacs;

/// <summary>
/// DICOMweb, PS3.18: queries (QIDO-RS §10.6), retrieval (WADO-RS §10.4) and storage (STOW-RS §10.5). Addresses are built from checked
/// identifiers, never taken from
/// an answer. Every failure is a <see cref="PacsException"/>.
/// </summary>
internal sealed class PacsClient(HttpClient http, PacsOptions options, TimeProvider time)
{
    private const long LargestPage = 64L << 20;
    private const string DicomJsonType = "application/dicom+json";
    // The asterisk asks for the stored transfer syntax; without it an archive has to decompress, PS3.18 §8.7.3.
    private const string AnyDicom = """multipart/related; type="application/dicom"; transfer-syntax=*""";
    private static readonly JsonDocumentOptions JsonLimits = new() { MaxDepth = 32 };
    private readonly ResiliencePipeline _retry = PacsRetry.Create(options, time);

    /// <summary>All studies that match, each once.</summary>
    public Task<IReadOnlyList<StudyMatch>> FindStudiesAsync(
        IEnumerable<KeyValuePair<string, string>> filter, CancellationToken cancellationToken) =>
        FindAsync("studies", filter, StudyMatch.Of, match => match.Study, options.MaximumStudies, cancellationToken);

    /// <summary>All series of a study, each once.</summary>
    public Task<IReadOnlyList<SeriesMatch>> FindSeriesAsync(Uid study, CancellationToken cancellationToken) =>
        FindAsync(
            $"studies/{study}/series",
            [new("includefield", "SeriesDescription")],
            SeriesMatch.Of,
            match => match.Series,
            options.MaximumInstances,
            cancellationToken);

    /// <summary>SOP instance UIDs of a series, each once.</summary>
    public Task<IReadOnlyList<Uid>> FindInstancesAsync(Uid study, Uid series, CancellationToken cancellationToken) =>
        FindAsync(
            $"studies/{study}/series/{series}/instances",
            [],
            match => match.RequiredUid(Tags.SopInstanceUid),
            instance => instance,
            options.MaximumInstances,
            cancellationToken);

    /// <summary>Retrieves a whole series in one answer. Tried once: what it does not bring is fetched one by one.</summary>
    public Task RetrieveSeriesAsync(
        Uid study, Uid series, int instances, Func<RetrievedParts, CancellationToken, Task> take, CancellationToken cancellationToken) =>
        RetrieveAsync($"studies/{study}/series/{series}", instances, take, cancellationToken);

    /// <summary>
    /// Retrieves one instance; repeated as the settings say, so <paramref name="take"/> may be called again after it had a part of the
    /// answer.
    /// </summary>
    public async Task RetrieveInstanceAsync(
        Uid study, Uid series, Uid instance, Func<RetrievedParts, CancellationToken, Task> take, CancellationToken cancellationToken) =>
        await _retry.ExecuteAsync(
            async stop => await RetrieveAsync($"studies/{study}/series/{series}/instances/{instance}", mostParts: 1, take, stop),
            cancellationToken);

    /// <summary>Stores one file. Repeating it is harmless: an archive knows an instance by its identifier.</summary>
    public async Task<StoreAnswer> StoreAsync(string path, CancellationToken cancellationToken) =>
        await _retry.ExecuteAsync(async stop => await StoreOnceAsync(path, stop), cancellationToken);

    private async Task<IReadOnlyList<T>> FindAsync<T>(
        string path,
        IEnumerable<KeyValuePair<string, string>> filter,
        Func<DicomJson, T> read,
        Func<T, Uid> key,
        int most,
        CancellationToken cancellationToken)
    {
        var found = new List<T>();
        var known = new HashSet<Uid>();
        var parameters = string.Concat(filter.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}&"));
        for (var offset = 0; ;)
        {
            var address = string.Create(CultureInfo.InvariantCulture, $"{path}?{parameters}limit={options.PageSize}&offset={offset}");
            var page = await _retry.ExecuteAsync(async stop => await PageAsync(address, stop), cancellationToken);
            var before = found.Count;
            found.AddRange(page.Select(read).Where(match => known.Add(key(match))));
            if (found.Count > most)
            {
                throw new PacsException(
                    PacsFault.LimitExceeded,
                    $"A query matched more than {most}. Narrow Importer:Select, or raise the limit in Importer:Pacs.");
            }
            // A server may give fewer than asked for, so only a page without anything new is the end; that also ends it where a server
            // ignores the offset.
            if (found.Count == before) return found;
            offset += page.Count;
        }
    }

    private async Task<IReadOnlyList<DicomJson>> PageAsync(string address, CancellationToken cancellationToken)
    {
        using var guard = Guard(cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.ParseAdd(DicomJsonType);
        using var response = await SendAsync(request, guard);
        return response.StatusCode == HttpStatusCode.NoContent ? [] : await DataSetsAsync(response, guard);
    }

    private async Task RetrieveAsync(
        string path, int mostParts, Func<RetrievedParts, CancellationToken, Task> take, CancellationToken cancellationToken)
    {
        using var guard = Guard(cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", AnyDicom);
        using var response = await SendAsync(request, guard);
        await using var body = new AnswerStream(
            await response.Content.ReadAsStreamAsync(cancellationToken), guard, options.MaximumAnswerBytes);
        await take(
            RetrievedParts.Open(response.Content.Headers.ContentType, body, options.MaximumInstanceBytes, mostParts), cancellationToken);
    }

    private async Task<StoreAnswer> StoreOnceAsync(string path, CancellationToken cancellationToken)
    {
        using var guard = Guard(cancellationToken);
        using var content = new MultipartContent("related");
        content.Headers.ContentType!.Parameters.Add(new NameValueHeaderValue("type", "\"application/dicom\""));
        content.Add(new GuardedFileContent(path, guard));
        using var request = new HttpRequestMessage(HttpMethod.Post, "studies") { Content = content };
        request.Headers.Accept.ParseAdd(DicomJsonType);
        // 409: nothing was stored, and the body says why.
        using var response = await SendAsync(request, guard, HttpStatusCode.Conflict);
        return StoreAnswer.Of(await DataSetsAsync(response, guard));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, SilenceGuard guard, HttpStatusCode? alsoAccepted = null)
    {
        HttpResponseMessage response;
        try
        {
            guard.Arm();
            response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, guard.Token);
            guard.Disarm();
        }
        catch (OperationCanceledException silence) when (guard.Expired)
        {
            throw guard.Silence(silence);
        }
        catch (HttpRequestException untrusted) when (untrusted.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            throw new PacsException(
                PacsFault.Untrusted,
                "TLS failed: the PACS's certificate is not trusted or not of this host (Importer:Pacs:Authority), or ours is refused.",
                untrusted);
        }
        catch (HttpRequestException unreachable)
        {
            throw new PacsException(PacsFault.Unreachable, $"The PACS can't be reached: {unreachable.HttpRequestError}.", unreachable);
        }

        if (response.IsSuccessStatusCode || response.StatusCode == alsoAccepted) return response;
        using (response) throw Refusal(response);
    }

    private PacsException Refusal(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        var fault = status switch
        {
            >= 300 and < 400 => PacsFault.Redirected,
            401 or 403 => PacsFault.AccessDenied,
            404 or 410 => PacsFault.NotFound,
            408 or 429 or >= 500 => PacsFault.Busy,
            _ => PacsFault.UnexpectedAnswer,
        };
        var retryAfter = response.Headers.RetryAfter;
        return new PacsException(fault, $"The PACS answered with status {status}.")
        {
            RetryAfter = retryAfter?.Delta ?? (retryAfter?.Date is { } date && date > time.GetUtcNow() ? date - time.GetUtcNow() : null),
        };
    }

    /// <summary>The data sets of an answer: an array of them, or one alone.</summary>
    private static async Task<IReadOnlyList<DicomJson>> DataSetsAsync(HttpResponseMessage response, SilenceGuard guard)
    {
        if (response.Content.Headers.ContentType?.MediaType is not (DicomJsonType or "application/json"))
        {
            throw new PacsException(
                PacsFault.UnexpectedAnswer, $"The PACS answered with status {(int)response.StatusCode}, but not in {DicomJsonType}.");
        }

        try
        {
            await using var body = new AnswerStream(await response.Content.ReadAsStreamAsync(guard.Token), guard, LargestPage);
            using var document = await JsonDocument.ParseAsync(body, JsonLimits, guard.Token);
            var root = document.RootElement.Clone();
            return root.ValueKind == JsonValueKind.Array
                ? [.. root.EnumerateArray().Select(dataSet => new DicomJson(dataSet))]
                : [new DicomJson(root)];
        }
        catch (JsonException malformed)
        {
            // The inner message may quote the answer, so it stays out of ours.
            throw new PacsException(PacsFault.UnexpectedAnswer, $"An answer of the PACS is not valid {DicomJsonType}.", malformed);
        }
    }

    private SilenceGuard Guard(CancellationToken cancellationToken) =>
        new(TimeSpan.FromSeconds(options.SilenceSeconds), time, cancellationToken);
}
