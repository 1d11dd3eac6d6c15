"""R4: a checkpoint is used to the bit as it was written, for the run that wrote it, or not at all.

One that is not is never handed to torch; the state before it is used, or the run starts anew, and
it ends with the same bits. So does one whose seal is true and whose tensors are none.
"""

import hashlib
import json
import os
import pickle
import random
import shutil

import pytest
import torch
from builders import execute
from safetensors.torch import save

from faults import studies
from faults.disks import Killed
from repro.records import checkpoint_store
from repro.system import checksum
from repro.training import state_files

TENSORS, REST = "epoch-000002.safetensors", "epoch-000002.json"


class Stopped:
    """A run of three epochs that was stopped after two, and copies of it to damage."""

    def __init__(self, place):
        """Run and stop it."""
        self.template = place / "template"
        self.task = self.another(place / "first", seed=0)
        shutil.copytree(self._folder(self.task), self.template)
        self.foreign = self._folder(self.another(place / "second", seed=1))

    def another(self, place, *, seed):
        """Another run, stopped as well."""
        task = studies.plan(studies.toy(place), place / "results").tasks[3 * seed + 1]
        task = studies.replace(task, checkpoint_seconds=0.0)
        with pytest.raises(Killed):
            execute(task, on_epoch=_stop)
        return task

    def copy(self, place):
        """A copy; the task that goes on with it, and the folder of its checkpoints."""
        task = studies.replace(self.task, results=place / "results")
        return task, shutil.copytree(self.template, self._folder(task))

    def _folder(self, task):
        return checkpoint_store.folder_of(task.key, task.results)


def _stop(epoch, _):
    if epoch["epoch"] == 3:
        raise Killed


@pytest.fixture
def parsed(monkeypatch):
    """Everything that is handed to torch as a checkpoint."""
    load, seen = state_files.safetensors.torch.load, []
    monkeypatch.setattr(
        state_files.safetensors.torch, "load", lambda raw: seen.append(raw) or load(raw)
    )
    return seen


class Poison:
    """Unpickled, it leaves a file."""

    def __init__(self, path):
        """Note where."""
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def edited(file, **changes):
    """The same in other words, sealed as we would."""
    content = json.loads(file.read_bytes())
    del content["checksum"]
    return checksum.seal(content | changes)


def sealed_over(folder, tensors):
    """Other tensors, and a rest that is true to them."""
    (folder / TENSORS).write_bytes(tensors)
    digest = hashlib.sha256(tensors).hexdigest()
    (folder / REST).write_bytes(edited(folder / REST, tensors=digest))


def damages(stopped, draws, canary):
    """What is done to the last checkpoint's folder; each with its name."""
    chance = random.Random(4)
    for name in (TENSORS, REST):
        size = (stopped.template / name).stat().st_size
        for end in [0, size - 1, *draws(chance.sample(range(size), 62), 8)]:
            yield f"{name} cut at {end}", lambda f, n=name, e=end: os.truncate(f / n, e)
        for bit in draws(chance.sample(range(8 * size), 128), 12):
            yield f"bit {bit} of {name}", lambda f, n=name, b=bit: flip(f / n, b)
        yield f"{name} missing", lambda f, n=name: (f / n).unlink()
        yield f"{name} twice", lambda f, n=name: (f / n).write_bytes((f / n).read_bytes() * 2)
        yield f"another run's {name}", lambda f, n=name: shutil.copy(stopped.foreign / n, f / n)
        for protocol in (0, 2, pickle.HIGHEST_PROTOCOL):
            poison = pickle.dumps(Poison(canary), protocol=protocol)
            yield f"{name} is pickle {protocol}", lambda f, n=name, p=poison: (f / n).write_bytes(p)
    old, both = TENSORS.replace("2", "1"), [stopped.foreign / n for n in (TENSORS, REST)]
    yield "tensors of the state before", lambda f: shutil.copy(f / old, f / TENSORS)
    yield "both are another run's", lambda f: [shutil.copy(file, f) for file in both]
    for changes in ({"schema": 0}, {"schema": 2}, {"schema": "1"}, {"key": "x"}, {"tensors": None}):
        yield f"says {changes}", lambda f, c=changes: (f / REST).write_bytes(edited(f / REST, **c))
    yield "torch's own pickle", lambda f: torch.save({"network": torch.zeros(2)}, f / TENSORS)
    poison = pickle.dumps(Poison(canary))
    yield "pickle under a true seal", lambda f: sealed_over(f, poison)
    yield "a huge header under a true seal", lambda f: sealed_over(f, b"\xff" * 64)


def flip(file, bit):
    """One bit of a file."""
    raw = bytearray(file.read_bytes())
    raw[bit // 8] ^= 1 << bit % 8
    file.write_bytes(raw)


def test_a_checkpoint_that_is_not_what_was_written_is_not_used(parsed, tally, draws):
    """The one before it is; without that, the run starts anew; either way it ends the same."""
    wanted, _ = studies.canned_reference()
    used = []
    with studies.canned(), studies.folder() as place:
        stopped = Stopped(place)
        own = {(stopped.template / f"epoch-00000{n}.safetensors").read_bytes() for n in (1, 2)}
        canary = place / "canary"
        for number, (name, damage) in enumerate(damages(stopped, draws, canary)):
            task, folder = stopped.copy(place / str(number))
            damage(folder)
            tally.faults += 1
            parsed.clear()
            found = state_files.unpack(checkpoint_store.latest(task.key, task.results))
            if "true seal" in name:
                used += [name] if found is not None else []
            elif found is None or found.state.epoch != 1 or not own.issuperset(parsed):
                used.append(name)
            execute(task)
            tally.wrong += studies.evidence(task.results)[task.key] != wanted[task.key]
        assert not canary.exists()

    assert used == []
    assert tally.wrong == 0


def test_without_any_checkpoint_that_is_whole_a_run_starts_anew(tally):
    """Both states are damaged."""
    wanted, _ = studies.canned_reference()
    with studies.canned(), studies.folder() as place:
        task, folder = Stopped(place).copy(place / "copy")
        for file in folder.glob("*.json"):
            flip(file, 77)
            tally.faults += 1

        assert checkpoint_store.latest(task.key, task.results) == {}
        execute(task)
        assert studies.evidence(task.results)[task.key] == wanted[task.key]


def test_a_real_run_falls_back_and_ends_with_its_bits(tally, amount):
    """Networks, Adam's moments and random streams, cut or changed."""
    wanted, _ = studies.reference()
    chance = random.Random(5)
    with studies.folder() as place:
        stopped = Stopped(place)
        size = (stopped.template / TENSORS).stat().st_size
        damaging = [
            lambda folder: os.truncate(folder / TENSORS, chance.randrange(size)),
            lambda folder: flip(folder / TENSORS, chance.randrange(8 * size)),
            lambda folder: (folder / REST).unlink(),
            lambda folder: (folder / TENSORS).write_bytes(save({"network": torch.zeros(2)})),
        ]
        for number in range(amount(2, 12)):
            task, folder = stopped.copy(place / str(number))
            damaging[number % len(damaging)](folder)
            tally.faults += 1
            assert "epoch-000001.json" in checkpoint_store.latest(task.key, task.results)
            execute(task)
            tally.wrong += studies.evidence(task.results)[task.key] != wanted[task.key]

    assert tally.wrong == 0
