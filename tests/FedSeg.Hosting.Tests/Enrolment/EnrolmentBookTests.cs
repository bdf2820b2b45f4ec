using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Enrolment;
using FedSeg.Hosting.Tests.Certificates;

namespace FedSeg.Hosting.Tests.Enrolment;

public sealed class EnrolmentBookTests : IDisposable
{
    private readonly AuthorityOnDisk _root = new();
    private readonly FederationAuthority _issuing;
    private readonly EnrolmentBook _book;

    public EnrolmentBookTests()
    {
        _issuing = _root.Authority.CreateIssuing(_root.Path("issuing"), TimeSpan.FromDays(365));
        _book = new EnrolmentBook(_root.Path("issuing"), _root.Time);
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Present_NothingConfirmed_WaitsAndGivesNothing()
    {
        var (request, key) = Request();
        var token = _book.MakeToken("north", null);

        Assert.Equal(new EnrolmentAnswer.Waiting(key, IsNew: true), _book.Present("north", token, request));
        Assert.Equal(new EnrolmentAnswer.Waiting(key, IsNew: false), _book.Present("north", token, request));
        Assert.Equal(("north", key), (Assert.Single(_book.Waiting).Site, _book.Waiting[0].Key));
        Assert.Empty(Issued.Members);
    }

    [Fact]
    public void Present_KeyConfirmed_GivesACertificateForThatKeyAndSite()
    {
        var (request, key) = Request();
        var token = _book.MakeToken("north", key);
        _book.Present("north", token, request);

        Assert.True(_book.Confirm(_issuing, "north", key, TimeSpan.FromHours(24)));

        var enrolled = Assert.IsType<EnrolmentAnswer.Enrolled>(_book.Present("north", token, request));
        using var certificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(enrolled.Certificate);
        Assert.Equal(key, KeyFiles.Thumbprint(certificate.PublicKey));
        Assert.Equal("north", Issued.Find(MutualTls.Thumbprint(certificate))!.Name);
        Assert.Empty(_book.Waiting);
    }

    [Fact]
    public void Present_UsedToken_IsRefusedAlsoForTheSameKey()
    {
        var (request, key) = Request();
        var token = Enrol(request, key);

        Assert.Equal(new EnrolmentAnswer.Refused(EnrolmentRefusal.Used, "north"), _book.Present("north", token, Request().Pem));
        _root.Time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(new EnrolmentAnswer.Refused(EnrolmentRefusal.Used, "north"), _book.Present("north", token, request));
    }

    [Fact]
    public void Present_AnswerWasLost_GivesTheSameCertificateAgain()
    {
        var (request, key) = Request();
        var token = Enrol(request, key);

        Assert.False(Assert.IsType<EnrolmentAnswer.Enrolled>(_book.Present("north", token, request)).IsNew);
    }

    [Fact]
    public void Present_AQuarterOfAnHourLater_IsTooLate()
    {
        var token = _book.MakeToken("north", null);

        _root.Time.Advance(TimeSpan.FromMinutes(15) + TimeSpan.FromSeconds(1));

        Assert.Equal(new EnrolmentAnswer.Refused(EnrolmentRefusal.TooLate, "north"), _book.Present("north", token, Request().Pem));
    }

    [Fact]
    public void Confirm_ADayAfterItWasAsked_FindsNothingThatWaits()
    {
        var (request, key) = Request();
        var token = _book.MakeToken("north", null);
        _book.Present("north", token, request);

        _root.Time.Advance(EnrolmentBook.LongestWait + TimeSpan.FromSeconds(1));

        Assert.False(_book.Confirm(_issuing, "north", key, TimeSpan.FromHours(24)));
        Assert.Equal(new EnrolmentAnswer.Refused(EnrolmentRefusal.TooLate, "north"), _book.Present("north", token, request));
    }

    [Fact]
    public void Present_ForAnotherSite_IsRefused()
    {
        var token = _book.MakeToken("north", null);

        Assert.Equal(new EnrolmentAnswer.Refused(EnrolmentRefusal.OtherSite, "north"), _book.Present("south", token, Request().Pem));
        Assert.Empty(_book.Waiting);
    }

    [Fact]
    public void Present_KeyTheTokenIsNotBoundTo_IsRefused()
    {
        var token = _book.MakeToken("north", Request().Key);

        Assert.Equal(new EnrolmentAnswer.Refused(EnrolmentRefusal.OtherKey, "north"), _book.Present("north", token, Request().Pem));
    }

    [Fact]
    public void Present_SecondKeyWhileTheFirstWaits_IsRefused()
    {
        var token = _book.MakeToken("north", null);
        _book.Present("north", token, Request().Pem);

        Assert.Equal(new EnrolmentAnswer.Refused(EnrolmentRefusal.OtherKey, "north"), _book.Present("north", token, Request().Pem));
    }

    [Fact]
    public void Present_TokenNobodyMade_IsRefusedAndNamesNobody() =>
        Assert.Equal(new EnrolmentAnswer.Refused(EnrolmentRefusal.UnknownToken, null), _book.Present("north", "guess", Request().Pem));

    [Theory]
    [InlineData("hello")]
    [InlineData("")]
    public void Present_NoRequest_IsRefused(string request) =>
        Assert.Equal(new EnrolmentAnswer.Refused(EnrolmentRefusal.BadRequest, "north"), _book.Present("north", _book.MakeToken("north", null), request));

    [Fact]
    public void Confirm_AnotherThumbprint_SignsNothing()
    {
        _book.Present("north", _book.MakeToken("north", null), Request().Pem);

        Assert.False(_book.Confirm(_issuing, "north", Request().Key, TimeSpan.FromHours(24)));
        Assert.Empty(Issued.Members);
    }

    [Fact]
    public void Confirm_SiteEnrolledBefore_CallsItsOldCertificateBack()
    {
        var first = Request();
        Enrol(first.Pem, first.Key);
        var second = Request();
        Enrol(second.Pem, second.Key);

        Assert.Equal([true, false], Issued.Members.Select(entry => entry.Revoked));
    }

    [Fact]
    public void File_AfterEverything_HoldsNoToken()
    {
        var (request, key) = Request();
        var token = Enrol(request, key);

        Assert.DoesNotContain(token, File.ReadAllText(Path.Combine(_root.Path("issuing"), "enrolments.json")));
    }

    private FederationRegister Issued => FederationRegister.Load(_issuing.RegisterPath);

    private string Enrol(string request, string key)
    {
        var token = _book.MakeToken("north", null);
        _book.Present("north", token, request);
        Assert.True(_book.Confirm(_issuing, "north", key, TimeSpan.FromHours(24)));
        Assert.IsType<EnrolmentAnswer.Enrolled>(_book.Present("north", token, request));
        return token;
    }

    private (string Pem, string Key) Request()
    {
        var pem = KeyFiles.CreateRequest(_root.Path(Guid.NewGuid() + ".key"), "north");
        return (pem, KeyFiles.Thumbprint(KeyFiles.ReadRequest(pem).PublicKey));
    }
}
