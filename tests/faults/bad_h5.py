"""Damaged and hostile HDF5 files: how they are made, and what is said of them."""

import os
import zlib

import h5py
import numpy as np

IMAGES = (6, 64, 64, 3)
LABELS = np.array([[1], [0]] * 3, np.uint8)
PIPE, DEVICE, EMPTY = (f": this is {what}" for what in ("a pipe", "a device", "an empty file"))
DAMAGED = "damaged, truncated or not an HDF5 file"
ELSEWHERE = "'images' is a link to another file; copy its data into this one"
OTHERS = "'images' takes its values from other files; copy them into it"


def noise(seed=0):
    """Images that no filter shrinks."""
    return np.random.default_rng(seed).integers(0, 256, IMAGES, dtype=np.uint8)


def write(path, *, images=None, labels=LABELS, **how):
    """A file in MIT's layout; without images, unless they are given."""
    with h5py.File(path, "w") as file:
        if images is not None:
            file.create_dataset("images", data=images, **how)
        if labels is not None:
            file.create_dataset("labels", data=labels)
    return path


def with_images(make):
    """A file whose images are made by something that is given the open file and the folder."""

    def maker(path):
        write(path)
        with h5py.File(path, "r+") as file:
            make(file, path.parent / "outside")

    return maker


def with_link(link):
    """A file whose images are a link, which is given the folder that it may not lead to."""
    return with_images(lambda file, outside: file.__setitem__("images", link(outside)))


def virtual(file, outside):
    """Images that another file holds."""
    layout = h5py.VirtualLayout(IMAGES, np.uint8)
    layout[:] = h5py.VirtualSource(outside / "secret.h5", "images", IMAGES)
    file.create_virtual_dataset("images", layout)


def stored_outside(file, outside):
    """Images whose bytes are those of another file."""
    size = int(np.prod(IMAGES))
    file.create_dataset("images", IMAGES, np.uint8, external=[(outside / "secret.txt", 0, size)])


def bomb(file, _):
    """75 MB of zeros in a few kilobytes."""
    piece = (1024, 64, 64, 3)
    images = file.create_dataset(
        "images", (6144, *piece[1:]), np.uint8, chunks=piece, compression="gzip"
    )
    packed = zlib.compress(bytes(int(np.prod(piece))), 9)
    for start in range(0, 6144, 1024):
        images.id.write_direct_chunk((start, 0, 0, 0), packed)


def cut(share):
    """The first part of a sound file."""

    def maker(path):
        write(path, images=noise())
        os.truncate(path, int(path.stat().st_size * share))

    return maker


def declared(shape, **how):
    """Images that are only declared."""
    return with_images(lambda file, _: file.create_dataset("images", shape, np.uint8, **how))


def holding(content):
    """Anything else in place of the file."""
    return lambda path: path.write_bytes(content)


def images_of(values, **how):
    """Other values for images."""
    return lambda path: write(path, images=values, **how)


def labels_of(values):
    """Other values for labels."""
    return lambda path: write(path, images=noise(), labels=values)


def groups_of(values, **how):
    """A sound file, but for its groups."""

    def maker(path):
        write(path, images=noise())
        with h5py.File(path, "r+") as file:
            file.create_dataset("groups", data=values, **how)

    return maker


def sound_with(make):
    """A sound file to which something is added."""

    def maker(path):
        write(path, images=noise())
        with h5py.File(path, "r+") as file:
            make(file)

    return maker


