using FedSeg.Importer.Imports;
using Microsoft.AspNetCore.Http;

namespace FedSeg.Importer.Tests.Imports;

public sealed class CohortImportTests : IAsyncLifetime
{
    private FakePacs _pacs = null!;
    private ImporterOnDisk _importer = null!;

    public async ValueTask InitializeAsync()
    {
        _pacs = await FakePacs.StartAsync();
        for (var number = 1; number <= 6; number++) _pacs.Add(FakeInstance.Create(1, 1, number));
        _pacs.Add(FakeInstance.Create(1, 2, 1, "SEG"));
        _importer = new ImporterOnDisk(_pacs);
    }

    public async ValueTask DisposeAsync()
    {
        await _pacs.DisposeAsync();
        _importer.Dispose();
    }

    [Fact]
    public async Task RunAsync_NewStudy_PublishesItsFilesByteForByteUnderNamesThatTellNothing()
    {
        var report = await _importer.ImportAsync();

        Assert.True(report.Succeeded);
        Assert.Equal((1, 7, 0), (report.Studies.Imported, report.Instances.Fetched, report.Instances.Reused));
        var files = Directory.GetFiles(_importer.Case(_pacs.Instances[0]).Published);
        Assert.Equal(
            _pacs.Instances.Select(entry => Convert.ToHexString(entry.Bytes)).Order(),
            files.Select(file => Convert.ToHexString(File.ReadAllBytes(file))).Order());
        Assert.All(
            files,
            file => Assert.Matches("^[0-9a-f]{32}/[0-9a-f]{32}[.]dcm$", Path.GetRelativePath(_importer.Options.CohortDirectory, file)));
        Assert.Empty(Directory.GetFiles(_importer.DataPath("incoming")));
    }

    [Fact]
    public async Task RunAsync_NothingNew_RetrievesNothing()
    {
        await _importer.ImportAsync();
        _pacs.Requests.Clear();

        var report = await _importer.ImportAsync();

        Assert.Equal((0, 1), (report.Studies.Imported, report.Studies.Unchanged));
        Assert.All(_pacs.Requests, request => Assert.Contains("limit=", request));
    }

    [Fact]
    public async Task RunAsync_SeriesCutInTheMiddle_FetchesOnlyTheRestOneByOne()
    {
        _pacs.Intervene = context => CutSeriesAfterAsync(context, parts: 4);

        var report = await _importer.ImportAsync();

        Assert.True(report.Succeeded);
        // The fifth part was on its way when the connection ended; the single segmentation is never asked for as a series.
        Assert.Equal([.. _pacs.Instances.Skip(4).Select(entry => entry.Instance).Order()], _pacs.SingleRetrievals.Order());
    }

    [Fact]
    public async Task RunAsync_AfterAnInterruption_GoesOnWithTheMissingInstancesOnly()
    {
        using var killed = new CancellationTokenSource();
        _pacs.Intervene = async context =>
        {
            if (IsSingle(context))
            {
                await killed.CancelAsync();
                context.Abort();
                return true;
            }

            return await CutSeriesAfterAsync(context, parts: 3);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _importer.Import().RunAsync(killed.Token));
        Assert.Empty(_importer.Cases);
        _pacs.Requests.Clear();
        _pacs.Intervene = _ => Task.FromResult(false);

        var report = await _importer.ImportAsync();

        Assert.Equal((4, 3), (report.Instances.Fetched, report.Instances.Reused));
        // A request of the killed run may reach the archive late, so one may be there twice.
        Assert.Equal([.. _pacs.Instances.Skip(3).Select(entry => entry.Instance).Order()], _pacs.SingleRetrievals.Distinct().Order());
        Assert.Equal([7], _importer.Cases.Values);
    }

    [Fact]
    public async Task RunAsync_WhileAStudyIsOnItsWay_TheCohortHasNoTraceOfIt()
    {
        var casesSeen = new List<int>();
        _pacs.Intervene = context =>
        {
            if (context.Request.Path.Value!.Contains("/series/", StringComparison.Ordinal)) casesSeen.Add(_importer.Cases.Count);
            return Task.FromResult(false);
        };

        await _importer.ImportAsync();

        Assert.True(casesSeen.Count > 2);
        Assert.All(casesSeen, cases => Assert.Equal(0, cases));
        Assert.Single(_importer.Cases);
    }

