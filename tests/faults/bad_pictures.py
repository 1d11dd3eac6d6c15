"""Damaged, hostile and unusual pictures: how they are made, and what is said of them."""

import io
import os
import struct
import zlib

import numpy as np
from PIL import Image

NO_FILE = "file not found, or it is a folder, a pipe or a device"
UNREAD = "the picture cannot be read"
UNKNOWN = f"{UNREAD} (it is in none of "
TOO_LARGE = "pixels is too large"
TOO_SMALL = "pixels is too small, or too narrow, to look for faces in"
ORIENTATION = 0x0112
SIZE = (50, 40)


def noise(seed=0):
    """A picture that no format shrinks much."""
    values = np.random.default_rng(seed).integers(0, 256, (*SIZE[::-1], 3), dtype=np.uint8)
    return Image.fromarray(values)


def encoded(image, form, **how):
    """The bytes of a picture's file."""
    stream = io.BytesIO()
    image.save(stream, form, **how)
    return stream.getvalue()


def turned():
    """What a camera writes that was held on its side."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return exif


def chunk(kind, content):
    """A piece of a PNG file."""
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def png(width, height, *more, content=b""):
    """A PNG file of little content that declares a size."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    packed = chunk(b"IDAT", zlib.compress(content))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + packed + chunk(b"IEND", b"")


def holding(content):
    """A file of this content."""
    return lambda path: path.write_bytes(content)


def of(form, mode="RGB", size=SIZE, **how):
    """A black picture."""
    return holding(encoded(Image.new(mode, size), form, **how))


def huge(path):
    """A gigabyte, of which the disk holds nothing."""
    path.touch()
    os.truncate(path, 2**30)


TEXT_BOMB = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000), 9))
NO_CHECKSUM = encoded(noise(), "PNG")[:-30] + b"\0" + encoded(noise(), "PNG")[-29:]
REMARKS = (  # a camera was held on its side, and the picture is AAAA wide
    b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
    b"\0\x01\x02\0\x04\0\0\0AAAA\0\0\0\0"
)
REFUSED = {
    "missing.png": (lambda path: None, NO_FILE),
    "folder.png": (lambda path: path.mkdir(), NO_FILE),
    "pipe.png": (lambda path: os.mkfifo(path), NO_FILE),
    "endless.png": (lambda path: path.symlink_to("/dev/zero"), NO_FILE),
    "circle.png": (lambda path: path.symlink_to(path), NO_FILE),
    "empty.jpg": (holding(b""), UNKNOWN),
    "text.jpg": (holding(b"no picture\n"), UNKNOWN),
    "page.jpg": (holding(b"<html>404: not found</html>"), UNKNOWN),
    "drawing.png": (
        holding(b'<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/>'),
        UNKNOWN,
    ),
    "program.png": (
        holding(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n"),
        UNKNOWN,
    ),
    "document.png": (holding(b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\n"), UNKNOWN),
    "film.png": (of("GIF", "P", save_all=True, append_images=[Image.new("P", SIZE)] * 50), UNKNOWN),
    "other.png": (of("PPM"), UNKNOWN),
    "half.jpg": (holding(encoded(noise(), "JPEG")[:900]), UNREAD),
    "half.png": (holding(encoded(noise(), "PNG")[:3000]), UNREAD),
    "half.webp": (holding(encoded(noise(), "WEBP")[:900]), UNREAD),
    "half.tif": (holding(encoded(noise(), "TIFF")[:3000]), UNREAD),
    "half.bmp": (holding(encoded(noise(), "BMP")[:3000]), UNREAD),
    "head.png": (holding(b"\x89PNG\r\n\x1a\n"), UNREAD),
    "checksum.png": (holding(NO_CHECKSUM), UNREAD),
    "no pixels.png": (holding(png(50, 50)), UNREAD),
    "texts.png": (holding(png(*SIZE, TEXT_BOMB, content=bytes(6040))), UNREAD),
    "bomb.png": (holding(png(50_000, 50_000)), UNREAD),
    "bomb.bmp": (
        holding(
            encoded(noise(), "BMP").replace(
                struct.pack("<II", *SIZE), struct.pack("<II", 50_000, 50_000), 1
            )
        ),
        UNREAD,
    ),
    "long.png": (holding(png(12_001, 1000)), f"12001 x 1000 {TOO_LARGE}"),
    "large.png": (holding(png(9000, 9000)), f"9000 x 9000 {TOO_LARGE}"),
    "gigabyte.jpg": (huge, "1,073,741,824 bytes are too many for a picture"),
    "dot.png": (of("PNG", size=(1, 1)), f"1 x 1 {TOO_SMALL}"),
    "line.png": (of("PNG", size=(2, 4000)), f"2 x 4000 {TOO_SMALL}"),
    "ribbon.png": (of("PNG", size=(4000, 100)), f"4000 x 100 {TOO_SMALL}"),
    "whole numbers.tif": (of("TIFF", "I"), "pixels of 32 bits"),
    "real numbers.tif": (of("TIFF", "F"), "pixels of 32 bits"),
}
SOUND = {
    "plain.jpg": encoded(noise(), "JPEG", exif=turned()),
    "remarks.jpg": encoded(noise(), "JPEG", exif=REMARKS),
    "print.jpg": encoded(noise().convert("CMYK"), "JPEG", progressive=True),
    "plain.png": encoded(noise(), "PNG", exif=turned()),
    "palette.png": encoded(noise().quantize(16), "PNG", transparency=bytes(range(16))),
    "deep.png": encoded(Image.fromarray(np.arange(2000, dtype=np.uint16).reshape(40, 50)), "PNG"),
    "plain.tif": encoded(noise(), "TIFF", exif=turned()),
    "packed.tif": encoded(noise(), "TIFF", compression="tiff_lzw"),
    "deep.tif": encoded(Image.fromarray(np.arange(2000, dtype=np.uint16).reshape(40, 50)), "TIFF"),
    "plain.bmp": encoded(noise(), "BMP"),
    "plain.webp": encoded(noise(), "WEBP", exif=turned()),
    "clear.webp": encoded(noise().convert("RGBA"), "WEBP", lossless=True),
}

TURNED = {name for name in SOUND if name.split(".")[0] in ("plain", "remarks")} - {"plain.bmp"}


def damaged(original, chance):
    """A picture's file with some other bytes, mostly near its beginning, or its first part."""
    content = bytearray(original)
    for _ in range(chance.choice([1, 1, 2, 4, 8])):
        near = chance.random() < 0.7
        place = chance.randrange(min(len(content), 400) if near else len(content))
        content[place] = chance.choice([0, 255, 1, 127, 128, chance.randrange(256)])
    return bytes(content[: chance.randrange(len(content))] if chance.random() < 0.1 else content)
