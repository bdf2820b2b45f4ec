using System.Text;
using System.Text.Json.Nodes;
using FedSeg.Importer.Pacs;
using FedSeg.Testing;
using Microsoft.AspNetCore.Http;

namespace FedSeg.Importer.Tests.Pacs;

public sealed class PacsClientTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private FakePacs _pacs = null!;
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _pacs = await FakePacs.StartAsync();
        for (var study = 1; study <= 5; study++) _pacs.Add(FakeInstance.Create(study, 1, 1));
    }

    public async ValueTask DisposeAsync()
    {
        await _pacs.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(100, int.MaxValue)]
    [InlineData(2, int.MaxValue)]
    [InlineData(100, 2)]
    [InlineData(1, 1)]
    public async Task FindStudies_AnyPageSizeAndCap_FindsEachStudyOnce(int pageSize, int cap)
    {
        _pacs.PageCap = cap;

        var found = await Client(options => options.PageSize = pageSize).FindStudiesAsync([], Cancellation);

        Assert.Equal(_pacs.Instances.Select(entry => entry.Study), found.Select(match => match.Study.Value));
    }

    [Fact]
    public async Task FindStudies_ServerThatIgnoresTheOffset_Ends()
    {
        _pacs.IgnoresOffset = true;

        Assert.Equal(5, (await Client().FindStudiesAsync([], Cancellation)).Count);
        Assert.Equal(2, _pacs.Requests.Count);
    }

    [Fact]
    public async Task FindStudies_MoreThanTheLimit_IsRefused() =>
        Assert.Equal(
            PacsFault.LimitExceeded,
            await FaultAsync(client => client.FindStudiesAsync([], Cancellation), options => options.MaximumStudies = 4));

    [Fact]
    public async Task FindStudies_ValuesOfAFilter_AreEscaped()
    {
        await Client().FindStudiesAsync([new("StudyDescription", "a&b=*ü c/../d?")], Cancellation);

        Assert.StartsWith("/dicom-web/studies?StudyDescription=a%26b%3D%2A%C3%BC%20c%2F..%2Fd%3F&limit=", _pacs.Requests.First());
    }

    [Theory]
    [InlineData(302, nameof(PacsFault.Redirected), 1)]
    [InlineData(308, nameof(PacsFault.Redirected), 1)]
    [InlineData(401, nameof(PacsFault.AccessDenied), 1)]
    [InlineData(403, nameof(PacsFault.AccessDenied), 1)]
    [InlineData(404, nameof(PacsFault.NotFound), 1)]
    [InlineData(400, nameof(PacsFault.UnexpectedAnswer), 1)]
    [InlineData(429, nameof(PacsFault.Busy), 3)]
    [InlineData(503, nameof(PacsFault.Busy), 3)]
    public async Task FindStudies_Status_IsAFaultAndOnlyWhatMayPassIsRepeated(int status, string fault, int requests)
    {
        await using var elsewhere = await FakePacs.StartAsync();
        _pacs.Intervene = context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = elsewhere.Address + "/studies";
            return Task.FromResult(true);
        };

        Assert.Equal(fault, (await FaultAsync(client => client.FindStudiesAsync([], Cancellation))).ToString());
        Assert.Equal(requests, _pacs.Requests.Count);
        Assert.Empty(elsewhere.Requests);
    }

    [Fact]
    public async Task FindStudies_BusyOnceAndThenNot_Succeeds()
    {
        _pacs.Intervene = context =>
        {
            if (_pacs.Requests.Count > 1) return Task.FromResult(false);
            context.Response.StatusCode = 503;
            context.Response.Headers.RetryAfter = "0";
            return Task.FromResult(true);
        };

        Assert.Equal(5, (await Client().FindStudiesAsync([], Cancellation)).Count);
    }

    [Theory]
    [InlineData("application/dicom+json", "[{")]
    [InlineData("application/dicom+json", "[{\"0020000D\":{\"vr\":\"UI\",\"Value\":[\"../../etc\"]}}]")]
    [InlineData("application/dicom+json", "[{\"0020000D\":{\"vr\":\"UI\"}}]")]
    [InlineData("application/dicom+json", "[1]")]
    [InlineData("text/html", "<p>Welcome</p>")]
    public async Task FindStudies_AnswerThatIsNoDicomJson_IsRefusedWithoutQuotingIt(string contentType, string body)
    {
        _pacs.Intervene = async context =>
        {
            context.Response.ContentType = contentType;
            await context.Response.WriteAsync(body, Cancellation);
            return true;
        };

        var failure = await Assert.ThrowsAsync<PacsException>(() => Client().FindStudiesAsync([], Cancellation));

        Assert.Equal(PacsFault.UnexpectedAnswer, failure.Fault);
        Assert.DoesNotContain("etc", failure.Message);
    }

    [Fact]
    public async Task FindStudies_ServerThatSaysNothing_IsSilent()
    {
        _pacs.Intervene = async context =>
        {
            await Task.Delay(TimeSpan.FromMinutes(5), TimeProvider.System, context.RequestAborted);
            return true;
        };

        Assert.Equal(
            PacsFault.Silent,
            await FaultAsync(
                client => client.FindStudiesAsync([], Cancellation),
                options => (options.SilenceSeconds, options.Retries) = (1, 1)));
    }

    [Fact]
    public async Task FindStudies_NobodyListens_IsUnreachable()
    {
        await _pacs.DisposeAsync();

        Assert.Equal(PacsFault.Unreachable, await FaultAsync(client => client.FindStudiesAsync([], Cancellation)));
        _pacs = await FakePacs.StartAsync();
    }

    [Fact]
    public async Task FindStudies_WithAPasswordFile_SendsBasicAuthentication()
    {
        var password = _folder.Write("password", "geheim\n");

        await Client(options => (options.UserName, options.PasswordFile) = ("fedseg", password)).FindStudiesAsync([], Cancellation);

        Assert.All(_pacs.Authorisations, header => Assert.Equal("Basic " + Convert.ToBase64String("fedseg:geheim"u8), header));
    }

    [Theory]
    [InlineData(200, "00081199", null, typeof(StoreVerdict.Stored))]
    [InlineData(202, "00081198", 0xA700, typeof(StoreVerdict.Failed))]
    [InlineData(409, "00081198", 0xC122, typeof(StoreVerdict.Failed))]
    public async Task Store_Answer_IsUnderstood(int status, string sequence, int? reason, Type verdict)
    {
        var instance = FakeInstance.Create(9, 1, 1, "SEG", paddingBytes: 100_000);
        await File.WriteAllBytesAsync(_folder["seg.dcm"], instance.Bytes, Cancellation);
        _pacs.StoreAnswer = () => (status, Answer(sequence, instance.Instance, reason));

        var answer = await Client().StoreAsync(_folder["seg.dcm"], Cancellation);

        Assert.True(Uid.TryParse(instance.Instance, out var uid));
        Assert.IsType(verdict, answer.VerdictOn(uid));
        if (answer.VerdictOn(uid) is StoreVerdict.Failed failed) Assert.Equal(reason, failed.Reason);
        Assert.Contains("Content-Type: application/dicom", _pacs.Stored.Single());
        Assert.Contains(Encoding.Latin1.GetString(instance.Bytes), _pacs.Stored.Single());
    }

    internal static JsonArray Answer(string sequence, string instance, int? reason)
    {
        var item = new JsonObject { ["00081155"] = new JsonObject { ["vr"] = "UI", ["Value"] = new JsonArray(instance) } };
        if (reason is { } code) item["00081197"] = new JsonObject { ["vr"] = "US", ["Value"] = new JsonArray(code) };
        return [new JsonObject { [sequence] = new JsonObject { ["vr"] = "SQ", ["Value"] = new JsonArray(item) } }];
    }

    private PacsClient Client(Action<PacsOptions>? change = null)
    {
        var options = new PacsOptions { Address = _pacs.Address, Retries = 2, RetryDelaySeconds = 0.01 };
        change?.Invoke(options);
        return new PacsClient(PacsConnection.Create(options), options, TimeProvider.System);
    }

    private async Task<PacsFault> FaultAsync(Func<PacsClient, Task> act, Action<PacsOptions>? change = null) =>
        (await Assert.ThrowsAsync<PacsException>(() => act(Client(change)))).Fault;
}
