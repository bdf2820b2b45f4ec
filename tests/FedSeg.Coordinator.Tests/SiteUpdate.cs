using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Protocol.V1;
using Google.Protobuf;

namespace FedSeg.Coordinator.Tests;

/// <summary>A sealed and signed update as a site announces it, and its weights file.</summary>
internal sealed record SiteUpdate(UploadAnnouncement Announced, byte[] Bytes, RoundPlan Plan)
{
    /// <summary>How its upload begins.</summary>
    public UploadHeader Header => new()
    {
        Key = new UploadKey { RunId = Plan.Run.ToString(), Round = Plan.Round, Digest = Announced.Digest.ToString() },
        Report = ByteString.CopyFrom(Announced.Report),
        PayloadSha256 = Announced.Payload.ToString(),
        PayloadBytes = Announced.PayloadBytes,
        Signature = ByteString.CopyFrom(Announced.Signature),
    };

    /// <summary>An update that passes every check: every element the same.</summary>
    public static SiteUpdate Of(RoundPlan plan, SiteId site, ECDsa key, float value = 0.5f, int cases = 10) =>
        Of(plan, site, key, Report(plan, site, cases).ToBytes(), plan.Task == RoundTask.Train ? Weights(plan, value) : []);

    /// <summary>Whatever report and weights, properly sealed and signed.</summary>
    public static SiteUpdate Of(RoundPlan plan, SiteId site, ECDsa key, byte[] report, byte[] weights)
    {
        Sha256Digest? payload = weights.Length > 0 ? Sha256Digest.Of(weights) : null;
        var digest = SealedDigest.Of(report, payload);
        return new SiteUpdate(new UploadAnnouncement(site, report, payload, weights.Length, digest, key.SignHash(digest.ToBytes())), weights, plan);
    }

    public static SiteReport Report(RoundPlan plan, SiteId site, int cases = 10) => new()
    {
        Run = plan.Run,
        Round = plan.Round,
        Task = plan.Task,
        Site = site,
        Plan = Sha256Digest.Of(plan.ToBytes()),
        BaseModel = plan.BaseModel,
        TrainingCases = plan.Task == RoundTask.Train ? cases : 0,
        HeldBackCases = 2,
        Steps = plan.Task == RoundTask.Train ? plan.Recipe.StepsPerRound : 0,
        MeanLoss = plan.Task == RoundTask.Train ? 0.5 : null,
        Scores = [new LabelScore("kidney", 0.8, 2)],
    };

    /// <summary>Weights in the plan's encoding; <paramref name="value"/> must be one of its steps.</summary>
    public static byte[] Weights(RoundPlan plan, float value, float step = 0.25f) => Written(path =>
    {
        using var writer = UpdateWriter.Create(path, plan.UpdateManifest().All, plan.Recipe.UpdateEncoding);
        foreach (var tensor in plan.UpdateManifest().All.Tensors)
        {
            writer.BeginTensor(step);
            writer.Write(Enumerable.Repeat(value, (int)tensor.ElementCount).ToArray());
        }

        writer.Complete();
    });

    /// <summary>The first places of every tensor, but that the very first is another.</summary>
    public static byte[] Sparse(RoundPlan plan, int firstPlace, float value = 0.5f) => Written(path =>
    {
        using var writer = SafetensorsWriter.Create(path, EncodedManifest.Of(plan.UpdateManifest().All, plan.Recipe.UpdateEncoding));
        foreach (var tensor in plan.UpdateManifest().All.Tensors)
        {
            int[] places = [.. Enumerable.Range(0, plan.Recipe.UpdateEncoding.KeptOf(tensor.ElementCount))];
            if (tensor == plan.UpdateManifest().All.Tensors[0]) places[0] = firstPlace;
            writer.WriteElements(MemoryMarshal.AsBytes(places.AsSpan()));
            writer.Write(Enumerable.Repeat(value, places.Length).ToArray());
        }

        writer.Complete();
    });

    public static byte[] Weights(TensorManifest manifest, float value, IReadOnlyDictionary<string, string>? metadata = null) => Written(path =>
    {
        using var writer = SafetensorsWriter.Create(path, manifest, metadata);
        foreach (var tensor in manifest.Tensors) writer.Write(Enumerable.Repeat(value, (int)tensor.ElementCount).ToArray());
        writer.Complete();
    });

    private static byte[] Written(Action<string> write)
    {
        var path = Path.GetTempFileName();
        try
        {
            write(path);
            return File.ReadAllBytes(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
