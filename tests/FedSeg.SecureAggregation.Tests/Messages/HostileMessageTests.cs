using FedSeg.SecureAggregation.Messages;
using FedSeg.SecureAggregation.Server;
using FedSeg.SecureAggregation.Tests.Protocol;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FedSeg.SecureAggregation.Tests.Messages;

/// <summary>
/// Every kind of message of a real exchange, cut, lengthened and changed: reading never throws, and what is read is written back as the
/// same bytes, so there is one way to write a message and nothing can be hidden in another.
/// </summary>
public sealed class HostileMessageTests(HostileMessageTests.Corpus corpus) : IClassFixture<HostileMessageTests.Corpus>
{
    [Fact]
    public void Read_TheCorpus_WritesItBack()
    {
        Assert.Equal(8, corpus.Messages.Select(message => message[0]).Distinct().Count());
        Assert.All(corpus.Messages, message => Assert.Equal(message, ReadAndWrite(message)));
    }

    [Property(MaxTest = 2000)]
    public bool Read_ChangedBytes_IsRefusedOrWrittenBack(NonNegativeInt which, NonNegativeInt at, byte value)
    {
        byte[] message = [.. corpus.Messages[which.Get % corpus.Messages.Count]];
        message[at.Get % message.Length] = value;
        return ReadAndWrite(message) is not { } written || written.SequenceEqual(message);
    }

    [Property(MaxTest = 500)]
    public bool Read_CutOrLengthened_IsRefused(NonNegativeInt which, NonNegativeInt at, byte[] tail)
    {
        var message = corpus.Messages[which.Get % corpus.Messages.Count];
        byte[] cut = message[..(at.Get % message.Length)];
        return ReadAndWrite(cut) is null && (tail.Length == 0 || ReadAndWrite([.. message, .. tail]) is null);
    }

    [Property(MaxTest = 500)]
    public bool Read_AnyBytes_IsRefusedOrWrittenBack(byte kind, byte[] rest)
    {
        byte[] message = [(byte)(kind % 10), .. rest];
        return ReadAndWrite(message) is not { } written || written.SequenceEqual(message);
    }

    private static byte[]? ReadAndWrite(byte[] message) => message.FirstOrDefault() switch
    {
        1 => Advertisement.TryParse(message, out var advertisement) ? advertisement.ToBytes() : null,
        2 => Roster.TryParse(message, out var roster) ? roster.ToBytes() : null,
        3 => ShareOffer.TryParse(message, out var offer) ? offer.ToBytes() : null,
        4 => ShareDelivery.TryParse(message, out var delivery) ? delivery.ToBytes() : null,
        5 => SurvivorList.TryParse(message, out var survivors) ? survivors.ToBytes() : null,
        6 => Confirmation.TryParse(message, out var confirmation) ? confirmation.ToBytes() : null,
        7 => ConfirmationList.TryParse(message, out var confirmations) ? confirmations.ToBytes() : null,
        8 => Disclosure.TryParse(message, out var disclosure) ? disclosure.ToBytes() : null,
        _ => Advertisement.TryParse(message, out _) || Roster.TryParse(message, out _) || Disclosure.TryParse(message, out _) ? [] : null,
    };

    /// <summary>The messages of a sum of five with one site gone.</summary>
    public sealed class Corpus
    {
        public Corpus()
        {
            using var sum = new TestSum(5);
            var site = sum.Context.Sites[0];
            var gone = sum.Context.Sites[4];
            foreach (var other in sum.Context.Sites) Keep(sum, SumStage.Keys, other, TestSum.Message(sum.Clients[other].Advertise()));
            sum.Server.Close();
            var roster = sum.Server.MessageAfter(SumStage.Keys, site)!;
            foreach (var other in sum.Context.Sites) Keep(
                sum, SumStage.Shares, other, TestSum.Message(sum.Clients[other].AnswerRoster(roster)));
            sum.Server.Close();
            Messages.AddRange([roster, sum.Server.MessageAfter(SumStage.Shares, site)!]);
            sum.MaskAll(gone);
            var survivors = sum.Server.MessageAfter(SumStage.Masked, site)!;
            foreach (var other in sum.Context.Sites.Take(
                4)) Keep(sum, SumStage.Confirmations, other, TestSum.Message(sum.Clients[other].AnswerSurvivors(survivors)));
            sum.Server.Close();
            var confirmations = sum.Server.MessageAfter(SumStage.Confirmations, site)!;
            Messages.AddRange([survivors, confirmations, TestSum.Message(sum.Clients[site].AnswerConfirmations(confirmations))]);
        }

        public List<byte[]> Messages { get; } = [];

        private void Keep(TestSum sum, SumStage stage, Federation.Identity.SiteId site, byte[] message)
        {
            Messages.Add(message);
            sum.Server.Accept(stage, site, message);
        }
    }
}
