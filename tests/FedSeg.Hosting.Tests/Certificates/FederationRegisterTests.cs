using FedSeg.Hosting.Certificates;

namespace FedSeg.Hosting.Tests.Certificates;

public sealed class FederationRegisterTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Save_ThenLoad_KeepsEveryEntry()
    {
        var register = FederationRegister.Empty
            .With(new RegisterEntry(MemberKind.Site, "north", PersonRole.None, "aa", DateTimeOffset.UnixEpoch))
            .With(new RegisterEntry(MemberKind.Person, "ada", PersonRole.DataScientist, "bb", DateTimeOffset.UnixEpoch, Revoked: true));

        register.Save(_path);

        Assert.Equal(register.Members, FederationRegister.Load(_path).Members);
    }

    [Fact]
    public void Find_UnknownOrRevokedThumbprint_IsNobody()
    {
        var register = FederationRegister.Empty.With(new RegisterEntry(MemberKind.Site, "north", PersonRole.None, "aa", DateTimeOffset.UnixEpoch, Revoked: true));

        Assert.Null(register.Find("aa"));
        Assert.Null(register.Find("bb"));
    }

    [Theory]
    [InlineData("""{"members":[],"extra":1}""")]
    [InlineData("""{"members":[{"kind":"site","name":"north","role":"none","thumbprint":"aa","notAfter":"2030-01-01T00:00:00Z","admin":true}]}""")]
    [InlineData("""{"members":[{"kind":"king","name":"north","role":"none","thumbprint":"aa","notAfter":"2030-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"members":null}""")]
    [InlineData("""{"members":[null]}""")]
    [InlineData("{}")]
    [InlineData("""{"members":[{}]}""")]
    [InlineData("null")]
    [InlineData("")]
    public void Load_AnythingButARegister_IsRefused(string json)
    {
        File.WriteAllText(_path, json);

        Assert.Contains(_path, Assert.Throws<InvalidDataException>(() => FederationRegister.Load(_path)).Message);
    }
}
