using System;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Copies a 64-bit little-endian ELF library; where no system library offers <see cref="Version"/>, marks the copy's need of it weak, so that the loader warns
/// instead of refusing. Exactly one entry must change, otherwise the package is not the one this was written for and the build fails.
/// Source: System V ABI, "Symbol Versioning" (Linux Standard Base Core 5.0, chapter 10.7): Elf64_Verneed, Elf64_Vernaux, VER_FLG_WEAK.
/// </summary>
public sealed class WeakenSymbolVersion : Task
{
    private const uint VersionNeedSection = 0x6ffffffe;
    private const ushort WeakFlag = 2;

    [Required]
    public string Source { get; set; }

    [Required]
    public string Destination { get; set; }

    [Required]
    public string Version { get; set; }

    /// <summary>Where this system's C++ library may lie; those that don't exist are passed over.</summary>
    [Required]
    public string[] SystemLibraries { get; set; }

    public override bool Execute()
    {
        byte[] library = File.ReadAllBytes(Source);
        if (SystemIsTooOld())
        {
            int changed = Weaken(library);
            if (changed != 1)
            {
                Log.LogError("{0}: {1} needs of {2} where exactly one was expected; the TorchSharp package has changed, see LibTorchSharp.targets.", Source, changed, Version);
                return false;
            }

            Log.LogMessage(MessageImportance.Normal, "Marked the need of {0} weak in {1}", Version, Destination);
        }

        // A new file under the old name: the old one may be hard-linked into bin folders.
        File.Delete(Destination);
        File.WriteAllBytes(Destination, library);
        return true;
    }

    private bool SystemIsTooOld()
    {
        string[] present = SystemLibraries.Where(File.Exists).ToArray();
        string name = "\0" + Version + "\0";
        return present.Length > 0 && !present.Any(path => Encoding.GetEncoding("ISO-8859-1").GetString(File.ReadAllBytes(path)).Contains(name));
    }

    private int Weaken(byte[] elf)
    {
        if (elf.Length < 64 || elf[0] != 0x7f || elf[1] != 'E' || elf[4] != 2 || elf[5] != 1) return 0;
        long sections = BitConverter.ToInt64(elf, 40);
        int sectionSize = BitConverter.ToUInt16(elf, 58);
        int sectionCount = BitConverter.ToUInt16(elf, 60);
        int changed = 0;
        for (int i = 0; i < sectionCount; i++)
        {
            long section = sections + (long)i * sectionSize;
            if (BitConverter.ToUInt32(elf, (int)section + 4) != VersionNeedSection) continue;
            long strings = BitConverter.ToInt64(elf, (int)(sections + (long)BitConverter.ToUInt32(elf, (int)section + 40) * sectionSize) + 24);
            changed += WeakenNeeds(elf, (int)BitConverter.ToInt64(elf, (int)section + 24), (int)strings);
        }

        return changed;
    }

    private int WeakenNeeds(byte[] elf, int need, int strings)
    {
        int changed = 0;
        while (true)
        {
            int entry = need + (int)BitConverter.ToUInt32(elf, need + 8);
            for (int left = BitConverter.ToUInt16(elf, need + 2); left > 0; left--)
            {
                if (NameAt(elf, strings + (int)BitConverter.ToUInt32(elf, entry + 8)) == Version)
                {
                    elf[entry + 4] |= (byte)WeakFlag;
                    changed++;
                }

                entry += (int)BitConverter.ToUInt32(elf, entry + 12);
            }

            uint next = BitConverter.ToUInt32(elf, need + 12);
            if (next == 0) return changed;
            need += (int)next;
        }
    }

    private static string NameAt(byte[] elf, int start)
    {
        int end = Array.IndexOf(elf, (byte)0, start);
        return Encoding.ASCII.GetString(elf, start, end - start);
    }
}
