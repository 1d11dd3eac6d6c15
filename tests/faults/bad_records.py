"""Records, indexes and files beside them as somebody could forge them, each under a valid checksum.

Every entry changes the content of a sound file in one place; `TEXTS` replace the whole file.
"""

import hashlib
import json
import os

LONG = 100_000
DEEP = b'{"schema": 3, "x": ' + b"[" * LONG + b"]" * LONG + b"}"


def at(*path, to):
    """A change of the value at a path; None as the last key of a list is its end."""

    def change(content):
        inner = content
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = to(inner[path[-1]]) if callable(to) else to

    return change


def without(*path):
    """A change that leaves out the value at a path."""

    def change(content):
        inner = content
        for name in path[:-1]:
            inner = inner[name]
        del inner[path[-1]]

    return change


def nested(depth):
    """A list in a list in a list ..."""
    value = []
    for _ in range(depth):
        value = [value]
    return value


GROUP = ("groups", "darker_female")


def renamed(content):
    """A group gets another name."""
    content["groups"]["others"] = content["groups"].pop(GROUP[1])


FAILURE = {"epoch": 1, "term": "kl", "reason": "it is inf"}
RECORDS = {  # of a run of the toy study, which finished
    "key of a path": at("key", to="../../x-seed0"),
    "key with a line": at("key", to="ab\n-seed0"),
    "key that is a list": at("key", to=["a-seed0"]),
    "seed of another run": at("seed", to=17),
    "seed as text": at("seed", to="0"),
    "seed as a truth value": at("seed", to=False),
    "seed below 0": at("seed", to=-1),
    "seed that is no whole number": at("seed", to=0.5),
    "seed of 100 digits": at("seed", to=10**100),
    "configuration that is a list": at("configuration", to=[]),
    "configuration that is text": at("configuration", to="dehaan2020"),
    "no configuration": without("configuration"),
    "resampling that is text": at("configuration", "resampling", to="none"),
    "alpha as text": at("configuration", "resampling", "alpha", to="0.1"),
    "alpha below 0": at("configuration", "resampling", "alpha", to=-1.0),
    "epochs below 0": at("configuration", "epochs", to=-1),
    "epochs and a half": at("configuration", "epochs", to=2.5),
    "no such class of model": at("configuration", "model", to=7),
    "path that is a number": at("configuration", "data", "train", to=5),
    "choice of a thousand levels": at("configuration", "more", to=nested(150)),
    "choice of endless text": at("configuration", "more", to="x" * LONG),
    "data that are a list": at("data", to=["x"]),
    "digest of data that is a number": at("data", "train", to=5),
    "computation that is a list": at("computation", to=["cpu"]),
    "threads as text": at("computation", "threads", to="1"),
    "no thread": at("computation", "threads", to=0),
    "numerics as text": at("computation", "numerics", to="1"),
    "stack of one network": at("computation", "kernels", to="stacked-1"),
    "stack of endless networks": at("computation", "kernels", to="stacked-" + "9" * LONG),
    "stack of no number": at("computation", "kernels", to="stacked-many"),
    "libraries that are a list": at("computation", "libraries", to=["torch"]),
    "code that is text": at("computation", "code", to="x"),
    "failure that is text": at("failure", to="it failed"),
    "failure of nothing": at("failure", to={}),
    "failure without a reason": at("failure", to={"epoch": 1, "term": "kl"}),
    "failure with results": at("failure", to=FAILURE),
    "source run of a path": at("source", to="../../x-seed0"),
    "source run of another seed": at("source", to="a-seed17"),
    "source run that is a list": at("source", to=["a-seed0"]),
    "plug-ins that are a list": at("plugins", to=["mine"]),
    "no groups": at("groups", to={}),
    "groups that are a list": at("groups", to=[["a", 4, 3]]),
    "group of another name": renamed,
    "group of nobody": at(*GROUP, to={"n": 0, "detected": 0}),
    "fewer than none": at(*GROUP, "n", to=-4),
    "more detected than there are": at(*GROUP, "detected", to=1000),
    "fewer detected than none": at(*GROUP, "detected", to=-1),
    "half a detection": at(*GROUP, "detected", to=0.5),
    "detections as text": at(*GROUP, "detected", to="1"),
    "group of a trillion": at(*GROUP, "n", to=10**12),
    "count without its number": without(*GROUP, "n"),
    "count with more": at(*GROUP, "share", to=0.5),
    "photographs that are a list": at("nonfaces", to=[4, 1]),
    "no photographs": at("nonfaces", to={"n": 0, "detected": 0}),
    "more false alarms than photographs": at("nonfaces", "detected", to=99),
    "metrics that are a list": at("metrics", to=[0.5]),
    "metric as text": at("metrics", "recall", to="0.5"),
    "recall above 1": at("metrics", "recall", to=2.0),
    "recall of other counts": at("metrics", "recall", to=0.123),
    "false alarms of other counts": at("metrics", "false_positive_rate", to=0.123),
    "accuracy below 0": at("metrics", "val_accuracy", to=-0.1),
    "groups of crops without all": at("metrics", "crop_probability/a", to=0.5),
    "latents as text": at("kl_per_latent", to=["0.1"]),
    "a latent too many": at("kl_per_latent", to=lambda kl: [*kl, 0.1] if kl else [0.1] * 3),
    "history that is a mapping": at("history", to={"1": {}}),
    "history without epochs": at("history", 0, to={"train_loss": 1.0}),
    "history from the second epoch": at("history", to=lambda epochs: epochs[1:]),
    "history longer than planned": at(
        "history", to=lambda epochs: [dict(epochs[0], epoch=1.0 + k) for k in range(50)]
    ),
    "loss as text": at("history", 0, "train_loss", to="1.0"),
    "provenance that is text": at("provenance", to="here"),
    "seconds as text": at("provenance", "seconds", to="soon"),
    "seconds below 0": at("provenance", "seconds", to=-1.0),
    "beginning that is no time": at("provenance", "started", to="yesterday"),
    "beginning in the year 1": at("provenance", "started", to="0001-01-01T00:00:00"),
    "packages that are a list": at("provenance", "packages", to=["torch"]),
    "rate of images as text": at("provenance", "images_per_second", to="many"),
    "no run in a stack": at("provenance", "stacked_runs", to=0),
    "half a run in a stack": at("provenance", "stacked_runs", to=1.5),
    "file of the folder above": at("files", "../../../secret", to="0" * 64),
    "file of the system": at("files", "/etc/passwd", to="0" * 64),
    "file of a folder below": at("files", "sub/scores.csv", to="0" * 64),
    "file that is the folder above": at("files", "..", to="0" * 64),
    "file with a NUL": at("files", "a\0b", to="0" * 64),
    "digest that is short": at("files", "scores.csv", to="abc"),
    "digest that is a number": at("files", "scores.csv", to=0),
    "files that are a list": at("files", to=["scores.csv"]),
    "a field more": at("more", to=1),
    "a field less": without("groups"),
}
ARM = ("arms", 0)
INDEXES = {  # of the toy study
    "name of a path": at("name", to="../../../outside"),
    "name of another study": at("name", to="other"),
    "name that is a list": at("name", to=["toy"]),
    "variant of a path": at("variant", to="../../../outside"),
    "variant of another": at("variant", to="paper"),
    "profile of a path": at("profile", to="../x"),
    "question that is a number": at("question", to=1),
    "overrides that are text": at("overrides", to="epochs=2"),
    "synthetic as text": at("synthetic", to="yes"),
    "no arms": at("arms", to=[]),
    "arms that are a mapping": at("arms", to={"a": []}),
    "more arms than a study has": at("arms", to=lambda arms: arms * 1000),
    "two arms of a name": at("arms", to=lambda arms: [*arms, arms[0]]),
    "arm without runs": at(*ARM, "keys", to=[]),
    "key of a path": at(*ARM, "keys", 0, to="../../outside-seed0"),
    "key that is a number": at(*ARM, "keys", 0, to=5),
    "key of another seed": at(*ARM, "keys", to=lambda keys: keys[::-1]),
    "arm ranked by nothing": at(*ARM, "select", to={"by": "luck", "split": "test"}),
    "reference that is no arm": at("reference", to="nobody"),
    "selection that is a list": at("select", to=["recall"]),
    "selection without its number": without("select", "keep"),
    "selection of a text": at("select", "keep", to="2"),
    "published that is a list": at("published", to=[1]),
    "published of nothing": at("published", to={"protocol": {}}),
    "margin as text": at("published", to={"margin": {"recall": "1", "variance": 1.0}}),
    "rate above 1": at("false_positive_rates", to=[2.0]),
    "rates that are text": at("false_positive_rates", to="0.1"),
    "comparison of nothing": at("compare", to={"metrics": [], "test": "t"}),
    "claim of nothing": at("claims", to=[{"name": "x", "arms": ["even", "rarest"]}]),
    "claims that are text": at("claims", to="it is better"),
    "gap without a ceiling": at("gap_share", to={"arms": ["even"]}),
    "gap of an arm that is not there": at("gap_share", to={"ceilings": ["brightest"]}),
    "gap that is a list": at("gap_share", to=["even"]),
    "seed as text": at("first_seed", to="0"),
    "no replicates": at("replicates", to=0),
    "looks that fall": at("looks", to={"planned": [5, 3]}),
    "looks at nothing": at("looks", to={"planned": []}),
    "declared nothing": at("preregistration", to={}),
    "file that is a number": at("file", to=5),
    "a field more": at("more", to=1),
    "a field less": without("arms"),
}
HEADER = "set,photograph,group,top_logit,windows,positive\n"
LINE = "portraits,p,darker_female,0.5,3,1\n"
SCORES = {  # of the same run, under the right digest
    "nothing": "",
    "the header alone": HEADER,
    "another header": "a,b,c\n1,2,3\n",
    "no such set": f"{HEADER}others,p,a,0.5,3,1\n",
    "a line too short": f"{HEADER}portraits,p\n",
    "a logit as text": f"{HEADER}portraits,p,darker_female,high,3,1\n",
    "a logit that is NaN": f"{HEADER}portraits,p,darker_female,nan,3,1\n",
    "an infinite logit": f"{HEADER}portraits,p,darker_female,inf,3,1\n",
    "windows below 0": f"{HEADER}portraits,p,darker_female,0.5,-3,1\n",
    "more positive than all": f"{HEADER}portraits,p,darker_female,0.5,3,4\n",
    "windows of 100 digits": f"{HEADER}portraits,p,darker_female,0.5,{10**100},1\n",
    "a logit without a window": f"{HEADER}portraits,p,darker_female,0.5,3,0\n",
    "photographs of another run": f"{HEADER}{LINE * 5}",
    "no text": b"\xff\xfe\x00",
    "a cell of NUL": f"{HEADER}portraits,\0,darker_female,0.5,3,1\n",
}


