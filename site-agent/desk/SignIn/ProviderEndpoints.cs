using FedSeg.Desk.Accounts;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace FedSeg.Desk.SignIn;

/// <summary>The way to the hospital's provider. A link, not a form: no form of this page may lead elsewhere.</summary>
internal static class ProviderEndpoints
{
    public static void MapProvider(this WebApplication app) => app.MapGet("/sign-in/provider", (string? back, IOptions<DeskOptions> options) => options.Value.OpenId.IsOn
        ? Results.Challenge(new AuthenticationProperties { RedirectUri = QueryString.Create("back", LocalPath.Of(back)).ToUriComponent().Insert(0, "/signed-in") }, [ProviderSignIn.Scheme])
        : Results.NotFound()).AllowAnonymous();
}
