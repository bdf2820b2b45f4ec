namespace FedSeg.RedTeam.Tests.Inversion;

/// <summary>
/// Looks for the image that an update came from, from a grey start and with nothing but the update and what the coordinator knows anyway.
/// </summary>
internal static class GradientInversion
{
    private const int Remembered = 20;

    /// <summary>Adam (Kingma and Ba 2015), pixels kept within 0 to 1; the rate falls to a tenth for the last third.</summary>
    public static float[] ByAdam(Victim victim, float[] update, int seed, int iterations = 600)
    {
        const double beta1 = 0.9, beta2 = 0.999, rate = 0.1, floor = 1e-12;
        using var match = new GradientMatch(victim, update);
        var pixels = Grey(match.Pixels, seed);
        var (mean, square) = (new double[pixels.Length], new double[pixels.Length]);
        for (var step = 1; step <= iterations; step++)
        {
            var slope = match.At(pixels).Slope;
            var length = step > iterations * 2 / 3 ? rate / 10 : rate;
            for (var i = 0; i < pixels.Length; i++)
            {
                mean[i] = beta1 * mean[i] + (1 - beta1) * slope[i];
                square[i] = beta2 * square[i] + (1 - beta2) * slope[i] * slope[i];
                var direction = mean[i] / (1 - Math.Pow(beta1, step)) / (Math.Sqrt(square[i] / (1 - Math.Pow(beta2, step))) + floor);
                pixels[i] = Math.Clamp(pixels[i] - length * direction, 0, 1);
            }
        }

        return [.. pixels.Select(pixel => (float)pixel)];
    }

    /// <summary>L-BFGS with two-loop recursion and backtracking (Nocedal and Wright 2006, algorithms 7.4 and 3.1).</summary>
    public static float[] ByLbfgs(Victim victim, float[] update, int seed, int iterations = 300)
    {
        const double enough = -1 + 1e-9, sufficient = 1e-4;
        using var match = new GradientMatch(victim, update);
        var pixels = Grey(match.Pixels, seed);
        var (value, slope) = match.At(pixels);
        var history = new List<(double[] Moved, double[] Turned, double Curvature)>();
        for (var step = 0; step < iterations && value > enough; step++)
        {
            var direction = Direction(slope, history);
            var descent = Dot(slope, direction);
            var length = step == 0 ? 1 / Math.Sqrt(Dot(slope, slope)) : 1.0;
            double[] next;
            double nextValue;
            double[] nextSlope;
            while (true)
            {
                next = [.. pixels.Zip(direction, (pixel, along) => pixel + length * along)];
                (nextValue, nextSlope) = match.At(next);
                if (nextValue <= value + sufficient * length * descent || length < 1e-8) break;
                length /= 2;
            }

            if (!(nextValue < value)) break;
            double[] moved = [.. next.Zip(pixels, (to, from) => to - from)], turned = [.. nextSlope.Zip(slope, (to, from) => to - from)];
            if (Dot(moved, turned) is > 1e-20 and var curvature) history.Add((moved, turned, curvature));
            if (history.Count > Remembered) history.RemoveAt(0);
            (pixels, value, slope) = (next, nextValue, nextSlope);
        }

        return [.. pixels.Select(pixel => (float)pixel)];
    }

    private static double[] Direction(double[] slope, List<(double[] Moved, double[] Turned, double Curvature)> history)
    {
        double[] direction = [.. slope.Select(value => -value)];
        var shares = new double[history.Count];
        for (var i = history.Count - 1; i >= 0; i--)
        {
            shares[i] = Dot(history[i].Moved, direction) / history[i].Curvature;
            Add(direction, history[i].Turned, -shares[i]);
        }

        if (history.Count > 0)
        {
            var scale = history[^1].Curvature / Dot(history[^1].Turned, history[^1].Turned);
            for (var k = 0; k < direction.Length; k++) direction[k] *= scale;
        }

        for (var i = 0; i < history.Count; i++) Add(direction, history[i].Moved,
            shares[i] - Dot(history[i].Turned, direction) / history[i].Curvature);
        return direction;
    }

    private static double[] Grey(int pixels, int seed)
    {
        var chance = new Random(seed);
        return [.. Enumerable.Range(0, pixels).Select(_ => 0.3 + 0.2 * chance.NextDouble())];
    }

    private static double Dot(double[] first, double[] second)
    {
        var sum = 0.0;
        for (var i = 0; i < first.Length; i++) sum += first[i] * second[i];
        return sum;
    }

    private static void Add(double[] target, double[] along, double times)
    {
        for (var i = 0; i < target.Length; i++) target[i] += times * along[i];
    }
}
