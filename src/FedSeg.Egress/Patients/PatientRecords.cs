using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Training;
using FedSeg.Hosting.Storage;

namespace FedSeg.Egress.Patients;

/// <summary>
/// Which patients each round used, kept at this site alone: one file a round that the trainer writes, with pseudonyms under a key of the site's own. The ledger names a
/// patient who withdrew by the same pseudonym, so that whoever reads it learns no name.
/// </summary>
/// <remarks>Folder <c>patients/</c> of the desk: <c>key</c>, <c>rounds/RUN/ROUND.json</c>.</remarks>
public sealed class PatientRecords
{
    private const int KeyBytes = 32;
    private readonly string _directory;

    /// <param name="deskDirectory">The desk's folder.</param>
    public PatientRecords(string deskDirectory) => _directory = DurableFile.CreateDirectory(Path.Combine(deskDirectory, "patients"));

    private string KeyPath => Path.Combine(_directory, "key");

    private string Rounds => Path.Combine(_directory, "rounds");

    /// <summary>How the trainer is to name patients, and whom to leave out.</summary>
    /// <param name="withdrawn">The patients who withdrew, as the ledger knows them.</param>
    /// <exception cref="InvalidDataException">The key is gone, so nobody knows any more whom those pseudonyms mean: nothing may be trained.</exception>
    public PatientRules Rules(IEnumerable<Sha256Digest> withdrawn)
    {
        var left = withdrawn.OrderBy(patient => patient.ToString(), StringComparer.Ordinal).ToArray();
        return new PatientRules { PseudonymKey = Key(mayCreate: left.Length == 0), Withdrawn = [.. left] };
    }

    /// <summary>Where a round's record goes.</summary>
    public string PathOf(RunId run, int round) =>
        Path.Combine(Directory.CreateDirectory(Path.Combine(Rounds, run.ToString())).FullName, round.ToString(CultureInfo.InvariantCulture) + ".json");

    /// <summary>Which patients a round used; <see langword="null"/> when there is no record of it, or none that can be read.</summary>
    public PatientUse? Find(RunId run, int round)
    {
        try
        {
            return PatientUse.FromBytes(File.ReadAllBytes(Path.Combine(Rounds, run.ToString(), round.ToString(CultureInfo.InvariantCulture) + ".json")));
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Every round that used a patient, in order of runs and rounds; a record that can't be read counts as one that did.</summary>
    public IReadOnlyList<PatientRound> RoundsOf(Sha256Digest patient)
    {
        if (!Directory.Exists(Rounds)) return [];
        var rounds = new List<PatientRound>();
        foreach (var folder in Directory.GetDirectories(Rounds))
        {
            if (!RunId.TryParse(Path.GetFileName(folder), null, out var run)) continue;
            foreach (var file in Directory.GetFiles(folder, "*.json"))
            {
                if (!int.TryParse(Path.GetFileNameWithoutExtension(file), NumberStyles.None, CultureInfo.InvariantCulture, out var round)) continue;
                var use = Find(run, round);
                if (use?.Includes(patient) != false) rounds.Add(new PatientRound(run, round, use?.Trained.Contains(patient) ?? true));
            }
        }

        return [.. rounds.OrderBy(used => used.Run.ToString(), StringComparer.Ordinal).ThenBy(used => used.Round)];
    }

    private byte[] Key(bool mayCreate)
    {
        if (File.Exists(KeyPath))
        {
            var key = File.ReadAllBytes(KeyPath);
            return key.Length == KeyBytes ? key : throw Lost();
        }

        if (!mayCreate) throw Lost();
        var made = RandomNumberGenerator.GetBytes(KeyBytes);
        DurableFile.Write(KeyPath, made);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return made;
    }

    private InvalidDataException Lost() =>
        new($"'{KeyPath}' is gone or damaged. Without it nobody knows which patients withdrew, so nothing is trained here; restore it from a backup.");
}

/// <summary>A round that used a patient.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">Its round.</param>
/// <param name="Trained">Whether it trained on them; otherwise the model was only tried on them.</param>
public sealed record PatientRound(RunId Run, int Round, bool Trained);
