"""The program unpacks no archive and unpickles no file, whatever it is given for what."""

import pickle
import re
from pathlib import Path

import pytest
import safetensors.numpy
import safetensors.torch
from PIL import Image
from safetensors import SafetensorError

import repro
from faults.bad_archives import ARCHIVES, payloads
from faults.refusals import listing
from repro.data import sources
from repro.data.pictures import picture_files
from repro.data.sources import (
    celeba,
    fairface,
    group_folders,
    imagenet,
    labels_csv,
    mit_h5,
    ppb,
    utkface,
)
from repro.errors import DataError, RecordError
from repro.metrics import Count
from repro.records import records
from repro.records.records import MODEL, WEIGHTS, Record
from repro.study.data_spec import Folder, MitH5, Ppb

GROUPS = ("bi.fitz", "gender")
READERS = {
    "train": lambda path: mit_h5.read(path, channels="bgr"),
    "test": lambda path: ppb.read(path, groups=GROUPS),
    "nonfaces": picture_files.read,
    "fairface": lambda path: fairface.read(path, part="val", groups=("race",)),
    "utkface": lambda path: utkface.read(path, groups=("race",), age_bands=(20,)),
    "table": lambda path: labels_csv.read(path, label=1),
    "crops": group_folders.read,
    "celeba": lambda path: celeba.read(path, framing="box", part="all"),
    "imagenet": lambda path: imagenet.read(path, without=(), seed=0),
}
NAMES = list(payloads("canary"))
# What would run what a file says. Processes of our own send each other requests as pickles, and
# share objects in memory so.
FORBIDDEN = {
    r"weights_only\s*=\s*False": (),
    r"\bpickle\.loads?\(": ("records/mlflow/mirror_process.py", "system/shared_objects.py"),
    r"\byaml\.(unsafe_|full_)?load(_all)?\(": (),
    r"allow_pickle\s*=\s*True": (),
    r"(?<![\w.])torch\.load\((?!.*weights_only=True)": (),
    r"\bextract(all)?\(": (),
    r"\bunpack_archive\(": (),
    r"(?<![\w.])(eval|exec)\(": (),
    r"shell\s*=\s*True": (),
    r"\bos\.(system|popen)\(": (),
}


@pytest.fixture
def outside(tmp_path):
    """A folder that nothing may touch, beside the one that a test writes to."""
    (tmp_path / "inside").mkdir()
    place = tmp_path / "outside"
    place.mkdir()
    (place / "victim").write_text("as it was")
    return place


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_refused_and_unpacked_nowhere(name, outside, tally):
    """Given for training images, portraits or photographs it is no such thing."""
    path = outside.parent / "inside" / name
    ARCHIVES[name](path, outside)
    before = listing(outside.parent)
    for read in READERS.values():
        with pytest.raises(DataError, match=re.escape(str(path))):
            read(path)
        tally.bad_inputs += 1

    assert listing(outside.parent) == before
    assert not Path("/tmp/victim-of-repro").exists()


def test_an_archive_called_a_picture_is_named(outside, tally):
    """Among sound pictures it is found before training; under its own name it is passed over."""
    inside = outside.parent / "inside"
    Image.new("RGB", (50, 40)).save(inside / "a.png")
    for name in ("above.zip", "bomb.tar.gz"):
        ARCHIVES[name](inside / name, outside)
        ARCHIVES[name](inside / f"{name}.jpg", outside)
        tally.bad_inputs += 2
    found = picture_files.read(inside)

    assert found.names == ("a.png", "above.zip.jpg", "bomb.tar.gz.jpg")
    for index in (1, 2):
        with pytest.raises(DataError, match=re.escape(found.names[index])):
            found.read(index)


@pytest.mark.parametrize("name", ["train", "test", "nonfaces"])
def test_an_archive_is_refused_by_every_source(name, outside, tally):
    """What a study's data name is opened by the same readers."""
    path = outside.parent / "inside" / "above.zip"
    ARCHIVES["above.zip"](path, outside)
    spec = {"train": MitH5, "test": Ppb, "nonfaces": Folder}[name](path=str(path))
    source = {
        "train": sources.training_images,
        "test": sources.portraits,
        "nonfaces": sources.nonface_photographs,
    }[name]
    tally.bad_inputs += 1

    with pytest.raises(DataError, match=r"above\.zip"):
        source(spec)


@pytest.mark.parametrize("name", NAMES)
def test_a_payload_is_refused_and_never_runs(name, tmp_path, tally):
    """In place of training images, metadata, a photograph or a folder it stays bytes."""
    canary = tmp_path / "canary"
    content = payloads(canary)[name]
    benchmark, pictures = tmp_path / "ppb", tmp_path / "pictures"
    for place in (benchmark, pictures):
        place.mkdir()
    for path in (tmp_path / name, benchmark / ppb.METADATA, pictures / f"{name}.jpg"):
        path.write_bytes(content)
    tries = {
        name: lambda: mit_h5.read(tmp_path / name, channels="bgr"),
        ppb.METADATA: lambda: ppb.read(benchmark, groups=GROUPS),
        f"{name}:": lambda: labels_csv.read(tmp_path / name, label=1),
        f"{name}.jpg": lambda: picture_files.read(pictures).read(0),
    }
    for called, act in tries.items():
        with pytest.raises(DataError, match=re.escape(called)):
            act()
        tally.bad_inputs += 1

    assert not canary.exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_payload_in_place_of_a_checkpoint_never_runs(name, tmp_path, tally):
    """The record knows the bytes that the run left; and the format holds nothing but numbers."""
    canary = tmp_path / "canary"
    groups = {"a": Count(4, 3)}
    record = Record(key="a-seed0", seed=0, configuration={}, data={}, groups=groups)
    place = records.write_record(record, tmp_path, {MODEL: b"sound", WEIGHTS: b"sound"})
    written = records.read_record(record.key, tmp_path)
    content = payloads(canary)[name]
    for file, load in ((MODEL, safetensors.torch.load), (WEIGHTS, safetensors.numpy.load)):
        (place / file).write_bytes(content)
        with pytest.raises(RecordError, match=f"{file}: its checksum does not match"):
            records.read_file(written, tmp_path, file)
        with pytest.raises(SafetensorError):
            load(content)
        tally.bad_inputs += 1

    assert not canary.exists()


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_nothing_runs_what_a_file_says(pattern):
    """No line of the program unpickles, unpacks or evaluates."""
    package = Path(repro.__file__).parent
    found = [
        f"{path.relative_to(package)}:{number}: {line.strip()}"
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).as_posix() not in FORBIDDEN[pattern]
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]

    assert found == []


def test_the_payloads_are_real(tmp_path):
    """Whoever did unpickle them would see the canary."""
    canary = tmp_path / "canary"
    pickle.loads(payloads(canary)["call.pkl"])

    assert canary.exists()
