using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FedSeg.Importer.Tests;

/// <summary>A DICOMweb archive on a free port of real Kestrel, which a test can make misbehave.</summary>
internal sealed class FakePacs : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakePacs(WebApplication app) => _app = app;

    public List<FakeInstance> Instances { get; } = [];

    /// <summary>Path and query of every request, in order of arrival.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>What every request carried as authorisation.</summary>
    public ConcurrentQueue<string?> Authorisations { get; } = new();

    /// <summary>Files stored, as their bodies came.</summary>
    public ConcurrentQueue<string> Stored { get; } = new();

    /// <summary>Most matches the archive gives at a time, whatever it is asked for.</summary>
    public int PageCap { get; set; } = int.MaxValue;

    public bool IgnoresOffset { get; set; }

    /// <summary>Sees each request first; true says that it has answered.</summary>
    public Func<HttpContext, Task<bool>> Intervene { get; set; } = _ => Task.FromResult(false);

    /// <summary>The answer to a store request.</summary>
    public Func<(int Status, JsonNode Body)> StoreAnswer { get; set; } = () => (200, new JsonObject());

    public string Address { get; private set; } = "";

    public static async Task<FakePacs> StartAsync(Action<ListenOptions>? listen = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(
            kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen ?? (_ => { })));
        var pacs = new FakePacs(builder.Build());
        pacs.Map();
        await pacs._app.StartAsync();
        var addresses = pacs._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        pacs.Address = addresses.Single() + "/dicom-web";
        return pacs;
    }

    public void Add(params FakeInstance[] instances) => Instances.AddRange(instances);

    /// <summary>Requests whose path ends in an instance.</summary>
    public IEnumerable<string> SingleRetrievals =>
        Requests
            .Where(request => request.Contains("/instances/", StringComparison.Ordinal))
            .Select(request => request[(request.LastIndexOf('/') + 1)..]);

    /// <param name="cutInto">The body ends in the middle of this further part.</param>
    public static async Task WriteMultipartAsync(HttpResponse response, IEnumerable<byte[]> parts, byte[]? cutInto = null)
    {
        response.ContentType = "multipart/related; type=\"application/dicom\"; boundary=\"a-b\"";
        foreach (var part in parts)
        {
            await response.Body.WriteAsync("--a-b\r\nContent-Type: application/dicom\r\n\r\n"u8.ToArray());
            await response.Body.WriteAsync(part);
            await response.Body.WriteAsync("\r\n"u8.ToArray());
        }

        if (cutInto is null)
        {
            await response.Body.WriteAsync("--a-b--"u8.ToArray());
            return;
        }

        await response.Body.WriteAsync("--a-b\r\nContent-Type: application/dicom\r\n\r\n"u8.ToArray());
        await response.Body.WriteAsync(cutInto.AsMemory(0, cutInto.Length / 2));
        await response.Body.FlushAsync();
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private void Map()
    {
        _app.Use(async (context, next) =>
        {
            Requests.Enqueue(context.Request.Path + context.Request.QueryString);
            Authorisations.Enqueue(context.Request.Headers.Authorization);
            if (!await Intervene(context)) await next();
        });
        _app.MapGet("/dicom-web/studies", context => PageAsync(context, Instances.GroupBy(entry => entry.Study).Select(StudyJson)));
        _app.MapGet(
            "/dicom-web/studies/{study}/series",
            context => PageAsync(context, Of(context).Select(entry => (entry.Series, entry.Modality)).Distinct().Select(SeriesJson)));
        _app.MapGet(
            "/dicom-web/studies/{study}/series/{series}/instances",
            context => PageAsync(context, Of(context).Select(entry => new JsonObject { ["00080018"] = Value("UI", entry.Instance) })));
        _app.MapGet(
            "/dicom-web/studies/{study}/series/{series}",
            context => WriteMultipartAsync(context.Response, Of(context).Select(entry => entry.Bytes)));
        _app.MapGet(
            "/dicom-web/studies/{study}/series/{series}/instances/{instance}",
            context => WriteMultipartAsync(context.Response, Of(context).Select(entry => entry.Bytes)));
        _app.MapPost("/dicom-web/studies", async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            Stored.Enqueue(Encoding.Latin1.GetString(body.ToArray()));
            var (status, answer) = StoreAnswer();
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/dicom+json";
            await context.Response.WriteAsync(answer.ToJsonString());
        });
    }

    private IEnumerable<FakeInstance> Of(HttpContext context)
    {
        bool Fits(string key, string value) => context.Request.RouteValues[key] is not string asked || asked == value;
        return Instances.Where(entry => Fits("study", entry.Study) && Fits("series", entry.Series) && Fits("instance", entry.Instance));
    }

    private async Task PageAsync(HttpContext context, IEnumerable<JsonObject> matches)
    {
        int Asked(string key) => int.Parse(context.Request.Query[key].ToString(), CultureInfo.InvariantCulture);
        context.Response.ContentType = "application/dicom+json";
        var page = matches.Skip(IgnoresOffset ? 0 : Asked("offset")).Take(Math.Min(PageCap, Asked("limit")));
        await context.Response.WriteAsync(new JsonArray([.. page]).ToJsonString());
    }

    private static JsonObject StudyJson(IGrouping<string, FakeInstance> study) => new()
    {
        ["0020000D"] = Value("UI", study.Key),
        ["00080061"] = Value("CS", [.. study.Select(entry => entry.Modality).Distinct()]),
    };

    private static JsonObject SeriesJson((string Uid, string Modality) series) => new()
    {
        ["0020000E"] = Value("UI", series.Uid),
        ["00080060"] = Value("CS", series.Modality),
    };

    private static JsonObject Value(string vr, params string[] values) =>
        new() { ["vr"] = vr, ["Value"] = new JsonArray([.. values.Select(value => JsonValue.Create(value))]) };
}
