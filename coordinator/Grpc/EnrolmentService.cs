using FedSeg.Coordinator.Ledgers;
using FedSeg.Coordinator.Operations;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Enrolment;
using FedSeg.Protocol.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Grpc;

/// <summary>
/// The door for sites that have no certificate yet. Open to anybody who reaches it; nothing is behind it without a token, and nothing is given without a person's word. Only who
/// holds a real token can put a line into the ledger: a stranger's guesses are in the log and the metrics alone.
/// </summary>
[AllowAnonymous]
internal sealed partial class EnrolmentService(
    IOptions<CoordinatorOptions> options, FederationTrust trust, CoordinatorLedger ledger, CoordinatorTelemetry telemetry, TimeProvider time, ILogger<EnrolmentService> logger)
    : Protocol.V1.Enrolment.EnrolmentBase
{
    /// <summary>Bytes of a message of somebody whom nobody knows: a request for a certificate has a few hundred, a token 43.</summary>
    public const int LongestMessage = 8 << 10;

    private readonly EnrolmentBook _book = new(options.Value.Enrolment.Issuing, time);

    public override Task<AuthorityReply> GetAuthority(AuthorityQuery request, ServerCallContext context) =>
        Task.FromResult(new AuthorityReply { Certificate = string.Join('\n', trust.Roots.Select(root => root.ExportCertificatePem())) });

    public override async Task<EnrolReply> Enrol(EnrolRequest request, ServerCallContext context)
    {
        switch (_book.Present(request.Site, request.Token, request.CertificateRequest))
        {
            case EnrolmentAnswer.Waiting waiting:
                if (waiting.IsNew)
                {
                    LogRequested(request.Site, waiting.Key);
                    await ledger.NoteIdentityAsync(IdentityEvent.EnrolmentRequested, request.Site, new KeyValuePair<string, string>("key", waiting.Key));
                }

                return new EnrolReply { WaitingKey = waiting.Key };
            case EnrolmentAnswer.Enrolled enrolled:
                if (enrolled.IsNew)
                {
                    var thumbprint = MutualTls.ThumbprintOfPem(enrolled.Certificate);
                    LogEnrolled(request.Site, thumbprint);
                    await ledger.NoteIdentityAsync(IdentityEvent.SiteEnrolled, request.Site, new KeyValuePair<string, string>("certificate", thumbprint));
                }

                return new EnrolReply { Certificate = enrolled.Certificate };
            case EnrolmentAnswer.Refused refused:
                telemetry.EnrolmentRefused(refused.Reason);
                LogRefused(refused.MadeFor ?? "nobody", refused.Reason, context.Peer);
                if (refused.MadeFor is { } site)
                {
                    await ledger.NoteIdentityAsync(IdentityEvent.EnrolmentRefused, site, new KeyValuePair<string, string>("reason", refused.Reason.ToString()));
                }

                return new EnrolReply { Refusal = refused.Reason.ToString() };
            case var other:
                throw new InvalidOperationException($"A book of enrolments does not answer {other.GetType().Name}.");
        }
    }

    [LoggerMessage(230, LogLevel.Warning, "Site {Site} asks for a certificate; compare its key {Key} with what the site shows, then: fedseg provision confirm")]
    private partial void LogRequested(string site, string key);

    [LoggerMessage(231, LogLevel.Information, "Site {Site} is enrolled with certificate {Thumbprint}")]
    private partial void LogEnrolled(string site, string thumbprint);

    [LoggerMessage(232, LogLevel.Warning, "Refused an enrolment with a token made for {Site}: {Reason}, from {Peer}")]
    private partial void LogRefused(string site, EnrolmentRefusal reason, string peer);
}
