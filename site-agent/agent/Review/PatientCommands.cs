using System.CommandLine;
using FedSeg.Egress.Patients;
using FedSeg.Egress.Review;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Programs;
using Microsoft.Extensions.Hosting;

namespace FedSeg.SiteAgent.Review;

/// <summary><c>review withdraw-patient</c> and its kin: a patient or the whole hospital takes part no longer.</summary>
internal static class PatientCommands
{
    private static readonly Argument<string> Patient = new("patient") { Description = "The patient's key, 64 hexadecimal digits; 'fedseg study patients' lists it beside each case." };

    public static IEnumerable<Command> Create(Func<string[], HostApplicationBuilder> builder) => [Trace(builder), Withdraw(builder), Leave(builder)];

    private static Command Trace(Func<string[], HostApplicationBuilder> builder)
    {
        var command = new Command("trace-patient", "The rounds and runs that used a patient, and what models without them would take.") { Patient };
        command.SetAction((parsed, _) => ReviewCommands.WithDeskAsync(parsed, builder, (desk, _) =>
        {
            ReviewPrinter.Trace(PatientTrace.Of(Pseudonym(desk, parsed), desk.Patients, desk.Ledger()), parsed.GetValue(ReviewCommands.Json));
            return Task.FromResult(ServiceProgram.Done);
        }));
        return command;
    }

    private static Command Withdraw(Func<string[], HostApplicationBuilder> builder)
    {
        var command = new Command("withdraw-patient", "Leave a patient out of every later round. 'trace-patient' says what they are in.") { Patient, ReviewCommands.As };
        command.SetAction((parsed, _) => ReviewCommands.GiveAsync(parsed, builder, (desk, id, by, at) =>
            new DeskOrder.WithdrawPatient { Id = id, By = by, At = at, Patient = Pseudonym(desk, parsed) }));
        return command;
    }

    private static Command Leave(Func<string[], HostApplicationBuilder> builder)
    {
        var study = new Argument<string>("study") { Description = "The study's name." };
        var command = new Command("leave-study", "Take part in a study no longer: nothing more leaves, and what was kept of its runs is wiped.") { study, ReviewCommands.As };
        command.SetAction((parsed, _) => ReviewCommands.GiveAsync(parsed, builder, (_, id, by, at) =>
            new DeskOrder.LeaveStudy { Id = id, By = by, At = at, Study = StudyId.TryParse(parsed.GetRequiredValue(study), null, out var name) ? name : throw new InvalidDataException("That is not a study's name.") }));
        return command;
    }

    private static Sha256Digest Pseudonym(DeskClient desk, ParseResult parsed)
    {
        var key = parsed.GetRequiredValue(Patient).ToLowerInvariant();
        if (!Sha256Digest.TryParse(key, null, out _)) throw new InvalidDataException("A patient's key has 64 hexadecimal digits; 'fedseg study patients' lists it beside each case.");
        return desk.Patients.Rules(desk.Ask(book => book.Withdrawn.ToList())).PseudonymOf(key);
    }
}
