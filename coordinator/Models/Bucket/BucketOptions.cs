using System.Text.RegularExpressions;

namespace FedSeg.Coordinator.Models.Bucket;

/// <summary>An S3-compatible store for models and updates, section <c>Coordinator:Bucket</c>; off unless it names an endpoint.</summary>
internal sealed partial class BucketOptions
{
    /// <summary>What one request may store, bytes, by the protocol.</summary>
    public const long LargestBlob = 5L << 30;

    private const string AnEndpoint = "the store's https address without a path, such as https://s3.example.org";

    /// <summary>The store's address without the bucket, such as <c>https://s3.example.org</c>; empty for no store.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>The bucket. It has to be there.</summary>
    public string Name { get; set; } = "";

    /// <summary>The region that requests are signed for; most stores of one's own don't mind which.</summary>
    public string Region { get; set; } = "us-east-1";

    /// <summary>What comes before the names of blobs, such as <c>fedseg/</c>.</summary>
    public string Prefix { get; set; } = "";

    /// <summary>A file with the access key in its first line and the secret key in its second.</summary>
    public string Credentials { get; set; } = "";

    /// <summary>Whether there is a store.</summary>
    internal bool IsOn => Endpoint.Length > 0;

    /// <summary>What is wrong, in words that name the key; empty when nothing is.</summary>
    internal IEnumerable<string> Problems(long maximumUpdateBytes)
    {
        if (!IsOn)
        {
            if (Name.Length + Prefix.Length + Credentials.Length > 0) yield return Wrong("Endpoint", Endpoint, AnEndpoint);
            yield break;
        }

        var isSafe = Uri.TryCreate(Endpoint, UriKind.Absolute, out var endpoint)
            && endpoint.PathAndQuery == "/"
            && (endpoint.Scheme == Uri.UriSchemeHttps || (endpoint.Scheme == Uri.UriSchemeHttp && endpoint.IsLoopback));
        if (!isSafe) yield return Wrong("Endpoint", Endpoint, AnEndpoint);
        if (!BucketName().IsMatch(Name)) yield return Wrong("Name", Name, "the bucket's name, 3 to 63 of a-z, 0-9, '.' and '-'");
        if (!RegionName().IsMatch(Region)) yield return Wrong("Region", Region, "a region such as us-east-1");
        if (!PrefixName().IsMatch(Prefix)) yield return Wrong("Prefix", Prefix, "names that end with '/', such as fedseg/, or nothing");
        if (!File.Exists(Credentials) || ReadCredentials() is null)
        {
            yield return Wrong("Credentials", Credentials, "a file with the access key in its first line and the secret key in its second");
        }

        if (maximumUpdateBytes > LargestBlob)
        {
            yield return $"Coordinator:MaximumUpdateBytes is {maximumUpdateBytes}; with a bucket it must be at most {LargestBlob}, "
                + "which is what one request may store.";
        }
    }

    /// <summary>Access key and secret key; <see langword="null"/> when the file has others than these two lines.</summary>
    internal (string AccessKey, string SecretKey)? ReadCredentials() =>
        File.ReadAllLines(Credentials) is [{ Length: > 0 } access, { Length: > 0 } secret] ? (access.Trim(), secret.Trim()) : null;

    private static string Wrong(string key, string value, string wanted) => $"Coordinator:Bucket:{key} is '{value}'; give {wanted}.";

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\z")]
    private static partial Regex BucketName();

    [GeneratedRegex(@"\A[a-z0-9-]{1,40}\z")]
    private static partial Regex RegionName();

    [GeneratedRegex(@"\A([A-Za-z0-9._-]{1,80}/){0,8}\z")]
    private static partial Regex PrefixName();
}
