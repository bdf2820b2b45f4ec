using FedSeg.Coordinator.Sites;
using FedSeg.Hosting.Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Tests.Sites;

public sealed class MemberRegisterTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedseg-register-");
    private readonly MemberRegister _register;
    private DateTime _written = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public MemberRegisterTests() =>
        _register = new MemberRegister(Options.Create(new CoordinatorOptions { Register = FilePath }), NullLogger<MemberRegister>.Instance);

    private string FilePath => Path.Combine(_folder.FullName, "register.json");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Current_ChangedFile_IsReadAgain()
    {
        Write("aa");
        Assert.NotNull(_register.Current.Find("aa"));

        Write("bb");

        Assert.Null(_register.Current.Find("aa"));
        Assert.NotNull(_register.Current.Find("bb"));
    }

    [Fact]
    public void Current_NoFile_LetsNobodyIn() => Assert.Empty(_register.Current.Members);

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("")]
    public void Current_UnreadableFileAfterAGoodOne_LetsNobodyIn(string text)
    {
        Write("aa");
        Assert.NotNull(_register.Current.Find("aa"));

        File.WriteAllText(FilePath, text);

        Assert.Empty(_register.Current.Members);
    }

    [Fact]
    public void Current_FileThatWasAwayAndComesBackAsItWas_LetsItsMembersInAgain()
    {
        Write("aa");
        Assert.NotNull(_register.Current.Find("aa"));
        File.Move(FilePath, FilePath + ".away");
        Assert.Null(_register.Current.Find("aa"));

        File.Move(FilePath + ".away", FilePath);

        Assert.NotNull(_register.Current.Find("aa"));
    }

    private void Write(string thumbprint)
    {
        FederationRegister.Empty.With(new RegisterEntry(MemberKind.Site, "north", PersonRole.None, thumbprint, DateTimeOffset.UnixEpoch)).Save(FilePath);
        // Two writes within the clock's tick would look like one.
        _written += TimeSpan.FromSeconds(1);
        File.SetLastWriteTimeUtc(FilePath, _written);
    }
}
