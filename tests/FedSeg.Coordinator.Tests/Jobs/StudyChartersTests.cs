using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Testing;

namespace FedSeg.Coordinator.Tests.Jobs;

public sealed class StudyChartersTests : IDisposable
{
    private static readonly JobSpec Job = CoordinatorOnDisk.Job() with { Study = StudyId.Parse("kidneys-2026") };
    private readonly CoordinatorOnDisk _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public void Problems_NoCharterOfTheStudyHere_AreNone()
    {
        Hold(("kidneys-2026", "lungs"), ("maximumRounds: 5", "maximumRounds: 1"));

        Assert.Empty(_coordinator.Charters.Problems(Job));
        Assert.Empty(_coordinator.Charters.Problems(Job with { Study = null }));
    }

    [Fact]
    public void Problems_OfTheNewestCharter_AreNamedWithIt()
    {
        Hold(("maximumRounds: 5", "maximumRounds: 1"));
        Assert.Matches(@"\Aoutside the charter of kidneys-2026, version 1, [0-9a-f]+: 2 rounds; 1 are approved\z", Assert.Single(_coordinator.Charters.Problems(Job)));

        Hold(("version: 1", "version: 3"));
        Hold(("version: 1", "version: 2"), ("south, north, east", "south"));
        Assert.Empty(_coordinator.Charters.Problems(Job));
    }

    [Fact]
    public void Problems_ExpiredAndOfAnotherCoordinator_AreBothNamed()
    {
        Hold(("coordinator.example:", "elsewhere.example:"), ("2026-06-30", "2025-12-31"));

        var problems = _coordinator.Charters.Problems(Job);
        Assert.Collection(
            problems,
            problem => Assert.EndsWith(": it expired after 2025-12-31", problem),
            problem => Assert.EndsWith(": this coordinator is none of its recipients: no name in its certificate is a host of https://elsewhere.example:7443", problem));
    }

    [Fact]
    public void Problems_OfAFileThatTheAuthorityDidNotSign_AreNone()
    {
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Hold(stranger, ("maximumRounds: 5", "maximumRounds: 1"));
        File.WriteAllText(Path.Combine(_coordinator.Settings.Charters, "torn.json"), "{");

        Assert.Empty(_coordinator.Charters.Problems(Job));
    }

    private void Hold(params (string Before, string Now)[] changes)
    {
        using var certificate = _coordinator.Authority.LoadCertificate();
        using var key = certificate.GetECDsaPrivateKey()!;
        Hold(key, changes);
    }

    private void Hold(ECDsa key, params (string Before, string Now)[] changes)
    {
        var charter = Assert.IsType<CharterFileResult.Valid>(CharterFile.Parse(CharterYaml.With(changes))).Charter;
        File.WriteAllBytes(Path.Combine(_coordinator.Settings.Charters, charter.Hash + ".json"), SignedCharter.Sign(charter, key).ToBytes());
    }
}
