#!/usr/bin/python3
"""Makes the corpus beside it: four small pictures in every transfer syntax, and data sets with odd structure.

Needs Debian's python3-pydicom, dcmtk and libgdcm-tools, and for HTJ2K the npm package @cornerstonejs/codec-openjph: `make.py PATH_OF_OPENJPHJS`.
The names tell picture and coding: s16 is signed in 16 bits, u12 unsigned 12 in 16, u8 unsigned 8, rgb three times 8. `*.raw.dcm` is each picture's oracle.
"""
import pathlib
import subprocess
import sys
import tempfile
import zlib

import numpy
from pydicom._uid_dict import UID_dictionary
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate

HERE = pathlib.Path(__file__).parent
ROWS, COLUMNS = 24, 20
EXPLICIT = "1.2.840.10008.1.2.1"
for newer in ("4.201", "4.202", "4.203", "8.1"):
    UID_dictionary["1.2.840.10008.1.2." + newer] = ("newer than this pydicom", "Transfer Syntax", "", "", "")


def pictures():
    chance = numpy.random.default_rng(20260102)
    y, x = numpy.mgrid[0:ROWS, 0:COLUMNS]
    smooth = 0.5 + 0.4 * numpy.sin(x / 5.0) * numpy.cos(y / 7.0)
    noisy = numpy.clip(smooth + chance.normal(0, 0.02, smooth.shape), 0, 1)
    s16 = numpy.round(noisy * 65535 - 32768).astype("<i2")
    s16[0, :4] = [-32768, 32767, 0, -1]
    u12 = numpy.round(noisy * 4095).astype("<u2")
    u12[0, :4] = [0, 4095, 2048, 1]
    u8 = numpy.round(noisy * 255).astype("u1")
    u8[0, :4] = [0, 255, 128, 1]
    rgb = numpy.stack([u8, 255 - u8, numpy.roll(u8, 3, axis=1)], axis=2)
    return {"s16": (s16, 16, 16, 1), "u12": (u12, 16, 12, 0), "u8": (u8, 8, 8, 0), "rgb": (rgb, 8, 8, 0)}


def data_set(pixels, allocated, stored, signed, syntax=EXPLICIT, frames=None):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = "2.25.1"
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = "2.25.2"
    ds = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    ds.is_little_endian, ds.is_implicit_VR = True, syntax == "1.2.840.10008.1.2"
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.ConversionType, ds.PatientName, ds.PatientID = "OT", "SYN", "Corpus^Test", "0"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.3", "2.25.4"
    ds.Rows, ds.Columns = ROWS, COLUMNS
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = allocated, stored, stored - 1, signed
    ds.SamplesPerPixel = 3 if pixels is not None and pixels.ndim == 3 else 1
    ds.PhotometricInterpretation = "RGB" if ds.SamplesPerPixel == 3 else "MONOCHROME2"
    if ds.SamplesPerPixel == 3:
        ds.PlanarConfiguration = 0
    if frames:
        ds.NumberOfFrames = frames
    if pixels is not None:
        ds.PixelData = pixels.tobytes()
        ds["PixelData"].VR = "OW" if allocated == 16 else "OB"
    return ds


def save(ds, name):
    ds.save_as(HERE / name, write_like_original=False)


def encapsulated(ds, name, frames, offset_table=True):
    ds.PixelData = encapsulate(frames, has_bot=offset_table)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    save(ds, name)


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


def htj2k(openjph, pixels, bits, signed, reversible, progression):
    script = """const [,, js, inp, out, w, h, bits, signed, reversible, progression] = process.argv;
require(js)().then(m => { const e = new m.HTJ2KEncoder();
e.getDecodedBuffer({width:+w,height:+h,bitsPerSample:+bits,componentCount:1,isSigned:signed==='1',isUsingColorTransform:false}).set(require('fs').readFileSync(inp));
e.setQuality(reversible==='1', 0.0005); e.setProgressionOrder(+progression); e.setDecompositions(2); e.encode();
require('fs').writeFileSync(out, Buffer.from(e.getEncodedBuffer())); });"""
    with tempfile.TemporaryDirectory() as folder:
        (raw, coded) = (pathlib.Path(folder, "raw"), pathlib.Path(folder, "coded"))
        raw.write_bytes(pixels.tobytes())
        pathlib.Path(folder, "encode.js").write_text(script)
        run("node", pathlib.Path(folder, "encode.js"), openjph, raw, coded, COLUMNS, ROWS, bits, signed, int(reversible), progression)
        return coded.read_bytes()


def main(openjph):
    for name, (pixels, allocated, stored, signed) in pictures().items():
        raw = HERE / f"{name}.raw.dcm"
        save(data_set(pixels, allocated, stored, signed), raw.name)
        out = lambda coding: HERE / f"{name}.{coding}.dcm"
        run("dcmconv", "+ti", raw, out("implicit"))
        run("dcmconv", "+tb", raw, out("bigendian"))
        run("dcmconv", "+td", raw, out("deflated"))
        run("dcmcrle", raw, out("rle"))
        run("dcmcjpeg", "+el", "+sv", 4, raw, out("jpeg57"))
        run("dcmcjpeg", "+e1", raw, out("jpeg70"))
        run("dcmcjpls", "+el", raw, out("jpegls80"))
        if not signed:
            run("dcmcjpls", "+en", "+md", 2, raw, out("jpegls81"))
        run("gdcmconv", "--j2k", raw, out("j2k90"))
        run("gdcmconv", "--j2k", "--lossy", "-q", "50", raw, out("j2k91"))
        if name == "u8":
            run("dcmcjpeg", "+eb", "+q", 95, raw, out("jpeg50"))
        if name == "rgb":
            run("dcmcjpeg", "+eb", "+cy", "+s2", "+q", 95, raw, out("jpeg50"))
        if name == "u12":
            run("dcmcjpeg", "+ee", "+q", 95, raw, out("jpeg51"))
        for coding, uid, reversible, progression in (("htj2k201", "201", True, 0), ("htj2k202", "202", True, 2), ("htj2k203", "203", False, 2)):
            if name == "rgb":
                continue
            coded = htj2k(openjph, pixels, stored, signed, reversible, progression)
            encapsulated(data_set(pixels, allocated, stored, signed, "1.2.840.10008.1.2.4." + uid), out(coding).name, [coded])
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        encapsulated(data_set(pixels, allocated, stored, signed, "1.2.840.10008.1.2.8.1"), out("deflatedframe").name, [deflate.compress(pixels.tobytes()) + deflate.flush()])

    u8 = pictures()["u8"][0]
    bits = numpy.packbits((numpy.stack([u8, u8.T.reshape(u8.shape), 255 - u8]) > 128).ravel(), bitorder="little")
    segmentation = data_set(None, 1, 1, 0, frames=3)
    segmentation.PixelData = bits.tobytes()
    segmentation["PixelData"].VR = "OB"
    save(segmentation, "bits.3frames.dcm")

    nested = data_set(u8, 8, 8, 0)
    nested.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    nested.PatientName = "Yamada^Tarou"
    level = nested
    for depth in range(6):
        item = Dataset()
        item.SeriesDescription = f"level {depth}"
        item.is_undefined_length_sequence_item = depth % 2 == 0
        level.ReferencedSeriesSequence = [item, Dataset()]
        level["ReferencedSeriesSequence"].is_undefined_length = depth % 2 == 1
        level = item
    nested.private_block(0x0009, "FEDSEG CORPUS", create=True).add_new(1, "UN", b"private!")
    save(nested, "nested.private.dcm")


if __name__ == "__main__":
    main(sys.argv[1])
