namespace FedSeg.Desk;

/// <summary>What a person sees when something is not there, not allowed or not understood.</summary>
internal static class Problems
{
    private const string FormAdvice = "This form was not accepted, and nothing was changed. Go back, reload the page and try again; your session may have ended, or your role may not do this.";

    /// <summary>A page for what was asked for; a line of text for a form, which must not be run through the pages' own check of forms again.</summary>
    public static void UseProblems(this WebApplication app)
    {
        app.UseWhen(context => HttpMethods.IsGet(context.Request.Method), pages => pages.UseStatusCodePagesWithReExecute("/problem/{0}"));
        app.UseWhen(context => HttpMethods.IsPost(context.Request.Method), forms => forms.UseStatusCodePages("text/plain; charset=utf-8", FormAdvice));
    }
}
