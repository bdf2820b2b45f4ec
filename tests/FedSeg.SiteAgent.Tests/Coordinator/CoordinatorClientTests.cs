using System.Reflection;
using FedSeg.Egress.Notices;
using FedSeg.Egress.Outbox;
using FedSeg.Federation.Identity;
using FedSeg.SiteAgent.Coordinator;

namespace FedSeg.SiteAgent.Tests.Coordinator;

public sealed class CoordinatorClientTests
{
    /// <summary>Whoever adds a way out changes this list, and has to say here what it can carry.</summary>
    [Fact]
    public void PublicMethods_Parameters_CanCarryNothingOutButWhatWasCleared()
    {
        var methods = typeof(CoordinatorClient)
            .GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            .Where(method => method.IsPublic || method.IsAssembly)
            .ToDictionary(method => method.Name, method => method.GetParameters().Select(parameter => parameter.ParameterType).Where(type => type != typeof(CancellationToken)).ToArray());

        Assert.Equal(["AttendAsync", "DeclineAsync", "Dispose", "DownloadModelAsync", "SendAsync"], methods.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([typeof(ClearedUpdate)], methods["SendAsync"]);
        Assert.Equal([typeof(ClearedNotice)], methods["DeclineAsync"]);
        // Asks for a model by digest and length; the path is where it is stored here.
        Assert.Equal([typeof(Sha256Digest), typeof(long), typeof(string)], methods["DownloadModelAsync"]);
        // The label names of the operator's settings, whether the trainer is isolated, and runs the coordinator itself named.
        Assert.Equal([typeof(IEnumerable<string>), typeof(bool), typeof(IEnumerable<RunId>)], methods["AttendAsync"]);
    }

    [Theory]
    [InlineData(typeof(ClearedUpdate))]
    [InlineData(typeof(ClearedNotice))]
    public void ClearedTypes_Outsiders_CannotMakeOne(Type cleared)
    {
        Assert.True(cleared.IsSealed);
        Assert.Empty(cleared.GetConstructors());
    }
}