TEXT = h5py.string_dtype()
CASES = {
    "missing": (lambda path: None, ": file not found"),
    "folder": (lambda path: path.mkdir(), "a folder, and training images are one HDF5 file"),
    "pipe": (lambda path: os.mkfifo(path), PIPE),
    "without an end": (lambda path: path.symlink_to("/dev/zero"), DEVICE),
    "link to itself": (lambda path: path.symlink_to(path), ": cannot be read (Too many levels"),
    "empty": (holding(b""), EMPTY),
    "text": (holding(b"images, labels\n1, 2\n"), DAMAGED),
    "signature": (holding(b"\x89HDF\r\n\x1a\n"), DAMAGED),
    "cut early": (cut(0.05), DAMAGED),
    "cut late": (cut(0.9), DAMAGED),
    "external link": (
        with_link(lambda outside: h5py.ExternalLink(outside / "secret.h5", "/images")),
        ELSEWHERE,
    ),
    "soft link": (with_link(lambda _: h5py.SoftLink("/labels")), ELSEWHERE),
    "soft link to nothing": (with_link(lambda _: h5py.SoftLink("/nowhere")), ELSEWHERE),
    "soft link to itself": (with_link(lambda _: h5py.SoftLink("/images")), ELSEWHERE),
    "external storage": (with_images(stored_outside), OTHERS),
    "virtual": (with_images(virtual), OTHERS),
    "bomb": (with_images(bomb), "'images' declares 75,497,472 bytes, more than 100 times"),
    "12 TB": (declared((10**9, 64, 64, 3)), "'images' declares 12,288,000,000,000 bytes, more"),
    "12 TB in pieces": (
        declared((10**9, 64, 64, 3), chunks=(1, 64, 64, 3)),
        "'images' declares 12,288,000,000,000 bytes, more than 100 times",
    ),
    "a piece of 3 GB": (
        declared(IMAGES, chunks=(250_000, 64, 64, 3), maxshape=(None, 64, 64, 3)),
        "'images' declares 3,072,000,000 bytes, more than 100 times",
    ),
    "no images": (write, "there is no dataset 'images'; the file holds labels"),
    "group": (with_images(lambda file, _: file.create_group("images")), "there is no dataset 'im"),
    "name that acts on terminals": (
        with_images(lambda file, _: file.create_group("\x1b[31m")),
        "the file holds \\x1b[31m, labels",
    ),
    "one number": (images_of(np.uint8(3)), "images must be uint8 (N, 64, 64, 3), not uint8 ()"),
    "nothing": (images_of(h5py.Empty("u1")), "images must be uint8 (N, 64, 64, 3), not uint8 None"),
    "texts": (images_of(["a"] * 6, dtype=TEXT), "images must be uint8 (N, 64, 64, 3), not object"),
    "floats": (images_of(noise().astype(float)), "images must be uint8 (N, 64, 64, 3), not float"),
    "no image": (
        images_of(np.zeros((0, 64, 64, 3), np.uint8)),
        "labels must be (0, 1), not (6, 1)",
    ),
    "labels as texts": (labels_of(np.array([b"1"] * 6)), "labels must be numbers, not |S1"),
    "labels as records": (labels_of(np.zeros(6, "u1,u1")), "labels must be numbers, not [('f0'"),
    "label that is not a number": (
        labels_of(np.array([1, 0, 1, 0, 1, np.nan])),
        "labels must be 0 (n",
    ),
    "label of another kind": (labels_of(np.array([1, 0, 1, 0, 1, 2])), "labels must be 0 (non-fa"),
    "one label": (labels_of(np.ones(6)), "labels must be 0 (non-face) and 1 (face), and both must"),
    "too few groups": (groups_of(np.array([b"a"] * 5)), "'groups' must be 6 strings of a fixed le"),
    "groups as numbers": (groups_of(np.arange(6)), "one for each image, not int64 (6,)"),
    "groups of any length": (groups_of(["a"] * 6, dtype=TEXT), "image, not object (6,); write it"),
    "groups in a table": (groups_of(np.array([[b"a"]] * 6)), "each image, not |S1 (6, 1)"),
    "groups in another encoding": (
        groups_of(np.array([b"a", b"", "grün".encode("cp1252"), b"", b"a", b""])),
        "the group of image 2 is not text in UTF-8 (invalid start byte)",
    ),
    "groups as a folder": (
        sound_with(lambda file: file.create_group("groups")),
        "there is no dataset 'groups'; the file holds groups, images, labels",
    ),
    "groups elsewhere": (
        sound_with(lambda file: file.__setitem__("groups", h5py.ExternalLink("a.h5", "/groups"))),
        "'groups' is a link to another file; copy its data into this one",
    ),
    "too few labels": (labels_of(np.ones(5)), "labels must be (6, 1), not (5,)"),
}


def damaged(original, chance):
    """A file with some other bytes, where it says what it holds more often than in the images."""
    content = bytearray(original)
    for _ in range(chance.choice([1, 1, 2, 5])):
        near = chance.random() < 0.7
        place = chance.randrange(4096) if near else len(content) - 1 - chance.randrange(4096)
        content[place] = chance.choice([0, 255, 1, 127, 128, chance.randrange(256)])
    return bytes(content)
