using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace FedSeg.Cli.Jobs;

/// <summary>A person's connection to the coordinator, as a profile file describes it.</summary>
internal sealed class CoordinatorConnection : IDisposable
{
    private static readonly JsonSerializerOptions ProfileJson = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    private readonly GrpcChannel _channel;
    private readonly X509Certificate2 _certificate;

    private CoordinatorConnection(GrpcChannel channel, X509Certificate2 certificate)
    {
        _channel = channel;
        _certificate = certificate;
        Runs = new Runs.RunsClient(channel);
    }

    public Runs.RunsClient Runs { get; }

    public static Option<FileInfo?> ProfileOption { get; } = new("--profile")
    {
        Description = "The person's profile, as 'fedseg provision request --user' writes it; FEDSEG_PROFILE when not given.",
        Recursive = true,
    };

    public static CoordinatorConnection Open(ParseResult parsed)
    {
        var path = parsed.GetValue(ProfileOption)?.FullName ?? Environment.GetEnvironmentVariable("FEDSEG_PROFILE")
            ?? throw new BadInputException("Name your profile: --profile FILE, or the environment variable FEDSEG_PROFILE.");
        return Open(path);
    }

    public static CoordinatorConnection Open(string profilePath)
    {
        Profile profile;
        try
        {
            profile = JsonSerializer.Deserialize<Profile>(File.ReadAllBytes(profilePath), ProfileJson) ?? throw new JsonException("it is null.");
        }
        catch (JsonException error)
        {
            throw new BadInputException($"'{profilePath}' is not a profile: {error.Message}");
        }

        if (!Uri.TryCreate(profile.Coordinator, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttps)
        {
            throw new BadInputException($"'{profilePath}': coordinator is '{profile.Coordinator}'; give its address, such as https://coordinator.example.org:7443.");
        }

        string Resolve(string file) => Path.GetFullPath(file, Path.GetDirectoryName(Path.GetFullPath(profilePath))!);
        var certificate = KeyFiles.LoadCertificate(Resolve(profile.Certificate), Resolve(profile.PrivateKey));
        var handler = MutualTls.CreateClientHandler(() => certificate, new FederationTrust(Resolve(profile.Authority), TimeProvider.System));
        return new CoordinatorConnection(GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true, CompressionProviders = [] }), certificate);
    }

    /// <summary>Fetches a model to a file and proves it by its digest.</summary>
    public async Task DownloadAsync(Sha256Digest digest, string path, CancellationToken cancellationToken)
    {
        var temporary = path + ".part";
        File.Delete(temporary);
        using (var file = await IncomingFile.OpenAsync(temporary, cancellationToken))
        {
            using var call = Runs.DownloadModel(new DownloadRequest { Sha256 = digest.ToString() }, cancellationToken: cancellationToken);
            while (await call.ResponseStream.MoveNext(cancellationToken)) file.Append(call.ResponseStream.Current.Data.Span);
            if (file.Digest != digest) throw new IOException($"The bytes received are not model {digest}.");
        }

        File.Move(temporary, path, overwrite: true);
    }

    public void Dispose()
    {
        _channel.Dispose();
        _certificate.Dispose();
    }

    private sealed record Profile(string Coordinator, string Certificate, string PrivateKey, string Authority);
}
