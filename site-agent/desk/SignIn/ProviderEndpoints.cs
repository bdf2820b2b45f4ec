using FedSeg.Desk.Accounts;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace FedSeg.Desk.SignIn;

/// <summary>The way to the hospital's provider. A link, not a form: no form of this page may lead elsewhere.</summary>
internal static partial class ProviderEndpoints
{
    public static void MapProvider(this WebApplication app) => app.MapGet("/sign-in/provider", BeginAsync).AllowAnonymous();

    private static async Task<IResult> BeginAsync(string? back, IOptions<DeskOptions> options, HttpContext context, ILogger<ProviderSignIn> logger)
    {
        if (!options.Value.OpenId.IsOn) return Results.NotFound();
        var afterwards = "/signed-in" + QueryString.Create("back", LocalPath.Of(back));
        try
        {
            await context.ChallengeAsync(ProviderSignIn.Scheme, new AuthenticationProperties { RedirectUri = afterwards });
            return Results.Empty;
        }
        catch (InvalidOperationException error) when (!context.Response.HasStarted)
        {
            // What the provider says of itself could not be read: the day for which there are accounts of the desk.
            LogAway(logger, error.GetBaseException().GetType().Name);
            return Results.LocalRedirect("/sign-in?problem=away");
        }
    }

    [LoggerMessage(614, LogLevel.Error, "The hospital's provider does not answer as one: {Kind}; see Desk:OpenId:Authority")]
    private static partial void LogAway(ILogger logger, string kind);
}
