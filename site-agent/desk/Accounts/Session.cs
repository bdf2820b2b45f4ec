using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace FedSeg.Desk.Accounts;

/// <summary>A signed-in person: a cookie that scripts and other sites can't use, for a quarter of an hour without a click.</summary>
internal static class Session
{
    public const string Scheme = "desk";
    private const string PasswordStamp = "password";

    public static void Configure(CookieAuthenticationOptions cookie)
    {
        cookie.Cookie.Name = "desk-session";
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.SameSite = SameSiteMode.Strict;
        cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        cookie.ExpireTimeSpan = TimeSpan.FromMinutes(15);
        cookie.SlidingExpiration = true;
        cookie.LoginPath = "/sign-in";
        cookie.AccessDeniedPath = "/problem/403";
        cookie.ReturnUrlParameter = "back";
        cookie.EventsType = typeof(SessionCheck);
    }

    public static ClaimsPrincipal Of(DeskAccount account) => new(new ClaimsIdentity(
        [new Claim(ClaimTypes.Name, account.Name), new Claim(ClaimTypes.Role, account.Role.ToString()), new Claim(PasswordStamp, StampOf(account))], Scheme));

    /// <summary>Whether the account is still the one that signed in: same role, same password.</summary>
    public static bool IsStill(ClaimsPrincipal person, DeskAccount? account) =>
        account is not null && person.FindFirstValue(ClaimTypes.Role) == account.Role.ToString() && person.FindFirstValue(PasswordStamp) == StampOf(account);

    public static string NameOf(this ClaimsPrincipal person) => person.Identity?.Name ?? "";

    public static DeskRole? RoleOf(this ClaimsPrincipal person) => Enum.TryParse<DeskRole>(person.FindFirstValue(ClaimTypes.Role), out var role) ? role : null;

    private static string StampOf(DeskAccount account) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(account.PasswordHash)))[..16];
}

/// <summary>Looks the account up at every request: a closed account, another role or another password end the session at once.</summary>
internal sealed class SessionCheck(DeskClient desk) : CookieAuthenticationEvents
{
    public override async Task ValidatePrincipal(CookieValidatePrincipalContext context)
    {
        if (context.Principal is { } person && Session.IsStill(person, desk.Accounts.Find(person.NameOf()))) return;
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(Session.Scheme);
    }
}
