using System.Text.Json;
using FedSeg.Egress.Review.People;
using FedSeg.Federation;
using FedSeg.Testing;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Egress.Tests.Review.People;

public sealed class DeskAccountsTests : IDisposable
{
    private const string Password = "a horse with a battery";

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new();
    private readonly DeskAccounts _accounts;

    public DeskAccountsTests() => _accounts = new DeskAccounts(_folder["desk"], _time);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task SignIn_RightAndWrongPassword_AreToldApart()
    {
        await SetAsync();

        Assert.Equal(SignInOutcome.Welcome, await SignInAsync(Password));
        Assert.Equal(SignInOutcome.Wrong, await SignInAsync(Password + "x"));
        Assert.Equal(SignInOutcome.Wrong, await _accounts.SignInAsync("nobody", Password, HospitalOnDisk.Token));
    }

    [Fact]
    public async Task SignIn_FiveWrongPasswords_LocksForAQuarterOfAnHourAcrossARestart()
    {
        await SetAsync();
        for (var attempt = 0; attempt < 5; attempt++) Assert.Equal(SignInOutcome.Wrong, await SignInAsync("wrong"));
        Assert.Equal(SignInOutcome.Locked, await new DeskAccounts(_folder["desk"], _time).SignInAsync("anna", Password, HospitalOnDisk.Token));
        _time.Advance(TimeSpan.FromMinutes(15) + TimeSpan.FromSeconds(1));

        Assert.Equal(SignInOutcome.Welcome, await SignInAsync(Password));
    }

    [Fact]
    public async Task SignIn_RightPasswordInBetween_BeginsTheCountAnew()
    {
        await SetAsync();
        for (var attempt = 0; attempt < 4; attempt++) await SignInAsync("wrong");
        await SignInAsync(Password);
        await SignInAsync("wrong");

        Assert.Equal(SignInOutcome.Welcome, await SignInAsync(Password));
    }

    [Fact]
    public async Task Set_File_HoldsNoPasswordAndIsTheOwnersOnly()
    {
        await SetAsync();
        var path = _folder["desk", "accounts.json"];

        Assert.DoesNotContain(Password, await File.ReadAllTextAsync(path, HospitalOnDisk.Token), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Theory]
    [InlineData("anna", "short")]
    [InlineData("anna", "passwordpassword")]
    [InlineData("anna", "Password123456789")]
    [InlineData("anna", "qwertyuiop1234567")]
    [InlineData("anna", "aaaaaaaaaaaaaaaaaaaa")]
    [InlineData("anna", "annaannaannaanna")]
    [InlineData("anna", "Anna-Sommer-2026!")]
    [InlineData("anna", "abcabcabcabcabcabc")]
    [InlineData("anna", "xy1xy1xy1xy1xy1xy1")]
    [InlineData("anna", "987654321098765432")]
    [InlineData("Anna", Password)]
    [InlineData("../anna", Password)]
    [InlineData("", Password)]
    public Task Set_AgainstTheRules_IsRefused(string name, string password) =>
        Assert.ThrowsAsync<InvalidDataException>(() => _accounts.SetAsync(name, DeskRole.Auditor, password, HospitalOnDisk.Token));

    [Fact]
    public async Task SignIn_HashOfFewerIterations_IsMadeAnew()
    {
        var old = new PasswordHasher<string>(Options.Create(new PasswordHasherOptions { IterationCount = 1000 })).HashPassword("anna", Password);
        Directory.CreateDirectory(_folder["desk"]);
        var account = new DeskAccount { Name = "anna", Role = DeskRole.Auditor, PasswordHash = old };
        await File.WriteAllBytesAsync(_folder["desk", "accounts.json"], JsonSerializer.SerializeToUtf8Bytes(new[] { account }, FederationJson.Options), HospitalOnDisk.Token);

        Assert.Equal(SignInOutcome.Welcome, await SignInAsync(Password));
        Assert.NotEqual(old, _accounts.Find("anna")!.PasswordHash);
        Assert.Equal(SignInOutcome.Welcome, await SignInAsync(Password));
    }

    [Fact]
    public async Task SignIn_AccountOfTheProvider_HasNoPassword()
    {
        var account = await _accounts.VouchAsync("Anna", "s-100", DeskRole.Auditor, _time.GetUtcNow().AddHours(10), HospitalOnDisk.Token);

        Assert.Equal("oidc:anna", account!.Name);
        Assert.Equal(SignInOutcome.Wrong, await _accounts.SignInAsync("oidc:anna", "", HospitalOnDisk.Token));
    }

    [Theory]
    [InlineData("", "s-1")]
    [InlineData("anna", "")]
    [InlineData("anna meier", "s-1")]
    [InlineData("<b>anna</b>", "s-1")]
    public async Task Vouch_NoNameOrNoId_EntersNobody(string name, string id)
    {
        Assert.Null(await _accounts.VouchAsync(name, id, DeskRole.Auditor, default, HospitalOnDisk.Token));
        Assert.Empty(_accounts.All);
    }

    [Theory]
    [InlineData("correct horse battery staple")]
    [InlineData("winter in the ward")]
    [InlineData("dreizehn blaue Stühle")]
    [InlineData("kV9#tLq2!mZr7@pW")]
    public async Task Set_FewWordsOrChance_IsTaken(string password)
    {
        await _accounts.SetAsync("anna", DeskRole.Auditor, password, HospitalOnDisk.Token);

        Assert.Equal(SignInOutcome.Welcome, await SignInAsync(password));
    }

    [Fact]
    public async Task All_DamagedFile_LetsNobodyIn()
    {
        await SetAsync();
        await File.WriteAllTextAsync(_folder["desk", "accounts.json"], "[{", HospitalOnDisk.Token);

        await Assert.ThrowsAsync<InvalidDataException>(() => SignInAsync(Password));
    }

    private Task SetAsync() => _accounts.SetAsync("anna", DeskRole.PrivacyOfficer, Password, HospitalOnDisk.Token);

    private Task<SignInOutcome> SignInAsync(string password) => _accounts.SignInAsync("anna", password, HospitalOnDisk.Token);
}
