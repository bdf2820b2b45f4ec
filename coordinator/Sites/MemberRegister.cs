using FedSeg.Hosting.Certificates;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Sites;

/// <summary>
/// The federation's registers as the coordinator sees them, the authority's and those of issuing authorities if there are any: read again whenever a file changes, so a
/// new or revoked member counts at the next call.
/// </summary>
internal sealed partial class MemberRegister(IOptions<CoordinatorOptions> options, ILogger<MemberRegister> logger)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (DateTime Version, FederationRegister Register)> _read = [];

    /// <summary>The register now.</summary>
    public FederationRegister Current
    {
        get
        {
            var settings = options.Value;
            lock (_gate)
            {
                var issued = settings.Enrolment.Authorities.SelectMany(folder => Read(Path.Combine(folder, FederationAuthority.RegisterFile)).Members);
                return new FederationRegister(Read(settings.Register).Members.AddRange(issued));
            }
        }
    }

    private FederationRegister Read(string path)
    {
        var version = File.GetLastWriteTimeUtc(path);
        if (_read.TryGetValue(path, out var read) && read.Version == version) return read.Register;
        try
        {
            var register = FederationRegister.Load(path);
            _read[path] = (version, register);
            return register;
        }
        catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            // Deny by default: without a readable register nobody in it is a member. A file that comes back with its old time of writing is read again all the same.
            LogUnreadable(path, error.Message);
            _read.Remove(path);
            return FederationRegister.Empty;
        }
    }

    [LoggerMessage(201, LogLevel.Error, "Could not read the register {Path}, so nobody in it is let in: {Problem}")]
    private partial void LogUnreadable(string path, string problem);
}
