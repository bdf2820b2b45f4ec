using FedSeg.Egress.Review;
using FedSeg.Federation.Identity;
using Microsoft.AspNetCore.Mvc;

namespace FedSeg.Desk.Patients;

/// <summary>From a patient's key to the page about them. The key is in a form's body once and in no address: browsers remember those.</summary>
internal static class PatientEndpoints
{
    public static void MapPatients(this WebApplication app) => app.MapPost("/patients/find", Find);

    private static IResult Find([FromForm] string? key, DeskClient desk)
    {
        var digits = (key ?? "").Trim().ToLowerInvariant();
        if (!Sha256Digest.TryParse(digits, null, out _)) return Results.LocalRedirect("/patients?problem=key");
        try
        {
            return Results.LocalRedirect($"/patients/{desk.Patients.Rules(desk.Ask(book => book.Withdrawn.ToList())).PseudonymOf(digits)}");
        }
        catch (InvalidDataException)
        {
            return Results.LocalRedirect("/patients?problem=lost");
        }
    }
}
