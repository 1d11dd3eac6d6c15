"""Bundles as somebody could damage or forge them: bytes, members, and what they say of each other.

Each entry makes a bad file of a sound bundle. `FORGED` has right digests everywhere, as an attacker
would write them.
"""

import json
import struct
import warnings
import zipfile

from bundled_study import FAILED, described, with_member

CRATE = "ro-crate-metadata.json"
INDEX = "results/studies/toy/embedded.json"
RECORD = "results/runs/0.1-seed0/record.json"
FILE, LINK = 0o100644, 0o120777


def raw(change):
    """A change of the bytes of the file."""

    def make(sound, target):
        target.write_bytes(change(sound.read_bytes()))

    return make


def members(change, *, digests=False):
    """A change of the members; with digests that fit."""

    def both(found):
        change(found)
        if digests:
            described(found)

    return lambda sound, target: with_member(sound, target, both)


def added(name, content=b"x", mode=FILE, **said):
    """One member more, which the crate does not list, of any name and kind."""

    def make(sound, target):
        target.write_bytes(sound.read_bytes())
        with warnings.catch_warnings(), zipfile.ZipFile(target, "a") as archive:
            warnings.simplefilter("ignore")  # of a name that is given twice
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            for key, value in said.items():
                setattr(info, key, value)
            archive.writestr(info, content)

    return make


def encrypted(content):
    """Every member says that it is encrypted."""
    found = bytearray(content)
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = found.find(mark)
        while at >= 0:
            found[at + place] |= 1
            at = found.find(mark, at + 4)
    return bytes(found)


def oversold(content):
    """The first member says that it becomes four gigabytes."""
    found = bytearray(content)
    at = found.find(b"PK\x01\x02")
    found[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)
    return bytes(found)


def put(name, content):
    """A member with another content, or a new one."""
    return lambda found: found.update({name: content})


def replaced(name, old, new):
    """Some bytes of a member in place of others."""

    def change(found):
        assert old in found[name]
        found[name] = found[name].replace(old, new)

    return change


def without(name):
    """A member less."""
    return lambda found: found.pop(name)


def renamed(old, new):
    """A member under another name, also in the crate."""

    def change(found):
        found[new] = found.pop(old)
        found[CRATE] = found[CRATE].replace(f'"{old}"'.encode(), f'"{new}"'.encode())

    return change


def crate(change):
    """A change of the crate's list of entities."""

    def both(found):
        content = json.loads(found[CRATE])
        change(content["@graph"])
        found[CRATE] = json.dumps(content).encode()

    return members(both)


def second_index(found):
    """Another study beside the first, listed as it should be."""
    found["results/studies/other/embedded.json"] = found[INDEX].replace(b"toy", b"other")
    content = json.loads(found[CRATE])
    content["@graph"].append(
        {"@id": "results/studies/other/embedded.json", "@type": "File", "sha256": "x"}
    )
    found[CRATE] = json.dumps(content).encode()


def twice(graph):
    """The first file is described twice."""
    graph.append(next(one for one in graph if one["@type"] == "File"))


DAMAGED = {
    "nothing": raw(lambda _: b""),
    "text": raw(lambda _: b"this is no archive"),
    "half": raw(lambda content: content[: len(content) // 2]),
    "end cut off": raw(lambda content: content[:-30]),
    "zeros in the middle": raw(lambda c: c[:2000] + bytes(500) + c[2500:]),
    "encrypted": raw(encrypted),
    "four gigabytes": raw(oversold),
    "another archive": lambda _, target: zipfile.ZipFile(target, "w").close(),
}
NAMES = {
    "above": added("../victim"),
    "above from within": added("results/../../victim"),
    "absolute": added("/tmp/victim-of-repro"),
    "drive": added("C:\\victim"),
    "backslashes": added("..\\victim"),
    "device of Windows": added("results/a:b"),
    "control characters": added("a\x1b[31mb"),
    "reversed": added("a\u202etxt.exe"),
    "twice": added(INDEX),
    "case": added(INDEX.upper()),
    "deep": added("a/" * 50 + "a"),
    "long": added("a" * 5000),
    "empty part": added("results//a"),
    "dot": added("results/./a"),
    "link": added("results/link", b"/etc/passwd", LINK),
    "link of a record": added("results/runs/x", b"/", LINK),
    "pipe": added("results/pipe", b"", 0o010666),
    "device": added("results/zero", b"", 0o020666),
    "socket": added("results/socket", b"", 0o140666),
    "folder with content": added("results/more/", b"x", 0o040755),
    "bomb": added("results/zeros", bytes(300_000_000)),
    "unlisted record": added("results/runs/x-seed0/record.json", b"{}"),
    "unlisted study": added("study/other.yaml", b"name: other"),
}
CHANGED = {
    "record": members(replaced(RECORD, b'"n": 20', b'"n": 19')),
    "index": members(replaced(INDEX, b"Does it?", b"Does it!")),
    "scores": members(put("results/runs/0.1-seed0/scores.csv", b"")),
    "study": members(put("study/toy.yaml", b"name: toy\n")),
    "plug-in": members(put("study/rule.py", b"raise SystemExit\n")),
    "table": members(put("tables/table.md", b"All holds.\n")),
    "report": members(put("report/report.html", b"<script>alert(1)</script>")),
    "terms": members(put("data/TERMS.md", b"Anything goes.\n")),
    "no record": members(without(RECORD)),
    "no index": members(without(INDEX)),
    "no study": members(without("study/toy.yaml")),
    "no crate": members(without(CRATE)),
    "crate of text": members(put(CRATE, b"no JSON")),
    "crate of a list": members(put(CRATE, b"[]")),
    "crate of nothing": members(put(CRATE, b'{"@graph": []}')),
    "crate of numbers": members(put(CRATE, b'{"@graph": [1, 2]}')),
    "crate that is deep": members(put(CRATE, b"[" * 200_000)),
    "crate without digests": crate(lambda graph: [one.pop("sha256", None) for one in graph]),
    "crate with a list as digest": crate(lambda g: [o.update(sha256=[]) for o in g]),
    "crate with a list as name": crate(
        lambda graph: graph[-1].update({"@id": [], "@type": "File"})
    ),
    "file described twice": crate(twice),
}
FORGED = {
    "record of another run": members(
        lambda found: found.update({RECORD: found[f"results/runs/{FAILED}/record.json"]}),
        digests=True,
    ),
    "record without its seal": members(replaced(RECORD, b'"n": 20', b'"n": 19'), digests=True),
    "record of text": members(put(RECORD, b"text"), digests=True),
    "index without its seal": members(replaced(INDEX, b"Does it?", b"Does it!"), digests=True),
    "index of text": members(put(INDEX, b"text"), digests=True),
    "index of another name": members(
        renamed(INDEX, "results/studies/toy/other.json"), digests=True
    ),
    "two studies": members(second_index, digests=True),
    "no study in it": members(renamed("study/toy.yaml", "study/other.yaml"), digests=True),
    "metrics of text": members(put("metrics.json", b"text"), digests=True),
    "metrics with code": members(
        replaced("metrics.json", b'"value":', b'"code": "x", "value":'), digests=True
    ),
    "scores of another run": members(
        lambda found: found.update(
            {"results/runs/0.1-seed0/scores.csv": found["results/runs/0.1-seed1/scores.csv"]}
        ),
        digests=True,
    ),
}
BUNDLES = {
    f"{kind}: {name}": make
    for kind, entries in (
        ("damaged", DAMAGED),
        ("name", NAMES),
        ("changed", CHANGED),
        ("forged", FORGED),
    )
    for name, make in entries.items()
}
