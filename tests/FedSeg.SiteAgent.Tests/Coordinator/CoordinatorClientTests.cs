using System.Reflection;
using FedSeg.Egress.Blind;
using FedSeg.Egress.Notices;
using FedSeg.Egress.Outbox;
using FedSeg.Federation.Identity;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Storage;
using FedSeg.SecureAggregation.Server;
using FedSeg.SiteAgent.Coordinator;

namespace FedSeg.SiteAgent.Tests.Coordinator;

public sealed class CoordinatorClientTests
{
    /// <summary>Whoever adds a way out changes this list, and has to say here what it can carry.</summary>
    [Fact]
    public void PublicMethods_Parameters_CanCarryNothingOutButWhatWasCleared()
    {
        var methods = MethodsOf(typeof(CoordinatorClient));

        Assert.Equal(["AttendAsync", "DownloadModelAsync", "SendAsync", "TellAsync", "TrySendAsync"], methods.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([typeof(ClearedUpdate)], methods["SendAsync"]);
        Assert.Equal([typeof(ClearedUpdate)], methods["TrySendAsync"]);
        Assert.Equal([typeof(ClearedNotice)], methods["TellAsync"]);
        // Asks for a model by digest and length; the path is where it is stored here.
        Assert.Equal([typeof(Sha256Digest), typeof(long), typeof(string)], methods["DownloadModelAsync"]);
        // The label names of the operator's settings, whether the trainer is isolated, and runs and rounds the coordinator itself named.
        Type[] attendance = [typeof(IEnumerable<string>), typeof(bool), typeof(IEnumerable<RunId>), typeof(IEnumerable<(RunId, int)>)];
        Assert.Equal(attendance, methods["AttendAsync"]);
    }

    /// <summary>Of the ledger only its signed checkpoints and hashes can leave; no method takes an entry or a text.</summary>
    [Fact]
    public void LedgerPeer_Parameters_CanCarryNothingOutButCheckpointsAndKeys()
    {
        var methods = MethodsOf(typeof(LedgerPeer));

        Assert.Equal(["AskToCosignAsync", "FetchCheckpointAsync", "GiveCosignedAsync"], methods.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([typeof(byte[]), typeof(LedgerReader), typeof(long)], methods["AskToCosignAsync"]);
        Assert.Equal([typeof(long)], methods["FetchCheckpointAsync"]);
        Assert.Equal([typeof(byte[]), typeof(SignedCheckpoint)], methods["GiveCosignedAsync"]);
    }

    /// <summary>Of a blind exchange only messages that the gate cleared can leave.</summary>
    [Fact]
    public void BlindPeer_Parameters_CanCarryNothingOutButWhatWasCleared()
    {
        var methods = MethodsOf(typeof(BlindPeer));

        Assert.Equal(["NextAsync", "OpenCredential", "SubmitAsync"], methods.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([typeof(ClearedStep)], methods["SubmitAsync"]);
        Assert.Equal([typeof(RunId), typeof(int), typeof(SumStage)], methods["NextAsync"]);
        Assert.Empty(methods["OpenCredential"]);
    }

    /// <summary>Asking for a new certificate says nothing but that.</summary>
    [Fact]
    public void CertificateRenewer_Methods_AreNone()
    {
        Assert.Empty(MethodsOf(typeof(CertificateRenewer)));
        Assert.Empty(Protocol.V1.RenewalRequest.Descriptor.Fields.InDeclarationOrder());
    }

    /// <summary>Nobody else can speak on the connection.</summary>
    [Fact]
    public void CoordinatorChannel_Holders_AreTheFour() => Assert.Equal(
        [typeof(BlindPeer), typeof(CertificateRenewer), typeof(CoordinatorClient), typeof(LedgerPeer)],
        typeof(CoordinatorChannel).Assembly.GetTypes()
            .Where(type => type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
                .Any(constructor => constructor.GetParameters().Any(parameter => parameter.ParameterType == typeof(CoordinatorChannel))))
            .Where(type => !type.IsDefined(typeof(System.Runtime.CompilerServices.CompilerGeneratedAttribute)))
            .OrderBy(type => type.Name, StringComparer.Ordinal));

    private static Dictionary<string, Type[]> MethodsOf(Type type) => type
        .GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        .Where(method => method.IsPublic || method.IsAssembly)
        .ToDictionary(
            method => method.Name,
            method => method.GetParameters().Select(parameter => parameter.ParameterType).Where(parameter => parameter != typeof(CancellationToken)).ToArray());

    [Theory]
    [InlineData(typeof(ClearedUpdate))]
    [InlineData(typeof(ClearedNotice))]
    [InlineData(typeof(ClearedStep))]
    public void ClearedTypes_Outsiders_CannotMakeOne(Type cleared)
    {
        Assert.True(cleared.IsSealed);
        Assert.Empty(cleared.GetConstructors());
    }
}
