using FedSeg.Importer.Cohort;
using FedSeg.Importer.Imports;
using FedSeg.Importer.Pacs;
using FedSeg.Importer.Selection;
using FedSeg.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace FedSeg.Importer.Tests;

/// <summary>An importer with folders of its own, in front of a fake archive.</summary>
internal sealed class ImporterOnDisk : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ImporterOnDisk(FakePacs pacs) => Options = new ImporterOptions
    {
        Pacs = new PacsOptions { Address = pacs.Address, Retries = 1, RetryDelaySeconds = 0.01, Connections = 2 },
        Select = new SelectionOptions { Modalities = ["MR"] },
        CohortDirectory = _folder["cohort"],
        DataDirectory = _folder["data"],
    };

    public ImporterOptions Options { get; }

    public CohortFolder Cohort => new(Options.CohortDirectory, Options.DataDirectory);

    public string DataPath(params string[] names) => Path.Combine([Options.DataDirectory, .. names]);

    /// <summary>Files of each case in the cohort, by the case's name.</summary>
    public IReadOnlyDictionary<string, int> Cases => Directory.Exists(Options.CohortDirectory)
        ? Directory.GetDirectories(Options.CohortDirectory).ToDictionary(
            path => Path.GetFileName(path),
            path => Directory.GetFiles(path).Length)
        : [];

    public CaseFolder Case(FakeInstance instance) => Cohort.Case(UidOf(instance.Study));

    public static Uid UidOf(string text) =>
        Uid.TryParse(text, out var uid) ? uid : throw new ArgumentException("No identifier.", nameof(text));

    public Task<ImportReport> ImportAsync() => Import().RunAsync(TestContext.Current.CancellationToken);

    /// <summary>The importer as Startup.cs puts it together.</summary>
    public CohortImport Import()
    {
        var options = Microsoft.Extensions.Options.Options.Create(Options);
        var pacs = new PacsClient(PacsConnection.Create(Options.Pacs), Options.Pacs, TimeProvider.System);
        var selection = StudySelection.Of(Options.Select);
        var cohort = Cohort;
        return new CohortImport(
            pacs,
            selection,
            cohort,
            new StudyImport(pacs, cohort, selection, options),
            options,
            TimeProvider.System,
            NullLogger<CohortImport>.Instance);
    }

    public void Dispose() => _folder.Dispose();
}
