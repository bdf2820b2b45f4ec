using FedSeg.Testing;
using System.Diagnostics;
using FedSeg.Imaging.Cases;

namespace FedSeg.Imaging.Tests.Cases;

public sealed class HippocampusTests(ITestOutputHelper output)
{
    /// <summary>Four real hospitals, four encodings: every case loads and each label has exactly the voxels that its source had.</summary>
    [Fact]
    public void Read_All180Cases_GivesUsableVolumesWithTheSourcesVoxelCounts()
    {
        var folder = SharedData.Folder("hippocampus");
        var rows = File.ReadAllLines(Path.Combine(folder, "cases.csv")).Skip(1).Select(line => line.Split(',')).ToList();
        var reader = new CaseReader();
        var vocabulary = LabelVocabulary.Of("Anterior hippocampus", "Posterior hippocampus");
        var watch = Stopwatch.StartNew();
        var wrong = new List<string>();
        var subjects = new Dictionary<string, string>();
        foreach (var row in rows)
        {
            switch (reader.Read(Path.Combine(folder, row[0], row[1]), vocabulary, TestContext.Current.CancellationToken))
            {
                case CaseOutcome.Usable { Case: var usable }:
                    var counts = $"{usable.Labels.Labels.Count(label => label == 1)},{usable.Labels.Labels.Count(label => label == 2)}";
                    if (counts != $"{row[3]},{row[4]}")
                    {
                        wrong.Add($"{row[1]}: {counts} instead of {row[3]},{row[4]}");
                    }

                    if (subjects.TryGetValue(row[2], out var key) && key != usable.PatientKey)
                    {
                        wrong.Add($"{row[1]}: another patient key for subject {row[2]}");
                    }

                    subjects[row[2]] = usable.PatientKey;
                    break;
                case CaseOutcome.Quarantined quarantined:
                    wrong.Add($"{row[1]}: {quarantined.Reason}: {quarantined.Detail}");
                    break;
            }
        }

        output.WriteLine($"{rows.Count} cases in {watch.Elapsed.TotalSeconds:0.0} s");
        Assert.Empty(wrong);
        Assert.Equal(180, rows.Count);
        Assert.Equal(subjects.Count, subjects.Values.Distinct().Count());
    }
}
