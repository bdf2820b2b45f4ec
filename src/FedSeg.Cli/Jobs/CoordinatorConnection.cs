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
    private readonly X509Certificate2? _certificate;

    private CoordinatorConnection(GrpcChannel channel, X509Certificate2? certificate)
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

    public static Option<FileInfo?> TokenOption { get; } = new("--token-file")
    {
        Description = "Sign in with the token in this file, as 'fedseg sign-in' writes it, instead of the profile's certificate; FEDSEG_TOKEN_FILE when not given.",
        Recursive = true,
    };

    public static CoordinatorConnection Open(ParseResult parsed)
    {
        var path = parsed.GetValue(ProfileOption)?.FullName ?? Environment.GetEnvironmentVariable("FEDSEG_PROFILE")
            ?? throw new BadInputException("Name your profile: --profile FILE, or the environment variable FEDSEG_PROFILE.");
        return Open(path, parsed.GetValue(TokenOption)?.FullName ?? Environment.GetEnvironmentVariable("FEDSEG_TOKEN_FILE"));
    }

    /// <param name="profilePath">The person's profile.</param>
    /// <param name="tokenPath">A file with a token, which counts instead of a certificate; read at each call, because it may be renewed meanwhile.</param>
    public static CoordinatorConnection Open(string profilePath, string? tokenPath = null)
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
        var trust = new FederationTrust(Resolve(profile.Authority), TimeProvider.System);
        if (tokenPath is null && (profile.Certificate is null || profile.PrivateKey is null))
        {
            throw new BadInputException($"'{profilePath}' names no certificate and key; sign in with a token instead: --token-file FILE.");
        }

        var certificate = tokenPath is null ? KeyFiles.LoadCertificate(Resolve(profile.Certificate!), Resolve(profile.PrivateKey!)) : null;
        var options = new GrpcChannelOptions
        {
            HttpHandler = MutualTls.CreateClientHandler(certificate is null ? null : () => certificate, trust),
            DisposeHttpClient = true,
            CompressionProviders = [],
        };
        if (tokenPath is not null)
        {
            // Fails now rather than at the first call, where gRPC would hide why.
            ReadToken(tokenPath);
            options.Credentials = ChannelCredentials.Create(ChannelCredentials.SecureSsl, CallCredentials.FromInterceptor((_, metadata) =>
            {
                metadata.Add("authorization", "Bearer " + ReadToken(tokenPath));
                return Task.CompletedTask;
            }));
        }

        return new CoordinatorConnection(GrpcChannel.ForAddress(address, options), certificate);
    }

    private static string ReadToken(string path)
    {
        if (!File.Exists(path)) throw new BadInputException($"There is no token in '{path}'; 'fedseg sign-in' fetches one.");
        var token = File.ReadAllText(path).Trim();
        return token.Split('.').Length == 3 && token.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_')
            ? token
            : throw new BadInputException($"'{path}' has no token; 'fedseg sign-in' fetches one.");
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
        _certificate?.Dispose();
    }

    private sealed record Profile(string Coordinator, string Authority, string? Certificate = null, string? PrivateKey = null);
}
