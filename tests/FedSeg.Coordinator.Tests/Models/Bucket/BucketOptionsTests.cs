using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Testing;

namespace FedSeg.Coordinator.Tests.Models.Bucket;

public sealed class BucketOptionsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public BucketOptionsTests() => File.WriteAllText(_folder["keys"], "access\nsecret\n");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("https://s3.example.org", "fedseg", "us-east-1", "")]
    [InlineData("http://127.0.0.1:9000", "fed.seg-1", "garage", "a/b/")]
    public void Problems_GoodSettings_HasNone(string endpoint, string name, string region, string prefix) =>
        Assert.Empty(Of(endpoint, name, region, prefix).Problems(4L << 30));

    [Theory]
    [InlineData("http://s3.example.org", "fedseg", "us-east-1", "", "Endpoint")]
    [InlineData("https://s3.example.org/path", "fedseg", "us-east-1", "", "Endpoint")]
    [InlineData("s3.example.org", "fedseg", "us-east-1", "", "Endpoint")]
    [InlineData("https://s3.example.org", "Fed Seg", "us-east-1", "", "Name")]
    [InlineData("https://s3.example.org", "fedseg", "us/east", "", "Region")]
    [InlineData("https://s3.example.org", "fedseg", "us-east-1", "models", "Prefix")]
    [InlineData("https://s3.example.org", "fedseg", "us-east-1", "a b/", "Prefix")]
    [InlineData("", "fedseg", "us-east-1", "", "Endpoint")]
    public void Problems_OneBadSetting_IsTheOneNamed(string endpoint, string name, string region, string prefix, string key) =>
        Assert.Contains($"Coordinator:Bucket:{key} is", Assert.Single(Of(endpoint, name, region, prefix).Problems(4L << 30)),
            StringComparison.Ordinal);

    [Fact]
    public void Problems_UpdatesLargerThanOneRequest_AreRefusedBeforeOneComes() =>
        Assert.Contains("MaximumUpdateBytes", Assert.Single(Of("https://s3.example.org", "fedseg", "us-east-1", "").Problems(6L << 30)),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("access\n")]
    [InlineData("access\nsecret\nmore\n")]
    [InlineData("")]
    public void Problems_CredentialsOfAnotherForm_AreRefused(string content)
    {
        File.WriteAllText(_folder["keys"], content);

        Assert.Contains("Credentials", Assert.Single(Of("https://s3.example.org", "fedseg", "us-east-1", "").Problems(1)),
            StringComparison.Ordinal);
    }

    private BucketOptions Of(string endpoint, string name, string region, string prefix) =>
        new() { Endpoint = endpoint, Name = name, Region = region, Prefix = prefix, Credentials = _folder["keys"] };
}
