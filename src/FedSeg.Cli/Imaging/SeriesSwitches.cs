using System.CommandLine;
using FedSeg.Imaging.Series;

namespace FedSeg.Cli.Imaging;

/// <summary>The switches that mend what is refused by default, the same for every command that makes volumes.</summary>
internal sealed class SeriesSwitches
{
    private readonly Option<bool> _fillGaps = new("--fill-gaps") { Description = "Fill missing slices with air (CT) or the smallest "
        + "value instead of refusing the series." };
    private readonly Option<bool> _resampleTilt = new("--resample-tilt") { Description = "Straighten a stack with a tilted gantry by "
        + "linear interpolation instead of refusing it." };
    private readonly Option<bool> _splitGeometry = new("--split-geometry") { Description = "Take slices of different orientation, size "
        + "or spacing as volumes of their own instead of refusing the series." };

    public void AddTo(Command command)
    {
        command.Options.Add(_fillGaps);
        command.Options.Add(_resampleTilt);
        command.Options.Add(_splitGeometry);
    }

    public SeriesOptions Of(ParseResult parsed) => new()
    {
        FillGaps = parsed.GetValue(_fillGaps),
        ResampleTilt = parsed.GetValue(_resampleTilt),
        SplitMixedGeometry = parsed.GetValue(_splitGeometry),
    };
}
