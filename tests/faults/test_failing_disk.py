"""R3: every single change of the disk fails, or is the last before a kill or a loss of power.

A study ends as if nothing had been, or in a sentence that names the place; what was finished stays,
nothing half-written counts, and started again on a disk that works it ends equal, to the byte.
"""

import contextlib
import itertools
import os
import shutil

import pytest

from faults import studies
from faults.disks import ERRORS, Killed, PowerLost, failing
from repro.errors import ReproError
from repro.records import records
from repro.system import atomic_files

SIZE = {"replicates": 1, "keep": 1}
ENDS = [(Killed(), False), (PowerLost(), False)]
FAULTS = [*itertools.product(ERRORS, (True, False)), *ENDS]


@pytest.fixture(scope="module")
def begun():
    """Three runs are wanted, one is finished."""
    with studies.folder() as place:
        with studies.canned():
            studies.run_here(studies.toy(place, arms=studies.ONE_ARM, **SIZE), place / "results")
        studies.toy(place, **SIZE)
        yield place


class Trial:
    """A study on a disk that fails, and once more on one that works."""

    def __init__(self, begun, place, reference):
        """Copy what has begun to a place of its own."""
        self.file, self.results, self.reference = place / "toy.yaml", place / "results", reference
        shutil.copytree(begun, place, dirs_exist_ok=True)
        self.before = studies.identities(self.results)

    def fail(self, at, error, once):
        """What is wrong with how the study ended; None if nothing is."""
        with failing(self.results, at=at, error=error, once=once) as disk:
            ended = self._ended()
        assert disk.met
        if isinstance(error, PowerLost):
            disk.lose_power()
        if isinstance(ended, ReproError):
            is_told = str(self.results) in str(ended) and os.strerror(error.errno) in str(ended)
            return None if is_told else f"says {ended}"
        return None if ended is None or ended is error else repr(ended)

    def _ended(self):
        try:
            studies.run_here(self.file, self.results)
        except (Exception, Killed) as error:  # noqa: BLE001 - whatever it is, the test names it
            return error
        return None

    def misses(self):
        """Finished runs that are not what and where they were."""
        after = studies.identities(self.results)
        return sum(after.get(key) != identity for key, identity in self.before.items())

    def differs(self):
        """Whether there is anything that a study without a fault would not have."""
        return not studies.evidence(self.results).items() <= self.reference.items()

    def goes_on(self):
        """Whether it ends equal on a disk that works, and trains nothing that was finished."""
        done = studies.identities(self.results)
        again = studies.run_here(self.file, self.results)
        return (
            studies.evidence(self.results) == self.reference
            and not done.keys() & set(again.begun)
            and len(records.read_indexes(self.results)) == 1
        )


def changes_of(begun):
    """What a study does to its disk."""
    with studies.folder() as place:
        trial = Trial(begun, place, {})
        with failing(trial.results) as disk:
            trial._ended()
    return disk.done


def test_every_change_of_the_disk_may_fail(begun, tally, amount):
    """Three errors, once or for ever, and two ends, at every change of a study's disk."""
    evidence, _ = studies.canned_reference(**SIZE)
    unclean = []
    with studies.canned():
        names = changes_of(begun)
        everywhere = itertools.product(range(1, len(names) + 1), FAULTS)
        for at, fault in itertools.islice(everywhere, None, None, amount(29, 1)):
            with studies.folder() as place:
                complaint = inject(Trial(begun, place, evidence), at, fault, tally)
            if complaint:
                unclean.append((at, names[at - 1], fault, complaint))

    assert unclean == []
    assert (tally.lost, tally.wrong) == (0, 0)


def inject(trial, at, fault, tally):
    """A fault and what follows; what is wrong with how the study ended."""
    complaint = trial.fail(at, *fault)
    tally.faults += 1
    tally.lost += trial.misses()
    tally.wrong += trial.differs() or not trial.goes_on()
    return complaint


def test_so_may_those_of_a_run_that_really_trains(tally, amount):
    """Real networks and checkpoints; after the fault it goes on with the same bits."""
    wanted, _ = studies.reference()
    unclean = []
    with studies.folder() as place:
        file = studies.toy(place, arms=studies.ONE_ARM, **SIZE)
        evidence = {task.key: wanted[task.key] for task in studies.plan(file, place / "x").tasks}
        changes = len(changes_of(place))
        faults = itertools.cycle([(ERRORS[1], True), (ERRORS[0], False), *ENDS])
        trials = [*zip(range(8, changes + 1, 3), faults, strict=False)]
        for at, fault in trials[:: amount(len(trials) // 4, 1)]:
            with studies.folder() as elsewhere:
                complaint = inject(Trial(place, elsewhere, evidence), at, fault, tally)
            if complaint:
                unclean.append((at, complaint))

    assert unclean == []
    assert (tally.lost, tally.wrong) == (0, 0)


OLD, NEW = b"old", b"new " * 1000
ACTS = {
    "put": (
        lambda place: atomic_files.put(place / "file", NEW),
        lambda place: (place / "file").read_bytes() in (OLD, NEW),
    ),
    "put a folder": (
        lambda place: atomic_files.put_folder(place / "new", {"a": NEW, "b": OLD}, advice="."),
        lambda place: _content(place / "new") in ({}, {"a": NEW, "b": OLD}),
    ),
    "move aside": (
        lambda place: atomic_files.move_aside(place / "old", place / "aside", advice="."),
        lambda place: {"a": NEW} in (_content(place / "old"), _content(place / "aside" / "old")),
    ),
}


def _content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def written_to(place, do, **fault):
    """A folder with something old in it, and what became of its disk when it was written to."""
    (place / "old").mkdir(parents=True)
    (place / "old" / "a").write_bytes(NEW)
    (place / "file").write_bytes(OLD)
    with contextlib.suppress(atomic_files.CannotWrite, Killed), failing(place, **fault) as disk:
        do(place)
    if isinstance(disk.error, PowerLost):
        disk.lose_power()
    return disk


@pytest.mark.parametrize("act", ACTS)
def test_what_is_written_is_the_old_or_the_new_never_half(act, tmp_path, tally):
    """Each way to write, cut off at each of its changes."""
    do, is_whole = ACTS[act]
    changes = len(written_to(tmp_path / "count", do).done)
    for at, (error, once) in itertools.product(range(1, changes + 1), FAULTS):
        place = tmp_path / str(tally.faults)
        written_to(place, do, at=at, error=error, once=once)
        tally.faults += 1
        tally.wrong += not is_whole(place)

    assert tally.wrong == 0
