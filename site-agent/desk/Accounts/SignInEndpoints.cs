using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

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
        [FromForm] string? name,
        [FromForm] string? password,
        [FromForm] string? back,
        DeskClient desk,
        IOptions<DeskOptions> options,
        TimeProvider time,
        HttpContext context,
        ILogger<DeskClient> logger)
    {
        var account = (name ?? "").Trim().ToLowerInvariant();
        switch (await desk.Accounts.SignInAsync(account, password ?? "", context.RequestAborted))
        {
            case SignInOutcome.Welcome:
                if (options.Value.OpenId.IsOn) await NoteLocalSignInAsync(account, desk, time, logger, context.RequestAborted);
                await context.SignInAsync(Session.Scheme, Session.Of(desk.Accounts.Find(account)!, time.GetUtcNow() + Session.Longest));
                LogSignedIn(logger, account);
                return Results.LocalRedirect(LocalPath.Of(back));
            case SignInOutcome.Locked:
                LogLocked(logger);
                return Results.LocalRedirect("/sign-in?problem=locked");
            default:
                LogWrong(logger);
                return Results.LocalRedirect("/sign-in?problem=wrong");
        }
    }

    // The empty form makes the endpoint one that takes forms, so that its token is checked.
    private static async Task<IResult> SignOutAsync([FromForm] string? leave, DeskClient desk, HttpContext context)
    {
        _ = leave;
        // Everywhere: a copy of the cookie is worth nothing afterwards.
        await desk.Accounts.EndSessionsAsync(context.User.NameOf(), CancellationToken.None);
        await context.SignOutAsync(Session.Scheme);
        return Results.LocalRedirect("/sign-in");
    }

    /// <summary>The way in for the day on which the hospital's own sign-in fails. It is open, and each use of it is in the ledger.</summary>
    private static async Task NoteLocalSignInAsync(string account, DeskClient desk, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        LogLocal(logger, account);
        // Placed for certain; noted as soon as an agent runs.
        await desk.GiveAsync(new DeskOrder.LocalSignIn { Id = Guid.NewGuid().ToString("N"), By = account, At = time.GetUtcNow() }, TimeSpan.Zero, cancellationToken);
    }

    [LoggerMessage(600, LogLevel.Information, "{Account} signed in")]
    private static partial void LogSignedIn(ILogger logger, string account);

    [LoggerMessage(601, LogLevel.Warning, "A sign-in was refused: the account is locked")]
    private static partial void LogLocked(ILogger logger);

    [LoggerMessage(602, LogLevel.Warning, "A sign-in was refused")]
    private static partial void LogWrong(ILogger logger);

    [LoggerMessage(603, LogLevel.Warning, "{Account} signed in with a password of this site though the hospital has its own sign-in; the ledger notes it")]
    private static partial void LogLocal(ILogger logger, string account);
}
