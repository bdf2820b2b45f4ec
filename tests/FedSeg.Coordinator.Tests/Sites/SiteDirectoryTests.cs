using FedSeg.Coordinator.Sites;
using Microsoft.Extensions.Logging.Abstractions;

namespace FedSeg.Coordinator.Tests.Sites;

public sealed class SiteDirectoryTests
{
    [Fact]
    public void Leave_ConnectionThatWasTakenOver_KeepsTheNewOne()
    {
        var sites = new SiteDirectory(NullLogger<SiteDirectory>.Instance);
        var first = new Attendance("0.1.0", ["kidney"], true);
        var second = new Attendance("0.1.0", ["kidney"], true);
        sites.Enter(CoordinatorOnDisk.North, first);
        sites.Enter(CoordinatorOnDisk.North, second);

        sites.Leave(CoordinatorOnDisk.North, first);
        Assert.Same(second, sites.Find(CoordinatorOnDisk.North));

        sites.Leave(CoordinatorOnDisk.North, second);
        Assert.Null(sites.Find(CoordinatorOnDisk.North));
    }
}
