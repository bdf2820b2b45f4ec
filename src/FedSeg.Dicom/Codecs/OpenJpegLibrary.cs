using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Codecs;

/// <summary>The few functions of libopenjp2 (2.x, ABI 7) that decode one codestream in memory; struct layouts as in its openjpeg.h.</summary>
internal sealed unsafe class OpenJpegLibrary
{
    private const int CodestreamFormat = 0;
    private const int ParametersBytes = 16 * 1024; // opj_dparameters_t is about 8.3 KiB: two paths of 4096 and some numbers.
    private const nuint StreamBufferBytes = 64 * 1024;

    private readonly delegate* unmanaged[Cdecl]<int, nint> _createDecompress;
    private readonly delegate* unmanaged[Cdecl]<void*, void> _setDefaults;
    private readonly delegate* unmanaged[Cdecl]<nint, void*, int> _setup;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, Image**, int> _readHeader;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, Image*, int> _decode;
    private readonly delegate* unmanaged[Cdecl]<nint, void> _destroyCodec;
    private readonly delegate* unmanaged[Cdecl]<Image*, void> _destroyImage;
    private readonly delegate* unmanaged[Cdecl]<nuint, int, nint> _createStream;
    private readonly delegate* unmanaged[Cdecl]<nint, void> _destroyStream;
    private readonly delegate* unmanaged[Cdecl]<nint, void*, void*, void> _setUserData;
    private readonly delegate* unmanaged[Cdecl]<nint, ulong, void> _setLength;
    private readonly delegate* unmanaged[Cdecl]<nint, void*, void> _setRead;
    private readonly delegate* unmanaged[Cdecl]<nint, void*, void> _setSkip;
    private readonly delegate* unmanaged[Cdecl]<nint, void*, void> _setSeek;

