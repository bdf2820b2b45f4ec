using System.CommandLine;
using FedSeg.Cli.Programs;
using FedSeg.Imaging.Cases;

namespace FedSeg.Cli.Studies;

/// <summary><c>fedseg study</c>: what a hospital has to say about its part in a study. Reads a site's own folders; nothing is sent.</summary>
internal static class StudyCommands
{
    public static Command Create() => new("study", "A hospital's patients and records of a study.") { Patients() };

    private static Command Patients()
    {
        var cohort = new Argument<DirectoryInfo>("cohort") { Description = "Folder with one sub-folder per case." };
        return new Command("patients", "The patient's key beside each case, for a withdrawal: it names the patient to this hospital alone and must not leave it.") { cohort }.Does((parsed, cancellationToken) =>
        {
            var survey = CaseSurvey.Of(parsed.GetRequiredValue(cohort).FullName, cancellationToken: cancellationToken);
            var cases = survey.Cases.Select(entry => (Case: Path.GetFileName(entry.Directory), entry.PatientKey)).ToList();
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { cases = cases.Select(entry => new { @case = entry.Case, patient = entry.PatientKey }), unusable = survey.Quarantined.Count });
            else foreach (var (name, patient) in cases) Console.WriteLine($"{name,-24} {patient}");
            return Task.FromResult(CommandLine.Done);
        });
    }
}
