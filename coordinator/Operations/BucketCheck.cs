using FedSeg.Coordinator.Models;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FedSeg.Coordinator.Operations;

/// <summary>
/// Whether the bucket can be reached: without it no update is acknowledged and no model published. Where there is none, nothing is wrong
/// with it.
/// </summary>
internal sealed class BucketCheck(BlobStore blobs) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await Task.Run(blobs.CheckBucket, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (IOException error)
        {
            return HealthCheckResult.Unhealthy(error.Message);
        }
    }
}
