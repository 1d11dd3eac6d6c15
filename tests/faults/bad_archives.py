"""Archives that harm whoever unpacks them, and files that harm whoever unpickles them."""

import io
import pickle
import struct
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch


def zipped(*members):
    """A ZIP file of members, each a name, a content and the mode of a file."""

    def make(path, _outside):
        with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            warnings.simplefilter("ignore")  # of names that are given twice
            for name, content, mode in members:
                info = zipfile.ZipInfo(name)
                info.external_attr = mode << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, content)

    return make


def tarred(*members):
    """A packed TAR file of members, each a name, a content and what else is said of it."""

    def make(path, outside):
        with tarfile.open(path, "w:gz") as archive:
            for name, content, said in members:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                for key, value in said.items():
                    setattr(info, key, str(outside / value) if value == "victim" else value)
                archive.addfile(info, io.BytesIO(content))

    return make


FILE, LINK = 0o100644, 0o120777
MANY = 10_000
ZEROS = bytes(30_000_000)
INNER = io.BytesIO()
with zipfile.ZipFile(INNER, "w", zipfile.ZIP_DEFLATED) as _archive:
    _archive.writestr("../victim", ZEROS[:1_000_000])
NAMES = {
    "above": ["../victim"],
    "absolute": ["/tmp/victim-of-repro"],
    "drive": ["C:\\victim", "..\\victim"],
    "many": [f"{i}.jpg" for i in range(MANY)],
    "twice": ["a.jpg", "a.jpg"],
    "hidden": ["a\0.jpg", "\u202egpj.exe", "\x1b[31m.jpg"],
    "cases": ["A.jpg", "a.jpg"],
    "deep": ["a/" * 2000 + "a.jpg"],
}
ZIPS = {name: zipped(*((one, b"x", FILE) for one in names)) for name, names in NAMES.items()} | {
    "link out": zipped(("out", b"/etc", LINK), ("out/victim", b"x", FILE)),
    "links": zipped(("a", b"..", LINK), ("b", b"a/..", LINK), ("b/victim", b"x", FILE)),
    "device": zipped(("zero", b"", 0o020666)),
    "pipe": zipped(("pipe", b"", 0o010666)),
    "anybody's": zipped(("root", b"x", 0o104755)),
    "bomb": zipped(("a.jpg", ZEROS, FILE)),
    "nested": zipped(("inner.zip", INNER.getvalue(), FILE)),
}
TARS = {name: tarred(*((one, b"x", {}) for one in names)) for name, names in NAMES.items()} | {
    "link out": tarred(
        ("out", b"", {"type": tarfile.SYMTYPE, "linkname": "victim"}), ("out/victim", b"x", {})
    ),
    "links": tarred(
        ("a", b"", {"type": tarfile.LNKTYPE, "linkname": "victim"}),
        ("b", b"", {"type": tarfile.LNKTYPE, "linkname": "a"}),
    ),
    "device": tarred(("zero", b"", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5})),
    "pipe": tarred(("pipe", b"", {"type": tarfile.FIFOTYPE})),
    "anybody's": tarred(("root", b"x", {"mode": 0o4755, "uid": 0})),
    "bomb": tarred(("a.jpg", ZEROS, {})),
    "nested": tarred(("inner.zip", INNER.getvalue(), {})),
}
ARCHIVES = {f"{name}.zip": make for name, make in ZIPS.items()} | {
    f"{name}.tar.gz": make for name, make in TARS.items()
}


class Payload:
    """Touches a file as soon as it is unpickled."""

    def __init__(self, canary):
        """Name the file."""
        self.canary = canary

    def __reduce__(self):
        """What is called, and with what."""
        return Path.touch, (Path(self.canary),)


class Chain(Payload):
    """The same by way of text that is run."""

    def __reduce__(self):
        """What is called, and with what."""
        return eval, (f"__import__('os').system('touch {self.canary}')",)


def saved(write, payload, **how):
    """What a library writes of a payload."""
    stream = io.BytesIO()
    write(stream, payload, **how)
    return stream.getvalue()


def payloads(canary):
    """Files by name, of which each would touch the canary if it were unpickled, or fill memory."""
    objects = np.array([Payload(canary)], dtype=object)
    header = b'{"face_weights":{"dtype":"F64","shape":[999999999999],"data_offsets":[0,8]}}'
    return {
        "call.pkl": pickle.dumps(Payload(canary)),
        "oldest.pkl": pickle.dumps(Payload(canary), protocol=0),
        "system.pkl": f"cos\nsystem\n(S'touch {canary}'\ntR.".encode(),
        "chain.pkl": pickle.dumps([Chain(canary), {"a": Chain(canary)}]),
        "objects.npy": saved(np.save, objects, allow_pickle=True),
        "objects.npz": saved(np.savez, objects),
        "state.pt": saved(lambda to, what: torch.save(what, to), Payload(canary)),
        "state.pth": saved(
            lambda to, what: torch.save(what, to, _use_new_zipfile_serialization=False),
            Payload(canary),
        ),
        "long.safetensors": struct.pack("<Q", 2**40) + b"{}",
        "large.safetensors": struct.pack("<Q", len(header)) + header + bytes(8),
    }
