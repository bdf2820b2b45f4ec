using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Volumes;
using TorchSharp;
namespace FedSeg.Imaging.Metrics
{
    internal static class DiceScore
    {
        public static double? Of(byte[] a, byte[] b, byte label)
        {
            long i = 0, s = 0;
            for (var k = 0; k < a.Length; k++) { var x = a[k] == label; var y = b[k] == label; if (x) s++; if (y) s++; if (x && y) i++; }
            return s == 0 ? null : 2.0 * i / s;
        }
    }
}
namespace FedSeg.Segmentation.Preprocessing
{
    public sealed class PreparedImage(Volume input)
    {
        public Volume Input => input;
        public static PreparedImage From(Volume image, PreprocessingSpec spec) => new(image);
        public LabelVolume LabelsFrom(torch.Tensor logits) => new(input.Grid, logits.argmax(0).to(torch.ScalarType.Byte).data<byte>().ToArray());
    }
    internal static class CasePreparation
    {
        public static (PreparedCase? Case, QuarantinedCase? Refused) Read(string folder, LabelVocabulary v, PreprocessingSpec s, CancellationToken ct) => throw new NotSupportedException();
    }
}