def sealed(content):
    """A file with a right checksum, also of numbers that the program does not write."""
    body = json.dumps(content, indent=1).encode().removesuffix(b"\n}")
    return body + b',\n "checksum": "' + sha256(body).encode() + b'"\n}\n'


def sha256(raw):
    """Its digest in hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def forged(path, change):
    """Change a sealed file, and seal it again."""
    content = json.loads(path.read_bytes())
    del content["checksum"]
    change(content)
    path.write_bytes(sealed(content))


def with_file(folder, name, content):
    """Replace a file beside a record, and its digest in the record."""
    raw = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(raw)
    forged(folder / "record.json", at("files", name, to=sha256(raw)))


def as_link(path):
    """A link to what was there."""
    moved = path.parents[3] / "moved"
    path.rename(moved)
    path.symlink_to(moved)


def as_pipe(path):
    """A pipe, which would hold a reader up for ever."""
    path.unlink()
    os.mkfifo(path)


def as_folder(path):
    """A folder of this name."""
    path.unlink()
    path.mkdir()


def as_endless(path):
    """A file of ten gigabytes, none of which takes room."""
    os.truncate(path, 10 << 30)


KINDS = {"a link": as_link, "a pipe": as_pipe, "a folder": as_folder, "endless": as_endless}
NUMBERS = {"NaN": float("nan"), "infinity": float("inf")}
for _name, _number in NUMBERS.items():
    RECORDS[f"metric that is {_name}"] = at("metrics", "recall", to=_number)
    RECORDS[f"loss that is {_name}"] = at("history", 0, "train_loss", to=_number)
    RECORDS[f"provenance with {_name}"] = at("provenance", "more", to=[_number])
    INDEXES[f"rate that is {_name}"] = at("false_positive_rates", to=[_number])
