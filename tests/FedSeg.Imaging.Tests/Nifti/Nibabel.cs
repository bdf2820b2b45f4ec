using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace FedSeg.Imaging.Tests.Nifti;

/// <summary>nibabel (Debian: python3-nibabel) as the independent reader and writer of NIfTI.</summary>
internal static class Nibabel
{
    private const string Python = "/usr/bin/python3";

    /// <summary>Runs a script that may use nib and np; its standard output.</summary>
    public static string Run(string script, params string[] arguments)
    {
        Assert.SkipUnless(File.Exists("/usr/lib/python3/dist-packages/nibabel/__init__.py"), "nibabel not found: apt-get install "
            + "python3-nibabel");
        var start = new ProcessStartInfo(Python, ["-c", "import sys\nimport numpy as np\nimport nibabel as nib\n" + script, .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return output;
    }

    /// <summary>What nibabel reads from each file: affine, and voxels as float32 with the first index fastest, as in memory here.</summary>
    public static IReadOnlyList<(double[][] Affine, float[] Voxels)> Load(params string[] paths)
    {
        var output = Run(
            """
            for path in sys.argv[1:]:
                image = nib.load(path)
                print(' '.join(repr(float(v)) for v in image.affine.ravel()))
                image.get_fdata().astype('<f4').ravel(order='F').tofile(path + '.voxels')
            """,
            paths);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. paths.Select((path, index) =>
        {
            var numbers = lines[index].Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray();
            return (numbers.Chunk(4).ToArray(), MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(path + ".voxels")).ToArray());
        })];
    }
}
