using FedSeg.Hosting.Certificates;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Sites;

/// <summary>The federation's register as the coordinator sees it: read again whenever the file changes, so a new or revoked member counts at the next call.</summary>
internal sealed partial class MemberRegister(IOptions<CoordinatorOptions> options, ILogger<MemberRegister> logger)
{
    private readonly Lock _gate = new();
    private FederationRegister _register = FederationRegister.Empty;
    private DateTime _readVersion;

    /// <summary>The register now.</summary>
    public FederationRegister Current
    {
        get
        {
            lock (_gate)
            {
                var version = File.GetLastWriteTimeUtc(options.Value.Register);
                if (version == _readVersion) return _register;
                try
                {
                    _register = FederationRegister.Load(options.Value.Register);
                    _readVersion = version;
                }
                catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
                {
                    // Deny by default: without a readable register nobody is a member.
                    LogUnreadable(options.Value.Register, error.Message);
                    _register = FederationRegister.Empty;
                    // A file that comes back with its old time of writing is read again all the same.
                    _readVersion = default;
                }

                return _register;
            }
        }
    }

    [LoggerMessage(201, LogLevel.Error, "Could not read the register {Path}, so nobody is let in: {Problem}")]
    private partial void LogUnreadable(string path, string problem);
}
