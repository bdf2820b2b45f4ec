using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Phantoms;

/// <summary>
/// One invented patient: an ellipsoidal body, a kidney of deformed ellipsoid shape with textured inside, a tumour on its surface, and distractors
/// of the same brightness elsewhere, so that a threshold is not enough. Positions are mm from the middle of the body.
/// </summary>
internal sealed class PhantomAnatomy
{
    private readonly Vector3D _body;
    private readonly Vector3D _kidney;
    private readonly Vector3D _kidneyRadii;
    private readonly double _cos;
    private readonly double _sin;
    private readonly Vector3D _tumour;
    private readonly double _tumourRadius;
    private readonly (Vector3D Centre, double Radius, double Signal)[] _distractors;
    private readonly ulong _shape;
    private readonly ulong _texture;

    public PhantomAnatomy(PhantomChance chance)
    {
        _body = new(chance.Between(20, 22), chance.Between(17, 19), chance.Between(19, 21));
        _kidney = new(chance.Between(-5, 5), chance.Between(-3, 3), chance.Between(-4, 4));
        _kidneyRadii = new(chance.Between(8, 11), chance.Between(6, 8), chance.Between(8, 11));
        var tangent = chance.Between(-0.35, 0.35); // tangent of half the turn about the long axis
        _cos = (1 - tangent * tangent) / (1 + tangent * tangent);
        _sin = 2 * tangent / (1 + tangent * tangent);
        _shape = chance.Next();
        _texture = chance.Next();
        var direction = Direction(chance);
        _tumour = _kidney + Turned(new(direction.X * _kidneyRadii.X, direction.Y * _kidneyRadii.Y, direction.Z * _kidneyRadii.Z), -_sin);
        _tumourRadius = chance.Between(3.6, 5.2);
        _distractors = [.. Enumerable.Range(0, 6).Select(_ => Distractor(chance)).OfType<(Vector3D, double, double)>()];
    }

    /// <summary>The signal (0 air, about 1 the brightest tissue) and the class (0 none, 1 kidney, 2 tumour) at a position.</summary>
    public (double Signal, byte Label) At(Vector3D mm)
    {
        if (Ellipsoid(mm, _body) > 1)
        {
            return (0.02, 0);
        }

        var texture = PhantomChance.Smooth(_texture, mm.X / 3, mm.Y / 3, mm.Z / 3);
        if ((mm - _tumour).Length < _tumourRadius * (1 + 0.2 * PhantomChance.Smooth(_shape + 1, mm.X / 4, mm.Y / 4, mm.Z / 4)))
        {
            return (0.86 + 0.05 * texture, 2);
        }

        var inKidney = Ellipsoid(Turned(mm - _kidney, _sin), _kidneyRadii) + 0.22 * PhantomChance.Smooth(_shape, mm.X / 7, mm.Y / 7, mm.Z / 7);
        if (inKidney < 1)
        {
            return (0.60 + 0.08 * texture, 1);
        }

        foreach (var (centre, radius, signal) in _distractors)
        {
            if ((mm - centre).Length < radius)
            {
                return (signal + 0.05 * texture, 0);
            }
        }

        return (0.33 + 0.05 * texture, 0);
    }

    private (Vector3D, double, double)? Distractor(PhantomChance chance)
    {
        var direction = Direction(chance);
        var reach = chance.Between(0.6, 0.95);
        var centre = new Vector3D(direction.X * _body.X, direction.Y * _body.Y, direction.Z * _body.Z) * reach;
        var radius = chance.Between(2.2, 4);
        var signal = chance.Between(0, 1) < 0.5 ? 0.60 : 0.86;
        var isClear = Ellipsoid(Turned(centre - _kidney, _sin), _kidneyRadii) > 1.75 && (centre - _tumour).Length > _tumourRadius * 1.3 + radius;
        return isClear ? (centre, radius, signal) : null;
    }

    private Vector3D Turned(Vector3D v, double sin) => new(_cos * v.X + sin * v.Y, _cos * v.Y - sin * v.X, v.Z);

    private static Vector3D Direction(PhantomChance chance)
    {
        while (true)
        {
            var v = new Vector3D(chance.Between(-1, 1), chance.Between(-1, 1), chance.Between(-1, 1));
            if (v.Length is > 0.1 and <= 1)
            {
                return v * (1 / v.Length);
            }
        }
    }

    /// <summary>1 on the surface, growing outwards in units of the radius.</summary>
    private static double Ellipsoid(Vector3D v, Vector3D radii) => new Vector3D(v.X / radii.X, v.Y / radii.Y, v.Z / radii.Z).Length;
}