    public static TheoryData<string, byte[]> BadInstances { get; } = new()
    {
        { "NotDicom", "<html>no file</html>"u8.ToArray() },
        { "NotDicom", [] },
        { "Malformed", FakeInstance.Create(1, 1, 6).Bytes[..^3] },
        { "OtherInstance", FakeInstance.Create(1, 1, 99).Bytes },
        { "OtherStudy", FakeInstance.Create(2, 1, 6).Bytes },
    };

    [Theory]
    [MemberData(nameof(BadInstances))]
    public async Task RunAsync_InstanceThatFailsItsChecks_QuarantinesTheStudyWithTheReason(string fault, byte[] bytes)
    {
        var good = _pacs.Instances[5];
        _pacs.Instances[5] = good with { Bytes = bytes };

        var report = await _importer.ImportAsync();

        Assert.False(report.Succeeded);
        Assert.Equal([new(fault, 1)], report.Instances.Quarantined);
        Assert.Empty(_importer.Cases);
        Assert.StartsWith(fault + "-", Path.GetFileName(Assert.Single(Directory.GetFiles(_importer.Case(good).Quarantine))));

        _pacs.Instances[5] = good;
        var next = await _importer.ImportAsync();
        Assert.Equal((1, 6), (next.Instances.Fetched, next.Instances.Reused));
        Assert.False(Directory.Exists(_importer.Case(good).Quarantine));
    }

    [Fact]
    public async Task RunAsync_InstanceBeyondTheLimit_IsQuarantinedAsTooLarge()
    {
        _importer.Options.Pacs.MaximumInstanceBytes = 10_000;
        _pacs.Instances[2] = FakeInstance.Create(1, 1, 3, paddingBytes: 50_000);

        Assert.Equal([new("TooLarge", 1)], (await _importer.ImportAsync()).Instances.Quarantined);
        Assert.Empty(_importer.Cases);
    }

    [Fact]
    public async Task RunAsync_InstanceThatIsListedButNotServed_IsQuarantined()
    {
        _pacs.Intervene = context =>
            AnswerAsync(context, 404, path => path.EndsWith("/instances/" + _pacs.Instances[6].Instance, StringComparison.Ordinal));

        Assert.Equal([new("NotServed", 1)], (await _importer.ImportAsync()).Instances.Quarantined);
    }

    [Fact]
    public async Task RunAsync_InstanceListedTwice_IsFetchedOnce()
    {
        _pacs.Add(_pacs.Instances[0], _pacs.Instances[0] with { Series = _pacs.Instances[6].Series, Modality = "SEG" });

        var report = await _importer.ImportAsync();

        Assert.Equal(7, report.Instances.Fetched);
        Assert.Equal([7], _importer.Cases.Values);
    }

    [Fact]
    public async Task RunAsync_StudyThatGrewAndLostAnInstance_IsReplacedByExactlyWhatThePacsHas()
    {
        await _importer.ImportAsync();
        var lost = _pacs.Instances[0];
        _pacs.Instances.RemoveAt(0);
        _pacs.Add(FakeInstance.Create(1, 1, 7), FakeInstance.Create(1, 1, 8));
        _pacs.Requests.Clear();

        var report = await _importer.ImportAsync();

        Assert.Equal((2, 6), (report.Instances.Fetched, report.Instances.Reused));
        Assert.Equal(2, _pacs.SingleRetrievals.Count());
        Assert.Equal([8], _importer.Cases.Values);
        Assert.DoesNotContain(
            Directory.GetFiles(_importer.Case(lost).Published),
            file => File.ReadAllBytes(file).AsSpan().SequenceEqual(lost.Bytes));
        Assert.False(Directory.Exists(_importer.Case(lost).Replaced));
    }

