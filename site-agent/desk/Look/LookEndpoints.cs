namespace FedSeg.Desk.Look;

/// <summary>The page's one style sheet, from the program itself.</summary>
internal static class LookEndpoints
{
    private static readonly byte[] Style = Read("FedSeg.Desk.Look.desk.css");

    public static void MapLook(this WebApplication app)
    {
        app.MapGet("/desk.css", () => Results.Bytes(Style, "text/css")).AllowAnonymous();
        app.MapGet("/favicon.ico", () => Results.NoContent()).AllowAnonymous();
    }

    private static byte[] Read(string name)
    {
        using var stream = typeof(LookEndpoints).Assembly.GetManifestResourceStream(name)!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
