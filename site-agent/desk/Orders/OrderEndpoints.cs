using FedSeg.Desk.Accounts;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Identity;
using Microsoft.AspNetCore.Mvc;

namespace FedSeg.Desk.Orders;

/// <summary>Turns a signed-in person's form into an order. What comes of it is read from the ledger afterwards, never assumed.</summary>
internal static class OrderEndpoints
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    public static void MapOrders(this WebApplication app)
    {
        var orders = app.MapGroup("/orders");
        orders.MapPost("/approve", ([FromForm] string update, [FromForm] int? next, OrderDesk desk) => desk.GiveAsync((id, by, at) =>
            Sha256Digest.TryParse(update, null, out var digest) ? new DeskOrder.Approve { Id = id, By = by, At = at, Update = digest, NextRounds = next ?? 0 } : null));
        orders.MapPost("/refuse", ([FromForm] string update, [FromForm] string? reason, OrderDesk desk) => desk.GiveAsync((id, by, at) =>
            Sha256Digest.TryParse(update, null, out var digest) && Enum.TryParse<RefusalReason>(reason, out var why) && Enum.IsDefined(why)
                ? new DeskOrder.Refuse { Id = id, By = by, At = at, Update = digest, Reason = why }
                : null));
        orders.MapPost("/approve-plan", ([FromForm] string terms, OrderDesk desk) => desk.GiveAsync((id, by, at) =>
            Sha256Digest.TryParse(terms, null, out var digest) ? new DeskOrder.ApprovePlan { Id = id, By = by, At = at, Terms = digest } : null));
        orders.MapPost("/refuse-plan", ([FromForm] string terms, [FromForm] string? reason, OrderDesk desk) => desk.GiveAsync((id, by, at) =>
            Sha256Digest.TryParse(terms, null, out var digest) && Enum.TryParse<RefusalReason>(reason, out var why) && Enum.IsDefined(why)
                ? new DeskOrder.RefusePlan { Id = id, By = by, At = at, Terms = digest, Reason = why }
                : null));
        orders.MapPost("/approve-policy", ([FromForm] string policy, OrderDesk desk) => desk.GiveAsync((id, by, at) =>
            Sha256Digest.TryParse(policy, null, out var digest) ? new DeskOrder.ApprovePolicy { Id = id, By = by, At = at, Policy = digest } : null));
        orders.MapPost("/refuse-policy", ([FromForm] string policy, OrderDesk desk) => desk.GiveAsync((id, by, at) =>
            Sha256Digest.TryParse(policy, null, out var digest) ? new DeskOrder.RefusePolicy { Id = id, By = by, At = at, Policy = digest } : null));
        orders.MapPost("/accept-charter", ([FromForm] string charter, OrderDesk desk) => desk.GiveAsync((id, by, at) =>
            Sha256Digest.TryParse(charter, null, out var digest) ? new DeskOrder.AcceptCharter { Id = id, By = by, At = at, Charter = digest } : null));
        orders.MapPost("/decline-charter", ([FromForm] string charter, [FromForm] string? reason, OrderDesk desk) => desk.GiveAsync((id, by, at) =>
            Sha256Digest.TryParse(charter, null, out var digest) && Enum.TryParse<RefusalReason>(reason, out var why) && Enum.IsDefined(why)
                ? new DeskOrder.DeclineCharter { Id = id, By = by, At = at, Charter = digest, Reason = why }
                : null));
        // What can't be undone is confirmed, and not by the browser's word alone.
        orders.MapPost("/withdraw-patient", ([FromForm] string patient, [FromForm] string? confirm, OrderDesk desk) => desk.GiveAsync((id, by, at) =>
            Sha256Digest.TryParse(patient, null, out var pseudonym) && confirm == "yes" ? new DeskOrder.WithdrawPatient { Id = id, By = by, At = at, Patient = pseudonym } : null));
        orders.MapPost("/leave-study", ([FromForm] string study, [FromForm] string? typed, OrderDesk desk) => desk.GiveAsync((id, by, at) =>
            StudyId.TryParse(study, null, out var name) && typed?.Trim() == study ? new DeskOrder.LeaveStudy { Id = id, By = by, At = at, Study = name } : null));
        orders.MapPost("/pause", ([FromForm] string? form, OrderDesk desk) => desk.GiveAsync((id, by, at) => new DeskOrder.Pause { Id = id, By = by, At = at }));
        orders.MapPost("/resume", ([FromForm] string? form, OrderDesk desk) => desk.GiveAsync((id, by, at) => new DeskOrder.Resume { Id = id, By = by, At = at }));
        orders.MapPost("/halt", ([FromForm] string? form, OrderDesk desk) => desk.GiveAsync((id, by, at) => new DeskOrder.Halt { Id = id, By = by, At = at }));
        orders.MapPost("/lift", ([FromForm] string? form, OrderDesk desk) => desk.GiveAsync((id, by, at) => new DeskOrder.Lift { Id = id, By = by, At = at }));
    }

    /// <summary>The order's way from the form to the box, the same for every kind.</summary>
    internal sealed class OrderDesk(DeskClient desk, IHttpContextAccessor accessor, TimeProvider time)
    {
        public async Task<IResult> GiveAsync(Func<string, string, DateTimeOffset, DeskOrder?> make)
        {
            var context = accessor.HttpContext!;
            if (make(Guid.NewGuid().ToString("N"), context.User.NameOf(), time.GetUtcNow()) is not { } order) return Results.BadRequest();
            if (context.User.RoleOf() is not { } role || !DeskPermissions.Allows(role, order)) return Results.StatusCode(StatusCodes.Status403Forbidden);
            await desk.GiveAsync(order, Patience, context.RequestAborted);
            return Results.LocalRedirect($"/?order={order.Id}");
        }
    }
}
