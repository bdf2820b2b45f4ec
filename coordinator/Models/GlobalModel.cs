using System.Security.Cryptography;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;

namespace FedSeg.Coordinator.Models;

/// <summary>Makes and describes global models.</summary>
internal static class GlobalModel
{
    /// <summary>Writes a run's first model from the job's seed, once the job names its network; durable when this returns. The same job gives the same bytes anywhere.</summary>
    public static ModelRef CreateInitial(BlobStore blobs, RunId run, JobSpec job)
    {
        var incoming = blobs.IncomingPath("initial", run.ToString());
        return blobs.Adopt(incoming, WriteInitial(incoming, run, job));
    }

    /// <summary>The same model as a file of its own.</summary>
    /// <returns>SHA-256 of the file.</returns>
    public static Sha256Digest WriteInitial(string path, RunId run, JobSpec job)
    {
        var metadata = new ModelMetadata
        {
            Architecture = job.Architecture,
            Labels = job.Labels,
            Preprocessing = job.Preprocessing,
            Run = run,
            Round = 0,
        };
        return ModelInitializer.Write(path, ArchitectureCatalog.Manifest(job.Architecture), job.Seed, metadata.ToDictionary());
    }

    /// <summary>SHA-256 of a file.</summary>
    public static Sha256Digest Digest(string path)
    {
        using var stream = File.OpenRead(path);
        return Sha256Digest.FromHash(SHA256.HashData(stream));
    }
}
