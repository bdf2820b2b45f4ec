using System.Globalization;
using System.Net;
using System.Text;
using FedSeg.Imaging.Pictures;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Cli.Engine;

/// <summary>
/// The page of one study: a picture a label and question, and the numbers that say how far to trust them. One file, no script, nothing
/// fetched from anywhere; it shows a patient.
/// </summary>
internal sealed class ExplanationPage
{
    private readonly ExplainedStudy _study;
    private readonly List<(int Label, string Name, string Caption, byte[] Png)> _pictures = [];

    public ExplanationPage(ExplainedStudy study)
    {
        _study = study;
        for (var label = 1; label <= study.Labels.Count; label++) AddPictures(label);
    }

    /// <summary>Writes every picture as <c>label-what.png</c>.</summary>
    public void WritePictures(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (label, name, _, png) in _pictures) File.WriteAllBytes(Path.Combine(folder, $"{label}-{name}.png"), png);
    }

    public string Html()
    {
        var page = new StringBuilder();
        page.Append(
            """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>FedSeg: a segmentation explained</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <style>
            body { background: #14171c; color: #dde3ea; font: 15px/1.5 system-ui, sans-serif; }
            body { margin: 0 auto; max-width: 1300px; padding: 1.5rem; }
            h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
            .stays { background: #5a2a00; border-radius: 6px; padding: .5rem .9rem; }
            .swatch { border-radius: 3px; display: inline-block; height: .8em; margin-right: .4em; width: .8em; }
            table { border-collapse: collapse; }
            th, td { border-bottom: 1px solid #333a44; padding: .25rem .9rem .25rem 0; text-align: left; }
            th:not(:first-child) { text-align: right; } td.number { font-variant-numeric: tabular-nums; text-align: right; }
            .row { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); }
            figure { margin: 0; }
            img { border-radius: 4px; display: block; image-rendering: pixelated; max-height: 420px; max-width: 100%; }
            figcaption { color: #aab4c0; font-size: .85rem; padding-top: .3rem; } .muted { color: #8b95a1; }
            </style></head><body>
            <h1>A segmentation explained</h1>
            <p class="stays">This page shows a patient. It stays at the hospital.</p>

            """);
        page.Append(CultureInfo.InvariantCulture, $"<p>{Model()}</p>\n{Numbers()}");
        foreach (var label in _pictures.GroupBy(picture => picture.Label))
        {
            page.Append(Row(label.Key, label.Select(picture => (picture.Caption, picture.Png))));
        }

        page.Append(Reading);
        return page.Append("</body></html>\n").ToString();
    }

    private const string Reading =
        """
        <h2>How to read it</h2>
        <ul>
        <li><b>Entropy</b>: where the models are unsure, whatever the reason. Borders always are; a blot inside or
        away from the organ is a reason to look.</li>
        <li><b>Mutual information</b>: where they disagree, which is what more training data could mend. It needs several models
        or mirror images.</li>
        <li><b>Agreement</b>: mean Dice of all pairs of models. A low one is the best simple warning of a failed
        segmentation.</li>
        <li><b>Grad-CAM</b>: where the coarsest features lie that speak for the label. <b>Occlusion</b>: how much its probability
        falls when a block is hidden (red), or rises (blue). <b>Integrated gradients</b>: which voxels add to it (red) or take from it
        (blue). Two of the three agreeing says more than any alone.</li>
        <li><b>With random weights</b>: rank correlation of a map with that of a network that knows nothing. Near 1, the map shows the
        image rather than the model.</li>
        <li><b>Gap</b>: what the integrated gradients miss of the score they should add up to. Above 0.1, ask for more --steps.</li>
        </ul>

        """;

    private void AddPictures(int label)
    {
        var (image, found) = (_study.Image, _study.Uncertain.Labels);
        var slice = _study.LargestSlice(label);
        var window = SlicePicture.WindowOf(image);
        var colour = ColourOf(label);
        SlicePicture Plain() => new(image, slice, window);
        void Add(string name, string caption, SlicePicture picture) => _pictures.Add((label, name, caption, picture.ToPng()));
        SlicePicture Outlined(SlicePicture picture) => picture.AddContour(found, (byte)label, colour);

        Add("image", $"Slice {slice + 1} of {image.Grid.Size.Z}", Plain());
        var all = Plain();
        for (var other = 1; other <= _study.Labels.Count; other++) all.AddContour(found, (byte)other, ColourOf(other));
        Add("contour", "What was found", all);
        AddHeat("entropy", "Entropy", "nats", _study.Uncertain.Entropy, Math.Log(_study.Labels.Count + 1));
        if (_study.Agreement is not null)
        {
            var highest = Highest(_study.Uncertain.MutualInformation);
            AddHeat("mutual-information", "Mutual information", "nats", _study.Uncertain.MutualInformation, highest);
        }

        if (_study.Explanations[label - 1] is not { } explained) return;
        AddHeat("grad-cam", "Grad-CAM", "of its highest", explained.GradCam, Highest(explained.GradCam), share: true);
        if (explained.Occlusion is { } occlusion) AddSigned("occlusion", "Occlusion", "of probability", occlusion);
        AddSigned("integrated-gradients", "Integrated gradients", "of the logit, a voxel", explained.IntegratedGradients);

        void AddHeat(string name, string title, string unit, Volume map, double highest, bool share = false) => Add(
            name,
            string.Create(CultureInfo.InvariantCulture, $"{title}: 0 to {(share ? 1 : highest):G2} {unit}"),
            Outlined(Plain().AddHeat(map, highest)));
        void AddSigned(string name, string title, string unit, Volume map) => Add(
            name,
            string.Create(CultureInfo.InvariantCulture, $"{title}: ±{Highest(map):G2} {unit}"),
            Outlined(Plain().AddSigned(map, Highest(map))));
    }

    /// <summary>The 99.9th percentile of what is not 0, so that one voxel doesn't dim all the others.</summary>
    private static double Highest(Volume map)
    {
        var values = map.Voxels.Where(value => value != 0).Select(Math.Abs).Order().ToArray();
        return values.Length == 0 ? 0 : values[(int)((values.Length - 1) * 0.999)];
    }

    private string Model()
    {
        var model = _study.Model;
        var origin = model.Run is { } run ? $"of run {run}, round {model.Round}" : "trained outside a federation";
        var size = _study.Image.Grid.Size;
        var agreement = _study.Agreement is { } members
            ? string.Create(CultureInfo.InvariantCulture, $"agreement of its members {members.Score:F3}.")
            : "one opinion only, so none to disagree.";
        return WebUtility.HtmlEncode(
            $"{model.Preprocessing.Modality} of {size.X} × {size.Y} × {size.Z} voxels; model {model.Architecture.Name} {origin}; "
            + agreement);
    }

    private string Numbers()
    {
        var table = new StringBuilder("<table><tr><th>label</th><th>volume</th><th>agreement</th><th>mean entropy</th><th>probability</th>"
            + "<th>gap</th><th>Grad-CAM with random weights</th><th>gradients with random weights</th></tr>\n");
        for (var label = 1; label <= _study.Labels.Count; label++)
        {
            var explained = _study.Explanations[label - 1];
            table.Append(CultureInfo.InvariantCulture, $"<tr><td>{Name(label)}</td>");
            Cell($"{_study.VolumeMl(label).ToString("F2", CultureInfo.InvariantCulture)} ml");
            Number(_study.Agreement?.DicePerLabel[label - 1]);
            Number(_study.MeanWithin(_study.Uncertain.Entropy, label));
            Number(explained?.Probability);
            Number(explained?.CompletenessGap);
            Number(explained?.GradCamOfRandomWeights);
            Number(explained?.IntegratedGradientsOfRandomWeights);
            table.Append("</tr>\n");
        }

        return table.Append("</table>\n").ToString();

        void Number(double? value) =>
            Cell(value is { } number && double.IsFinite(number) ? number.ToString("F3", CultureInfo.InvariantCulture) : "–");
        void Cell(string text) => table.Append(CultureInfo.InvariantCulture, $"<td class=\"number\">{text}</td>");
    }

    private string Row(int label, IEnumerable<(string Caption, byte[] Png)> pictures)
    {
        var row = new StringBuilder();
        row.Append(CultureInfo.InvariantCulture, $"<h2>{Name(label)}</h2>\n");
        if (_study.Explanations[label - 1] is null) row.Append("<p class=\"muted\">Not found, so there is nothing to explain.</p>\n");
        row.Append("<div class=\"row\">\n");
        foreach (var (caption, png) in pictures)
        {
            var text = WebUtility.HtmlEncode(caption);
            var data = Convert.ToBase64String(png);
            row.Append(CultureInfo.InvariantCulture, $"<figure><img alt=\"{text}\" src=\"data:image/png;base64,{data}\">");
            row.Append(CultureInfo.InvariantCulture, $"<figcaption>{text}</figcaption></figure>\n");
        }

        return row.Append("</div>\n").ToString();
    }

    private string Name(int label) =>
        $"<span class=\"swatch\" style=\"background: {ColourOf(label)}\"></span>{WebUtility.HtmlEncode(_study.Labels[label - 1])}";

    private static Colour ColourOf(int label) => Colour.OfLabels[(label - 1) % Colour.OfLabels.Count];
}
