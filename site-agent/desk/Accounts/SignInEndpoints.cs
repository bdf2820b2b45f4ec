using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;

namespace FedSeg.Desk.Accounts;

/// <summary>The door.</summary>
internal static partial class SignInEndpoints
{
    public static void MapSignIn(this WebApplication app)
    {
        app.MapPost("/sign-in", SignInAsync).AllowAnonymous();
        app.MapPost("/sign-out", SignOutAsync);
    }

    private static async Task<IResult> SignInAsync(
        [FromForm] string? name, [FromForm] string? password, [FromForm] string? back, DeskClient desk, HttpContext context, ILogger<DeskClient> logger)
    {
        var account = (name ?? "").Trim().ToLowerInvariant();
        switch (await desk.Accounts.SignInAsync(account, password ?? "", context.RequestAborted))
        {
            case SignInOutcome.Welcome:
                await context.SignInAsync(Session.Scheme, Session.Of(desk.Accounts.Find(account)!));
                LogSignedIn(logger, account);
                // Only a path of this page: nobody is sent elsewhere from here.
                return Results.LocalRedirect(back is ['/', not ('/' or '\\'), ..] ? back : "/");
            case SignInOutcome.Locked:
                LogLocked(logger);
                return Results.LocalRedirect("/sign-in?problem=locked");
            default:
                LogWrong(logger);
                return Results.LocalRedirect("/sign-in?problem=wrong");
        }
    }

    // The empty form makes the endpoint one that takes forms, so that its token is checked.
    private static async Task<IResult> SignOutAsync([FromForm] string? leave, HttpContext context)
    {
        _ = leave;
        await context.SignOutAsync(Session.Scheme);
        return Results.LocalRedirect("/sign-in");
    }

    [LoggerMessage(600, LogLevel.Information, "{Account} signed in")]
    private static partial void LogSignedIn(ILogger logger, string account);

    [LoggerMessage(601, LogLevel.Warning, "A sign-in was refused: the account is locked")]
    private static partial void LogLocked(ILogger logger);

    [LoggerMessage(602, LogLevel.Warning, "A sign-in was refused")]
    private static partial void LogWrong(ILogger logger);
}
