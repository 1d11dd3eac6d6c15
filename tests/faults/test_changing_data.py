"""Data that change under a study stop it, and no run stands under data that it did not see."""

import itertools
import os
import re
import shutil
from unittest import mock

import h5py
import numpy as np
import pytest
from data_layouts import put, write_h5, write_ppb
from PIL import Image

from faults import studies
from repro.data import sources
from repro.errors import DataError
from repro.execution import planning, scheduler, verification
from repro.execution.executors.inline import Inline
from repro.records import records
from repro.records.events import EpochEnded, RunRecorded, RunStarted, StudyStarted
from repro.study.data_spec import Folder, MitH5, Ppb
from repro.system import file_digests
from repro.training import single_run

LONG_AGO = 10**18  # ns: a file that has long been as it is
STUDY = """\
name: toy
question: Does it?
base:
  preset: dehaan2020
  epochs: 2
  batch_size: 4
  data:
    train: {folder}/train.h5
    test: {folder}/ppb
    nonfaces: {folder}/rooms
    crops: {folder}/crops
    doubles: allow
arms: [{{name: even, resampling: {{combine: none}}}}]
reference: even
replicates: 3
select: {{keep: 1, by: recall, split: test}}
profiles: {{embedded: {{}}}}
"""
FILES = {
    "the training images": "train.h5",
    "the table of the portraits": "ppb/PPB-2017-metadata.csv",
    "a portrait": "ppb/imgs/b.png",
    "a photograph without a face": "rooms/2.png",
    "a crop": "crops/DF/1.png",
}
MOMENTS = {
    "before a worker reads them": StudyStarted,
    "while a worker starts": RunStarted,
    "while a network is trained": EpochEnded,
    "between two runs": RunRecorded,
}


