using System.Runtime.InteropServices;

namespace FedSeg.Dicom.Codecs;

/// <summary>The few functions of CharLS (2.x, C interface <c>charls_jpegls_*</c>) that decode one JPEG-LS image in memory; struct layout as in its charls.h.</summary>
internal sealed unsafe class CharlsLibrary
{
    private const int MarkerNotFound = 12; // charls_jpegls_errc::jpeg_marker_start_byte_not_found

    private readonly delegate* unmanaged[Cdecl]<nint> _create;
    private readonly delegate* unmanaged[Cdecl]<nint, void> _destroy;
    private readonly delegate* unmanaged[Cdecl]<nint, void*, nuint, int> _setSource;
    private readonly delegate* unmanaged[Cdecl]<nint, int> _readHeader;
    private readonly delegate* unmanaged[Cdecl]<nint, FrameInfo*, int> _getFrameInfo;
    private readonly delegate* unmanaged[Cdecl]<nint, int*, int> _getInterleaveMode;
    private readonly delegate* unmanaged[Cdecl]<nint, void*, nuint, uint, int> _decode;

    private CharlsLibrary(nint handle)
    {
        _create = (delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(handle, "charls_jpegls_decoder_create");
        _destroy = (delegate* unmanaged[Cdecl]<nint, void>)NativeLibrary.GetExport(handle, "charls_jpegls_decoder_destroy");
        _setSource = (delegate* unmanaged[Cdecl]<nint, void*, nuint, int>)NativeLibrary.GetExport(handle, "charls_jpegls_decoder_set_source_buffer");
        _readHeader = (delegate* unmanaged[Cdecl]<nint, int>)NativeLibrary.GetExport(handle, "charls_jpegls_decoder_read_header");
        _getFrameInfo = (delegate* unmanaged[Cdecl]<nint, FrameInfo*, int>)NativeLibrary.GetExport(handle, "charls_jpegls_decoder_get_frame_info");
        _getInterleaveMode = (delegate* unmanaged[Cdecl]<nint, int*, int>)NativeLibrary.GetExport(handle, "charls_jpegls_decoder_get_interleave_mode");
        _decode = (delegate* unmanaged[Cdecl]<nint, void*, nuint, uint, int>)NativeLibrary.GetExport(handle, "charls_jpegls_decoder_decode_to_buffer");
    }

    /// <summary>The library, or <see langword="null"/> where this machine does not have it.</summary>
    public static CharlsLibrary? Instance { get; } =
        NativeCodec.Load(["charls-2-x64.dll", "charls-2.dll"], ["libcharls.2.dylib", "/opt/homebrew/lib/libcharls.2.dylib"], ["libcharls.so.2"]) is var handle and not 0
            ? new CharlsLibrary(handle)
            : null;

    /// <summary>Decodes a whole image, if its header says what <paramref name="isExpected"/> wants; nothing is allocated for the pixels before.</summary>
    /// <param name="isPlanar">Samples lie plane by plane in <paramref name="values"/>, which the stream decides.</param>
    /// <returns><see langword="false"/> when the stream is corrupt or another image than expected.</returns>
    public bool TryDecode(ReadOnlySpan<byte> encoded, Predicate<FrameInfo> isExpected, Span<byte> values, out bool isPlanar)
    {
        isPlanar = false;
        var decoder = _create();
        if (decoder == 0)
        {
            throw new InvalidOperationException("CharLS could not allocate a decoder.");
        }

        try
        {
            fixed (byte* source = encoded, destination = values)
            {
                FrameInfo info;
                int interleaveMode;
                if (_setSource(decoder, source, (nuint)encoded.Length) != 0 || _readHeader(decoder) != 0 || _getFrameInfo(decoder, &info) != 0
                    || !isExpected(info) || _getInterleaveMode(decoder, &interleaveMode) != 0)
                {
                    return false;
                }

                isPlanar = interleaveMode == 0 && info.Components > 1;
                var error = _decode(decoder, destination, (nuint)values.Length, 0);
                // After the only scan the image is complete: some encoders, such as that of NEMA's MR1, pad between the scan and the end marker.
                return error == 0 || (error == MarkerNotFound && !isPlanar);
            }
        }
        finally
        {
            _destroy(decoder);
        }
    }

    /// <summary>What the stream's frame header says.</summary>
    public readonly struct FrameInfo
    {
#pragma warning disable CS0649 // Filled by native code.
        public readonly uint Width;
        public readonly uint Height;
        public readonly int BitsPerSample;
        public readonly int Components;
#pragma warning restore CS0649
    }
}