    [Fact]
    public async Task RunAsync_KilledBetweenTheTwoRenamesOfAReplacement_PutsTheOldCaseBack()
    {
        await _importer.ImportAsync();
        var place = _importer.Case(_pacs.Instances[0]);
        Directory.CreateDirectory(_importer.DataPath("replaced"));
        Directory.Move(place.Published, place.Replaced);

        Assert.Equal(1, (await _importer.ImportAsync()).Studies.Unchanged);
        Assert.Equal([7], _importer.Cases.Values);
    }

    [Fact]
    public async Task RunAsync_StudyWithoutSegmentation_IsSkippedWithTheReason()
    {
        _pacs.Instances.RemoveAt(6);

        var report = await _importer.ImportAsync();

        Assert.True(report.Succeeded);
        Assert.Equal([new("NoSegmentation", 1)], report.Studies.Skipped);
        Assert.Empty(_importer.Cases);
    }

    [Fact]
    public async Task RunAsync_PacsThatAnswersWithOtherStudies_LeavesThemOut()
    {
        _pacs.Add(FakeInstance.Create(2, 1, 1, "CT"), FakeInstance.Create(2, 2, 1, "SEG"));

        var report = await _importer.ImportAsync();

        Assert.Equal((1, 1), (report.Studies.Found, report.Studies.OutsideSelection));
        Assert.Single(_importer.Cases);
    }

    [Fact]
    public async Task RunAsync_PacsThatGoesDown_StopsAfterThreeStudiesAndSaysSo()
    {
        for (var study = 2; study <= 6; study++) _pacs.Add(FakeInstance.Create(study, 1, 1), FakeInstance.Create(study, 2, 1, "SEG"));
        _pacs.Intervene = context => AnswerAsync(context, 503, path => path.Contains("/series", StringComparison.Ordinal));

        var report = await _importer.ImportAsync();

        Assert.False(report.Complete);
        Assert.Equal([new("Busy", 3)], report.Studies.Postponed);
    }

    [Fact]
    public async Task RunAsync_StudyThatIsNoLongerSelected_LosesItsUnfinishedFilesButNotItsCase()
    {
        await _importer.ImportAsync();
        Directory.CreateDirectory(_importer.DataPath("staging", "0123"));
        Directory.CreateDirectory(_importer.DataPath("quarantine", "0123"));
        _pacs.Instances.Clear();

        await _importer.ImportAsync();

        Assert.Empty(Directory.GetDirectories(_importer.DataPath("staging")));
        Assert.Empty(Directory.GetDirectories(_importer.DataPath("quarantine")));
        Assert.Single(_importer.Cases);
    }

    [Fact]
    public async Task RunAsync_AnotherImporterAtWork_IsRefused()
    {
        using var other = _importer.Cohort.Lock();

        Assert.Contains("Another importer", (await Assert.ThrowsAsync<IOException>(() => _importer.ImportAsync())).Message);
    }

    [Fact]
    public async Task Report_HoldsCountsAndCodesOnly()
    {
        await _importer.ImportAsync();

        var written = await File.ReadAllTextAsync(_importer.DataPath("report.json"), TestContext.Current.CancellationToken);
        Assert.Contains("\"fetched\": 7", written);
        Assert.DoesNotContain("1.2.826", written);
        Assert.DoesNotContain("Canary", written);
    }

    private static Task<bool> AnswerAsync(HttpContext context, int status, Func<string, bool> concerns)
    {
        var concerned = concerns(context.Request.Path.Value!);
        if (concerned) context.Response.StatusCode = status;
        return Task.FromResult(concerned);
    }

    private static bool IsSingle(HttpContext context) => context.Request.Path.Value!.Contains("/instances/", StringComparison.Ordinal);

    /// <summary>
    /// Sends some parts of a series and half of the next, and says that this was all. (An abort could take back bytes that the importer has
    /// not read yet.)
    /// </summary>
    private async Task<bool> CutSeriesAfterAsync(HttpContext context, int parts)
    {
        var path = context.Request.Path.Value!;
        if (!path.Contains("/series/", StringComparison.Ordinal) || path.Contains("/instances", StringComparison.Ordinal)) return false;
        await FakePacs.WriteMultipartAsync(
            context.Response,
            _pacs.Instances.Take(parts).Select(entry => entry.Bytes),
            cutInto: _pacs.Instances[parts].Bytes);
        return true;
    }
}