@pytest.fixture
def data(tmp_path):
    """A study of pictures of one's own, all of them old files."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)
    write_h5(tmp_path / "train.h5", images=images, labels=np.arange(16)[:, None] % 2)
    write_ppb(tmp_path / "ppb")
    for name, seed in (("b", 1), ("a", 2)):
        put(tmp_path / "ppb" / "imgs" / f"{name}.png", seed)
    for number in (1, 2):
        put(tmp_path / "rooms" / f"{number}.png", 10 + number)
    for number, name in enumerate(("DF/1", "DF/2", "LM/1")):
        put(tmp_path / "crops" / f"{name}.png", 20 + number, width=64, height=64)
    (tmp_path / "toy.yaml").write_text(STUDY.format(folder=tmp_path))
    with mock.patch.object(file_digests, "SETTLED", 0):  # the files were just made
        yield tmp_path


def replaced(file):
    """By another file under its name."""
    other = file.with_name(f".{file.name}")
    shutil.copy(file, other)
    overwritten(other)
    other.replace(file)


def overwritten(file):
    """In place, with the size and the times of before."""
    status = file.stat()
    if file.suffix == ".h5":
        with h5py.File(file, "r+") as opened:
            opened["labels"][:] = 1 - opened["labels"][:]
    elif file.suffix == ".csv":
        text = file.read_text()
        file.write_text(text.replace("Female", "female"))
    else:
        pixels = np.asarray(Image.open(file))
        Image.fromarray(255 - pixels).save(file)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def removed(file):
    """And not put back."""
    file.unlink()


CHANGES = {"replaced": replaced, "overwritten": overwritten, "removed": removed}


CASES = list(itertools.product(FILES, CHANGES, MOMENTS))


def scanned(task, material, begun, *_):
    """As training, canned, but every test picture is read."""
    events = list(studies.canned_training(task, material, begun))
    yield from events[:-1]
    for photographs in material.photographs.values():
        for index in range(len(photographs)):
            photographs.read(index)
    yield events[-1]


def run(data, change, moment):
    """Run the study; change a file once, as soon as such an event is seen."""
    waiting = [change]

    class Meddler(studies.Watcher):
        def on_event(self, event):
            super().on_event(event)
            if isinstance(event, moment) and waiting:
                waiting.pop()()

    meddler = Meddler()
    with (
        mock.patch.object(single_run, "_train_and_evaluate", scanned),
        mock.patch.object(scheduler, "_require_space"),
    ):
        return studies.run_here(data / "toy.yaml", data / "results", watcher=meddler)


def runs(data):
    """Names of the records."""
    return sorted(path.name for path in (data / "results" / "runs").glob("[!.]*"))


@pytest.mark.parametrize("case", range(len(CASES)), ids=["-".join(case) for case in CASES])
def test_a_change_stops_the_study_and_the_file_is_named(data, case, tally, amount):
    """Whatever changes, however, whenever: nothing is recorded that may have used it."""
    if case % amount(7, 1):
        pytest.skip("one of the whole list")
    what, how, moment = CASES[case]
    file = data / FILES[what]
    tally.faults += 1
    with pytest.raises(DataError, match=re.escape(str(file))):
        run(data, lambda: CHANGES[how](file), MOMENTS[moment])
    tally.wrong += len(runs(data)) - (moment == "between two runs")

    assert len(runs(data)) == (moment == "between two runs")


def test_what_was_put_back_goes_on_where_it_stopped(data, tally):
    """The same names, and no run that is there is trained again."""
    file = data / "train.h5"
    before = file.read_bytes()
    with pytest.raises(DataError):
        run(data, lambda: overwritten(file), RunRecorded)
    first = runs(data)
    tally.faults += 1
    file.write_bytes(before)
    watcher = run(data, lambda: None, StudyStarted)

    assert (len(first), len(runs(data)), len(watcher.begun)) == (1, 3, 2)
    assert set(first) < set(runs(data))


def touched(file):
    """Other times."""
    file.touch()


def copied(file):
    """Another file with the same bytes."""
    other = file.with_name(f".{file.name}")
    shutil.copy(file, other)
    other.replace(file)


@pytest.mark.parametrize("how", [touched, copied], ids=lambda how: how.__name__)
@pytest.mark.parametrize("what", FILES)
def test_the_same_bytes_are_the_same_data(data, what, how):
    """A file that was copied or touched stops nothing."""
    run(data, lambda: how(data / FILES[what]), EpochEnded)

    assert len(runs(data)) == 3


def test_a_picture_more_is_other_data_for_a_worker_that_starts_later(data, tally):
    """The folder is no longer what the plan named its runs by."""
    tally.faults += 1
    with pytest.raises(DataError, match=r"rooms/3\.png: was added after the study began"):
        run(data, lambda: put(data / "rooms" / "3.png", 33), StudyStarted)

    assert runs(data) == []


@pytest.mark.parametrize("what", ["a portrait", "a photograph without a face"])
def test_a_picture_that_is_another_for_a_moment_is_noticed(data, what, tally):
    """Swapped when it is decoded, and back when it is compared: its bytes had another digest."""
    spec = {"ppb": Ppb(path=str(data / "ppb")), "rooms": Folder(path=str(data / "rooms"))}
    photographs, _ = sources.read(spec[FILES[what].partition("/")[0]])
    file = data / FILES[what]
    index = photographs.files.index(file)
    kept = file.with_name(".kept")
    file.rename(kept)
    put(file, 99)
    tally.faults += 1
    with pytest.raises(DataError, match="changed while the study ran"):
        photographs.read(index)
    kept.rename(file)

    assert photographs.read(index).shape == (100, 80, 3)


def test_training_images_that_are_others_for_a_moment_are_noticed(data, tally):
    """The digest is that of the bytes that were parsed, and not of the file a moment later."""
    file = data / "train.h5"
    before = file.read_bytes()
    parse = h5py.File

    def swapped_back(opened, *arguments):
        file.write_bytes(before)
        return parse(opened, *arguments)

    overwritten(file)
    tally.faults += 1
    with (
        mock.patch.object(h5py, "File", swapped_back),
        pytest.raises(DataError, match=r"train\.h5: changed while the study ran"),
    ):
        sources.read(MitH5(path=str(file)))

    assert len(sources.read(MitH5(path=str(file)))[0].images) == 16


def test_the_plan_and_a_worker_have_one_digest(data):
    """Names of runs are of what is read; nothing of them is new."""
    planned = studies.plan(data / "toy.yaml", data / "results").tasks[0]
    read = sources.material(planned.configuration.data).contents

    assert planning.fingerprints(read) == planned.data
    assert planned.data == {
        "train": sources.fingerprint(planned.configuration.data.train),
        "test": sources.fingerprint(planned.configuration.data.test),
        "nonfaces": sources.fingerprint(planned.configuration.data.nonfaces),
        "crops": sources.fingerprint(planned.configuration.data.crops),
    }


def test_a_run_whose_data_are_gone_is_not_verified_on_others(data, tally):
    """It says so at once, and trains nothing."""
    run(data, lambda: None, StudyStarted)
    (path,) = (data / "results" / "studies").rglob("*.json")
    overwritten(data / "train.h5")
    tally.faults += 1
    with Inline() as executor, mock.patch.object(scheduler, "run_tasks", return_value=[]) as train:
        (said,) = verification.verify(
            records.read_index(path), data / "results", runs=1, executor=executor
        )

    assert list(train.call_args[0][0]) == []
    assert str(said) == (
        "DIFFERENT  even, seed 0: not trained again, as its data are no longer there. Made "
        "differently: data.train: content changed"
    )


def test_a_young_file_is_digested_again(tmp_path):
    """It may change twice within one tick of the clock that dates it."""
    file = tmp_path / "a"
    file.write_bytes(b"one")
    first = file_digests.sha256(file)
    status = file.stat()
    file.write_bytes(b"two")
    with mock.patch.object(file_digests.os, "stat", return_value=status):
        again = file_digests.sha256(file)

    assert first != again


def test_a_settled_file_is_digested_once(data):
    """What the check at the end of a run costs is one look at each file."""
    file = data / "train.h5"
    first = file_digests.sha256(file)
    with mock.patch.object(file_digests.hashlib, "file_digest", side_effect=AssertionError):
        assert file_digests.sha256(file) == first