    private OpenJpegLibrary(nint handle)
    {
        _createDecompress = (delegate* unmanaged[Cdecl]<int, nint>)NativeLibrary.GetExport(handle, "opj_create_decompress");
        _setDefaults = (delegate* unmanaged[Cdecl]<void*, void>)NativeLibrary.GetExport(handle, "opj_set_default_decoder_parameters");
        _setup = (delegate* unmanaged[Cdecl]<nint, void*, int>)NativeLibrary.GetExport(handle, "opj_setup_decoder");
        _readHeader = (delegate* unmanaged[Cdecl]<nint, nint, Image**, int>)NativeLibrary.GetExport(handle, "opj_read_header");
        _decode = (delegate* unmanaged[Cdecl]<nint, nint, Image*, int>)NativeLibrary.GetExport(handle, "opj_decode");
        _destroyCodec = (delegate* unmanaged[Cdecl]<nint, void>)NativeLibrary.GetExport(handle, "opj_destroy_codec");
        _destroyImage = (delegate* unmanaged[Cdecl]<Image*, void>)NativeLibrary.GetExport(handle, "opj_image_destroy");
        _createStream = (delegate* unmanaged[Cdecl]<nuint, int, nint>)NativeLibrary.GetExport(handle, "opj_stream_create");
        _destroyStream = (delegate* unmanaged[Cdecl]<nint, void>)NativeLibrary.GetExport(handle, "opj_stream_destroy");
        _setUserData = (delegate* unmanaged[Cdecl]<nint, void*, void*, void>)NativeLibrary.GetExport(handle, "opj_stream_set_user_data");
        _setLength = (delegate* unmanaged[Cdecl]<nint, ulong, void>)NativeLibrary.GetExport(handle, "opj_stream_set_user_data_length");
        _setRead = (delegate* unmanaged[Cdecl]<nint, void*, void>)NativeLibrary.GetExport(handle, "opj_stream_set_read_function");
        _setSkip = (delegate* unmanaged[Cdecl]<nint, void*, void>)NativeLibrary.GetExport(handle, "opj_stream_set_skip_function");
        _setSeek = (delegate* unmanaged[Cdecl]<nint, void*, void>)NativeLibrary.GetExport(handle, "opj_stream_set_seek_function");
        var version = (delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(handle, "opj_version");
        Version = Version.TryParse(Marshal.PtrToStringAnsi(version()), out var parsed) ? parsed : new Version(2, 0);
    }

    /// <summary>The library, or <see langword="null"/> where this machine does not have it.</summary>
    public static OpenJpegLibrary? Instance { get; } =
        NativeCodec.Load(["openjp2.dll", "libopenjp2-7.dll"], ["libopenjp2.7.dylib", "/opt/homebrew/lib/libopenjp2.7.dylib"], ["libopenjp2.so.7"]) is var handle and not 0
            ? new OpenJpegLibrary(handle)
            : null;

    public Version Version { get; }

    /// <summary>Decodes a bare codestream; <see langword="false"/> when it is corrupt or its components don't fit <paramref name="layout"/>.</summary>
    public bool TryDecode(ReadOnlySpan<byte> codestream, PixelLayout layout, bool isLossy, Span<byte> values)
    {
        fixed (byte* bytes = codestream)
        {
            var source = new Source { Bytes = bytes, Length = codestream.Length };
            var codec = _createDecompress(CodestreamFormat);
            var stream = _createStream(StreamBufferBytes, 1);
            Image* image = null;
            try
            {
                if (codec == 0 || stream == 0)
                {
                    throw new InvalidOperationException("OpenJPEG could not allocate a decoder.");
                }

                var parameters = stackalloc byte[ParametersBytes];
                _setDefaults(parameters);
                _setUserData(stream, &source, null);
                _setLength(stream, (ulong)codestream.Length);
                _setRead(stream, (delegate* unmanaged[Cdecl]<void*, nuint, Source*, nuint>)&Read);
                _setSkip(stream, (delegate* unmanaged[Cdecl]<long, Source*, long>)&Skip);
                _setSeek(stream, (delegate* unmanaged[Cdecl]<long, Source*, int>)&Seek);
                return _setup(codec, parameters) != 0
                    && _readHeader(stream, codec, &image) != 0
                    && _decode(codec, stream, image) != 0
                    && TryCopy(image, layout, isLossy, values);
            }
            finally
            {
                if (image != null)
                {
                    _destroyImage(image);
                }

                if (stream != 0)
                {
                    _destroyStream(stream);
                }

                if (codec != 0)
                {
                    _destroyCodec(codec);
                }
            }
        }
    }

    private static bool TryCopy(Image* image, PixelLayout layout, bool isLossy, Span<byte> values)
    {
        if (image->ComponentCount != layout.SamplesPerPixel)
        {
            return false;
        }

        var pixels = layout.Rows * layout.Columns;
        for (var c = 0; c < layout.SamplesPerPixel; c++)
        {
            var component = image->Components + c;
            if (component->Data == null || component->Width != layout.Columns || component->Height != layout.Rows || component->Precision > layout.BitsAllocated)
            {
                return false;
            }

            var (first, stride) = (layout.FirstValueOf(c), layout.ValueStride);
            // The sign is known here and nowhere else: what overshoots a signed range must not wrap around.
            var (least, most) = isLossy && layout.IsSigned && component->IsSigned != 0
                ? ((int)(-1L << (layout.BitsStored - 1)), (int)((1L << (layout.BitsStored - 1)) - 1))
                : (int.MinValue, int.MaxValue);
            for (var i = 0; i < pixels; i++)
            {
                var value = Math.Clamp(component->Data[i], least, most);
                var cell = values[((first + i * stride) * layout.BytesPerValue)..];
                switch (layout.BytesPerValue)
                {
                    case 1:
                        cell[0] = (byte)value;
                        break;
                    case 2:
                        BinaryPrimitives.WriteInt16LittleEndian(cell, (short)value);
                        break;
                    default:
                        BinaryPrimitives.WriteInt32LittleEndian(cell, value);
                        break;
                }
            }
        }

        return true;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint Read(void* buffer, nuint count, Source* source)
    {
        var left = source->Length - source->Position;
        if (left <= 0)
        {
            return nuint.MaxValue; // (OPJ_SIZE_T)-1 is OpenJPEG's end of stream.
        }

        var taken = (long)Math.Min((ulong)left, count);
        Buffer.MemoryCopy(source->Bytes + source->Position, buffer, taken, taken);
        source->Position += taken;
        return (nuint)taken;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Skip(long count, Source* source)
    {
        if (count < 0 || count > source->Length - source->Position)
        {
            return -1;
        }

        source->Position += count;
        return count;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Seek(long position, Source* source)
    {
        if (position < 0 || position > source->Length)
        {
            return 0;
        }

        source->Position = position;
        return 1;
    }

    private struct Source
    {
        public byte* Bytes;
        public long Length;
        public long Position;
    }

#pragma warning disable CS0649, CS0169 // Filled by native code.
    private struct Image
    {
        public uint X0, Y0, X1, Y1, ComponentCount;
        public int ColorSpace;
        public Component* Components;
    }

    private struct Component
    {
        public uint Dx, Dy, Width, Height, X0, Y0, Precision, BitsPerPixel, IsSigned, DecodedResolutions, Factor;
        public int* Data;
        public ushort Alpha;
    }
#pragma warning restore CS0649, CS0169
}
