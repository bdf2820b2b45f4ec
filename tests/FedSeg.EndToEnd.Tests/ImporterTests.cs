using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;

namespace FedSeg.EndToEnd.Tests;

/// <summary>
/// From a real PACS to a trained model and back: Orthanc, the importer's process, killed once, the trainer's engine on what it brought, and
/// what its model predicted stored beside the images.
/// </summary>
public sealed class ImporterTests(PhantomCohorts phantoms) : IDisposable
{
    private const int Cases = 5;
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("fedseg-e2e-importer-");
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _work.Delete(recursive: true);

    [Fact]
    public async Task Importer_KilledAndResumed_BringsACohortThatTrainsAndStoresASegmentation()
    {
        await using var pacs = await OrthancServer.StartAsync(Cancellation);
        var files = Source().Select(folder => Directory.GetFiles(folder, "*", SearchOption.AllDirectories)).ToArray();
        // The last study's segmentation is not there yet, so it makes no case.
        var withheld = files[^1].Single(IsSegmentation);
        await pacs.StoreAsync(files.SelectMany(paths => paths).Except([withheld]), Cancellation);
        var labelled = files[..^1].Sum(paths => paths.Length);
        var importer = new ImporterProcess(_work.FullName);

        var already = await KillInTheMiddleAsync(
            importer,
            pacs,
            bytes: files[..^1].SelectMany(paths => paths).Sum(path => new FileInfo(path).Length) / 2);
        Assert.InRange(already, 1, labelled - 1);
        AssertOnlyWholeCases(importer, files);

        var resumed = await importer.RunAsync(pacs.HttpPort, Cancellation, "import");
        Assert.True(resumed.ExitCode == 0, resumed.Output + resumed.Error);
        Assert.Equal(labelled - already, importer.Report.GetProperty("instances").GetProperty("fetched").GetInt32());
        Assert.Equal(1, importer.Report.GetProperty("studies").GetProperty("skipped").GetProperty("NoSegmentation").GetInt32());
        Assert.Equal(Cases - 1, Directory.GetDirectories(importer.Cohort).Length);
        AssertOnlyWholeCases(importer, files);
        AssertTellsNothing(resumed.Output + resumed.Error);

        var model = Path.Combine(_work.FullName, "model.safetensors");
        var trained = await FedsegCommand.RunAsync(
            Cancellation, "train", "--data", importer.Data, "--out", model, "--steps", "2", "--json");
        Assert.True(trained.ExitCode == 0, trained.Error);
        Assert.Equal(2, trained.Json.GetProperty("steps").GetInt32());

        var predicted = Path.Combine(_work.FullName, "predicted.dcm");
        var segmented = await FedsegCommand.RunAsync(
            Cancellation, "predict", "--model", model, "--input", Path.GetDirectoryName(withheld)!, "--out", predicted, "--json");
        Assert.True(segmented.ExitCode == 0, segmented.Error);
        await PushAsync(importer, pacs, predicted);
        // A prediction that comes back from the PACS is no reference to learn from.
        var unlabelled = await importer.RunAsync(pacs.HttpPort, Cancellation, "import");
        Assert.True(unlabelled.ExitCode == 0, unlabelled.Output + unlabelled.Error);
        Assert.Equal(1, importer.Report.GetProperty("studies").GetProperty("skipped").GetProperty("NoSegmentation").GetInt32());

        await PushAsync(importer, pacs, withheld);
        var completed = await importer.RunAsync(pacs.HttpPort, Cancellation, "import");
        Assert.True(completed.ExitCode == 0, completed.Output + completed.Error);
        Assert.Equal(1, importer.Report.GetProperty("studies").GetProperty("imported").GetInt32());
        Assert.Equal(Cases - 1, importer.Report.GetProperty("studies").GetProperty("unchanged").GetInt32());
        Assert.Equal(Cases, Directory.GetDirectories(importer.Cohort).Length);
    }

    /// <summary>Stores a segmentation by the importer's command, and asks the PACS whether it has it.</summary>
    private static async Task PushAsync(ImporterProcess importer, OrthancServer pacs, string file)
    {
        var pushed = await importer.RunAsync(pacs.HttpPort, Cancellation, "push", file);
        Assert.True(pushed.ExitCode == 0, pushed.Output + pushed.Error);
        Assert.Equal(1, (await pacs.QueryAsync($"instances?SOPInstanceUID={InstanceOf(file)}", Cancellation)).GetArrayLength());
    }

    /// <summary>Lets so many bytes of answers pass, kills the process with SIGKILL, and says how many instances it had by then.</summary>
    private static async Task<int> KillInTheMiddleAsync(ImporterProcess importer, OrthancServer pacs, long bytes)
    {
        await using var proxy = new StallingProxy(pacs.HttpPort, bytes);
        using var process = importer.Start(proxy.Port, "import");
        await Task.WhenAny(proxy.Stalled, process.WaitForExitAsync(Cancellation));
        Assert.False(process.HasExited, "The importer ended before it could be killed.");
        // What had arrived is written out; then nothing moves.
        var before = -1;
        while (importer.FilesOnDisk is var now && now != before)
        {
            before = now;
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, Cancellation);
        }

        process.Kill();
        await process.WaitForExitAsync(Cancellation);
        return importer.FilesOnDisk;
    }

    /// <summary>Every case in the cohort has all the files of one source case.</summary>
    private static void AssertOnlyWholeCases(ImporterProcess importer, string[][] files)
    {
        var whole = files.ToDictionary(
            paths => DicomFile.OpenHeader(paths[0]).DataSet.RequiredText(Tags.StudyInstanceUid),
            paths => paths.Select(InstanceOf).Order().ToArray());
        foreach (var folder in Directory.Exists(importer.Cohort) ? Directory.GetDirectories(importer.Cohort) : [])
        {
            var imported = Directory.GetFiles(folder);
            Assert.Equal(
                whole[DicomFile.OpenHeader(imported[0]).DataSet.RequiredText(Tags.StudyInstanceUid)], imported.Select(InstanceOf).Order());
        }
    }

    private static void AssertTellsNothing(string log)
    {
        Assert.DoesNotContain("canary", log, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(PhantomCohorts.Canary, log);
        Assert.DoesNotMatch(@"\d+\.\d+\.\d+\.\d+\.\d+", log.Replace("127.0.0.1", ""));
    }

    /// <summary>Case folders of a real hospital where the shared data are, of a phantom one elsewhere.</summary>
    private IEnumerable<string> Source()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "FedSeg.sln"))) root = root.Parent;
        var real = Path.Combine(root!.FullName, "..", "shared", "data", "hippocampus", "north");
        var site = Directory.Exists(real) ? real : phantoms.Sites.Values.First();
        return Directory.GetDirectories(site).Order(StringComparer.Ordinal).Take(Cases);
    }

    private static bool IsSegmentation(string path) => DicomFile.OpenHeader(path).DataSet.Text(Tags.Modality) == "SEG";

    private static string InstanceOf(string path) => DicomFile.OpenHeader(path).DataSet.RequiredText(Tags.SopInstanceUid);
}
