"""Published test sets that somebody damaged, or that nobody could have meant."""

import os

from published_sets import FHIBE, bfw, facet, fhibe, mst_e, rfw

from repro.study.data_spec import Bfw, Facet, Fhibe, MstE, Rfw

FACES = f"{FHIBE}/data/processed/fhibe_face_crop_align/fhibe_face_crop_align.csv"
DETAILS = "mst-e_data/mst-e_image_details.csv"
PEOPLE = "annotations/annotations.csv"
DEEP = "[" * 100_000


def with_table(make, name, change):
    """A sound set whose table was changed as bytes."""

    def made(root):
        make(root)
        table = root / name
        table.write_bytes(change(table.read_bytes()))

    return made


def swapped(old, new):
    """The first of these bytes are others."""

    def change(content):
        assert old in content
        return content.replace(old, new, 1)

    return change


def in_place(make, name, put):
    """A sound set with something else in the place of a file."""

    def made(root):
        make(root)
        (root / name).unlink()
        put(root / name)

    return made


def _cut(content):
    return content[: len(content) // 2]


CASES = {  # how it is made, its specification, what is said
    "FHIBE: no table": (
        lambda root: root.mkdir(),
        Fhibe,
        "file not found, so this is not a folder",
    ),
    "FHIBE: empty table": (with_table(fhibe, FACES, lambda _: b""), Fhibe, "is empty"),
    "FHIBE: cut in a cell": (with_table(fhibe, FACES, _cut), Fhibe, "is not CSV"),
    "FHIBE: not UTF-8": (with_table(fhibe, FACES, swapped(b"pakistan", b"p\xe4k")), Fhibe, "UTF-8"),
    "FHIBE: header alone": (
        *(with_table(fhibe, FACES, lambda c: c.split(b"\n")[0]), Fhibe, "no portrait to test on"),
    ),
    "FHIBE: a folder as table": (in_place(fhibe, FACES, os.mkdir), Fhibe, "file not found, so"),
    "FHIBE: a pipe as table": (in_place(fhibe, FACES, os.mkfifo), Fhibe, "file not found, so"),
    "FHIBE: a line without an end": (
        *(
            with_table(fhibe, FACES, lambda c: c + b"x" * 2**25),
            Fhibe,
            "more than 16,777,216 bytes",
        ),
    ),
    "FHIBE: deep lists": (
        with_table(fhibe, FACES, swapped(b"['1. He/him/his']", b"[" * 1500)),
        *(Fhibe, "is not a group for 'pronoun'"),
    ),
    "FHIBE: a name with a bell": (
        *(with_table(fhibe, FACES, swapped(b",s1,", b",s\x071,")), Fhibe, "invisible characters"),
    ),
    "MST-E: no row": (
        *(with_table(mst_e, DETAILS, lambda c: c.split(b"\n")[0]), MstE, "no row of a picture"),
    ),
    "MST-E: tone in words": (
        *(with_table(mst_e, DETAILS, swapped(b",4,", b",four,")), MstE, "no Monk skin tone"),
    ),
    "MST-E: leads outside": (
        *(with_table(mst_e, DETAILS, swapped(b"a1.jpg", b"../../x.jpg")), MstE, "no picture"),
    ),
    "FACET: a box of deep lists": (
        with_table(facet, PEOPLE, swapped(b'""x"": 10.0', b'""x"": ' + DEEP[:1500].encode())),
        *(Facet, "is no box"),
    ),
    "FACET: an infinite box": (
        *(with_table(facet, PEOPLE, swapped(b"70.0", b"1e999")), Facet, "is no box"),
    ),
    "FACET: nobody's face": (
        with_table(facet, PEOPLE, lambda c: c.replace(b",1,1\n", b",1,0\n")),
        *(Facet, "no person with a visible face and a group"),
    ),
    "BFW: no group": (lambda root: root.mkdir(), Bfw, "no folder of BFW's groups"),
    "BFW: a link to nothing": (
        in_place(
            bfw,
            "Users/jrobby/bfw/bfw-cropped-aligned/asian_males/n000002/0010_01.jpg",
            lambda path: path.symlink_to("nowhere"),
        ),
        *(Bfw, "a broken link"),
    ),
    "RFW: no group": (lambda root: root.mkdir(), Rfw, "no folders African, Asian"),
    "RFW: a pipe as picture": (
        in_place(rfw, "test/data/Indian/m.0qrs/m.0qrs_0001.jpg", os.mkfifo),
        *(Rfw, "a pipe"),
    ),
}
