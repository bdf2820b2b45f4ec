using System.Text.Json.Nodes;
using FedSeg.EndToEnd.Tests;
using FedSeg.Imaging.Phantoms;

[assembly: AssemblyFixture(typeof(PhantomCohorts))]

namespace FedSeg.EndToEnd.Tests;

/// <summary>Three phantom hospitals, written once for all tests. Every free text in them ends in <see cref="Canary"/>.</summary>
public sealed class PhantomCohorts : IDisposable
{
    /// <summary>A string that occurs nowhere but in the DICOM files.</summary>
    public const string Canary = "QZJXKANARY7";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fedseg-e2e-phantoms-");

    public PhantomCohorts()
    {
        var written = PhantomHospitals.Write(_directory.FullName, new PhantomOptions { Sites = 3, CasesPerSite = 12, TextSuffix = Canary });
        Sites = new SortedDictionary<string, string>(written.ToDictionary(site => site.Site, site => Path.Combine(_directory.FullName, site.Site)), StringComparer.Ordinal);
    }

    /// <summary>Data folder by site.</summary>
    public IReadOnlyDictionary<string, string> Sites { get; }

    /// <summary>How a site maps the federation's labels to the segments' names in these files.</summary>
    public static JsonObject Labels() => new()
    {
        [PhantomHospitals.Kidney] = new JsonArray(PhantomHospitals.Kidney + Canary),
        [PhantomHospitals.Tumour] = new JsonArray(PhantomHospitals.Tumour + Canary),
    };

    public void Dispose() => _directory.Delete(recursive: true);
}
