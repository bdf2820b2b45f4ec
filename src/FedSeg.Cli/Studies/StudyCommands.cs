using System.CommandLine;
using FedSeg.Cli.Imaging;
using FedSeg.Cli.Programs;
using FedSeg.Cli.Studies.Records;
using FedSeg.Federation.Identity;
using FedSeg.Imaging.Cases;
using FedSeg.Ledger.Verifier;

namespace FedSeg.Cli.Studies;

/// <summary><c>fedseg study</c>: what a hospital has to say about its part in a study. Reads a site's own folders; nothing is sent.</summary>
internal static class StudyCommands
{
    public static Command Create() => new("study", "A hospital's patients and records of a study.") { Patients(), Records() };

    private static Command Patients()
    {
        var cohort = new Argument<DirectoryInfo>("cohort") { Description = "Folder with one sub-folder per case." };
        var command = new Command(
            "patients",
            "The patient's key beside each case, for a withdrawal: it names the patient to this hospital alone and must not leave it.")
        {
            cohort, Htj2kSwitch.Option,
        };
        return command.Does((parsed, cancellationToken) =>
        {
            var (folder, limits) = (parsed.GetRequiredValue(cohort).FullName, Htj2kSwitch.Limits(parsed));
            var survey = CaseSurvey.Of(folder, limits, cancellationToken: cancellationToken);
            var cases = survey.Cases.Select(entry => (Case: Path.GetFileName(entry.Directory), entry.PatientKey)).ToList();
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { cases = cases.Select(entry => new { @case = entry.Case, patient = entry.PatientKey }), unusable = survey.Quarantined.Count });
            else foreach (var (name, patient) in cases) Console.WriteLine($"{name,-24} {patient}");
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static Command Records()
    {
        var settings = new Option<FileInfo>("--settings") { Description = "The agent's settings file.", Required = true };
        var study = new Option<string>("--study") { Description = "The study's name.", Required = true };
        var output = new Option<DirectoryInfo>("--out") { Description = "Folder for the records.", Required = true };
        var redTeam = new Option<FileInfo?>("--red-team") { Description = "The report.md of the attacks that run as tests, for the annex." };
        var command = new Command("records", "Write the record of processing, the annex to the impact assessment, the text for patients and an extract of the ledger.")
        {
            settings, study, output, redTeam,
        };
        return command.Does((parsed, _) =>
        {
            var name = parsed.GetRequiredValue(study);
            if (!StudyId.TryParse(name, null, out var id)) throw new BadInputException($"'{name}' is not a study's name: use 1 to 40 of a-z, 0-9 and '-'.");
            var attacks = parsed.GetValue(redTeam) is { } report ? AttackReport.Read(report.FullName) : null;
            var site = SiteSettings.Read(parsed.GetRequiredValue(settings).FullName);
            if (!Directory.Exists(site.LedgerDirectory)) throw new BadInputException($"There is no ledger in '{site.DataDirectory}'; the agent makes it at its first start.");
            var ledger = LedgerVerifier.VerifyFolder(site.LedgerDirectory);
            // Nothing is written from what can't be trusted.
            if (!ledger.Verified)
            {
                Console.Error.WriteLine($"The ledger is BROKEN at entry {ledger.FirstBadIndex}: {ledger.Problem}. No record was written.");
                return Task.FromResult(CommandLine.No);
            }

            var facts = StudyFacts.Read(site, id, ledger, TimeProvider.System);
            RecordDocument[] documents = [ProcessingRecord.Of(facts), DpiaAnnex.Of(facts, attacks), TransparencyText.Of(facts), LedgerExtract.Of(facts)];
            var folder = Directory.CreateDirectory(parsed.GetRequiredValue(output).FullName).FullName;
            foreach (var document in documents)
            {
                File.WriteAllText(Path.Combine(folder, document.FileName + ".md"), MarkdownRecord.Write(document));
                File.WriteAllText(Path.Combine(folder, document.FileName + ".html"), HtmlRecord.Write(document));
            }

            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { documents = documents.Select(document => new { name = document.FileName, gaps = document.Gaps }) });
            else foreach (var document in documents) Console.WriteLine($"{document.FileName}.md and .html: {document.Gaps.Count()} places to be filled in");

            return Task.FromResult(CommandLine.Done);
        });
    }
}
