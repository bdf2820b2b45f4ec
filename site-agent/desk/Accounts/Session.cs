using System.Globalization;
using System.Security.Claims;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace FedSeg.Desk.Accounts;

/// <summary>A signed-in person: a cookie that scripts and other sites can't use, for a quarter of an hour without a click and ten hours at the most.</summary>
internal static class Session
{
    public const string Scheme = "desk";
    /// <summary>However busy somebody is: who signed in so long ago does it again.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(10);

    private const string StampClaim = "stamp", UntilClaim = "until";

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

    public static ClaimsPrincipal Of(DeskAccount account, DateTimeOffset until) => new(new ClaimsIdentity(
        [
            new Claim(ClaimTypes.Name, account.Name),
            new Claim(ClaimTypes.Role, account.Role.ToString()),
            new Claim(StampClaim, account.Stamp),
            new Claim(UntilClaim, until.UtcTicks.ToString(CultureInfo.InvariantCulture)),
        ],
        Scheme));

    /// <summary>Whether it may go on: its time is not over, and the account is still the one that signed in, with the same role, and nobody ended its sessions.</summary>
    public static bool IsStill(ClaimsPrincipal person, DeskAccount? account, DateTimeOffset now) =>
        account is not null
        && person.FindFirstValue(ClaimTypes.Role) == account.Role.ToString()
        && person.FindFirstValue(StampClaim) == account.Stamp
        && long.TryParse(person.FindFirstValue(UntilClaim), NumberStyles.None, CultureInfo.InvariantCulture, out var until)
        && now.UtcTicks <= until;

    public static string NameOf(this ClaimsPrincipal person) => person.Identity?.Name ?? "";

    public static DeskRole? RoleOf(this ClaimsPrincipal person) => Enum.TryParse<DeskRole>(person.FindFirstValue(ClaimTypes.Role), out var role) ? role : null;
}

/// <summary>Looks the account up at every request: a closed account, another role, another password or a sign-out elsewhere end the session at once.</summary>
internal sealed class SessionCheck(DeskClient desk, TimeProvider time) : CookieAuthenticationEvents
{
    public override async Task ValidatePrincipal(CookieValidatePrincipalContext context)
    {
        if (context.Principal is { } person && Session.IsStill(person, desk.Accounts.Find(person.NameOf()), time.GetUtcNow())) return;
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(Session.Scheme);
    }
}
