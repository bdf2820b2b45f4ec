namespace FedSeg.Dicom.Tests;

/// <summary>The small files that are kept beside these tests; <c>Corpus/make.py</c> tells how they came about.</summary>
internal static class Corpus
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Corpus");

    public static string PathOf(string name) => Path.Combine(Folder, name + ".dcm");

    public static byte[] Read(string name) => File.ReadAllBytes(PathOf(name));
}
