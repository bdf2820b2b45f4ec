using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FedSeg.Coordinator.Models.Bucket;

/// <summary>
/// Signs requests to an S3-compatible store. Source: AWS Signature Version 4 with the signature in the Authorization header,
/// "Authenticating requests", Amazon S3 API reference; its two worked examples are the tests' golden values.
/// </summary>
/// <param name="region">The store's.</param>
/// <param name="accessKey">Told to the store.</param>
/// <param name="secretKey">Known to it.</param>
internal sealed class RequestSignature(string region, string accessKey, string secretKey)
{
    private const string Algorithm = "AWS4-HMAC-SHA256", DateHeader = "x-amz-date", PayloadHeader = "x-amz-content-sha256";

    /// <summary>
    /// Adds date, payload digest and signature to a request. What headers it has by then are signed, so nothing may change them later.
    /// </summary>
    /// <param name="request">To an address whose path needs no escaping and has no query.</param>
    /// <param name="payload">SHA-256 of its body, lower-case hexadecimal: the store refuses a body with another.</param>
    /// <param name="now">The time; stores refuse one that is more than a quarter of an hour off.</param>
    public void Sign(HttpRequestMessage request, string payload, DateTimeOffset now)
    {
        var time = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        request.Headers.Add(DateHeader, time);
        request.Headers.Add(PayloadHeader, payload);

        var address = request.RequestUri!;
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["host"] = address.Authority };
        foreach (var (name, values) in request.Headers.NonValidated) headers[name.ToLowerInvariant()] = string.Join(',', values).Trim();
        var signedHeaders = string.Join(';', headers.Keys);
        var canonical = string.Join(
            '\n',
            [request.Method.Method, address.AbsolutePath, "", .. headers.Select(header => $"{header.Key}:{header.Value}"), "",
                signedHeaders, payload]);

        var scope = $"{time[..8]}/{region}/s3/aws4_request";
        var signed = $"{Algorithm}\n{time}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = scope.Split('/').Aggregate(Encoding.UTF8.GetBytes("AWS4" + secretKey), Mac);
        var signature = Convert.ToHexStringLower(Mac(key, signed));
        request.Headers.TryAddWithoutValidation(
            "Authorization", $"{Algorithm} Credential={accessKey}/{scope}, SignedHeaders={signedHeaders}, Signature={signature}");
    }

    private static byte[] Mac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
