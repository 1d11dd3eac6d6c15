"""R25, R26: what is torn, changed, foreign or missing in a results folder is named and never used.

The table refuses it or counts the run as missing; running the study again makes it anew, with the
same bits, and touches nothing else.
"""

import json
import shutil

import pytest
from click.testing import CliRunner
from places import FILES

from faults import studies
from repro.cli import main
from repro.records import checkpoint_store, locks
from repro.records.events import RunStarted

SCHEMA_1 = FILES / "schema1" / "runs" / "34bf34227cf8-seed0"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A study that is done, its evidence, and its tables."""
    place = tmp_path_factory.mktemp("partial")
    file = studies.toy(place)
    with studies.canned():
        studies.run_here(file, place / "results")
    return file, place / "results", *studies.canned_reference()


@pytest.fixture
def spoilt(done, tmp_path):
    """A copy of its results to spoil, and the folder of one of its runs there."""
    file, results, _, _ = done
    copy = tmp_path / "results"
    shutil.copytree(results, copy)
    return file, copy, min((copy / "runs").iterdir())


def flip(path, bit):
    """Change one bit."""
    raw = bytearray(path.read_bytes())
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    path.write_bytes(raw)


def cut(path, share):
    """Keep the first part alone."""
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])


def line_changed(path, change):
    """Change the lines of a file."""
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(change(lines)))


def replaced(path, **fields):
    """Rewrite fields of a JSON file, as an editor would, under the old checksum."""
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | fields, indent=1))


def later(path):
    """As a later release would write it."""
    replaced(path, schema=99)


RECORD = "record.json"
SEEN = {  # by every command
    "torn record": lambda run: cut(run / RECORD, 0.5),
    "torn last line": lambda run: cut(run / RECORD, 0.99),
    "empty record": lambda run: cut(run / RECORD, 0),
    "flipped bit": lambda run: flip(run / RECORD, 8 * 700),
    "flipped bit in the checksum": lambda run: flip(run / RECORD, -8 * 20),
    "a line twice": lambda run: line_changed(run / RECORD, lambda x: [*x[:3], x[2], *x[3:]]),
    "a line less": lambda run: line_changed(run / RECORD, lambda x: [*x[:3], *x[4:]]),
    "lines in another order": lambda run: line_changed(run / RECORD, lambda x: [x[0], *x[:0:-1]]),
    "edited by hand": lambda run: replaced(run / RECORD, metrics={"recall": 1.0}),
    "another program's": lambda run: (run / RECORD).write_text('{"accuracy": 1}'),
    "a list": lambda run: (run / RECORD).write_text("[]"),
    "no text": lambda run: (run / RECORD).write_bytes(bytes(range(256))),
    "record of the first schema": lambda run: shutil.copy(SCHEMA_1 / RECORD, run / RECORD),
    "another run's": lambda run: shutil.copytree(
        max(run.parent.iterdir()), run, dirs_exist_ok=True
    ),
    "no record": lambda run: (run / RECORD).unlink(),
    "no scores": lambda run: (run / "scores.csv").unlink(),
    "no checkpoint": lambda run: (run / "model.safetensors").unlink(),
    "an empty folder": lambda run: [path.unlink() for path in run.iterdir()],
}
READ = {  # by whoever needs the file
    "half the scores": lambda run: cut(run / "scores.csv", 0.5),
    "a score changed": lambda run: flip(run / "scores.csv", 8 * 60),
    "no byte of the scores": lambda run: cut(run / "scores.csv", 0),
    "half the weights": lambda run: cut(run / "weights.safetensors", 0.5),
    "a weight changed": lambda run: flip(run / "weights.safetensors", -8),
}


@pytest.mark.parametrize("fault", SEEN)
def test_a_spoilt_run_is_made_anew_with_the_same_bits(done, spoilt, fault, tally):
    """What was there is kept aside, and no other run is touched."""
    _, _, evidence, tables = done
    file, results, run = spoilt
    SEEN[fault](run)
    others = {key: id_ for key, id_ in studies.identities(results).items() if key != run.name}
    with studies.canned():
        watcher = studies.run_here(file, results)
    tally.faults += 1
    now = studies.identities(results)
    tally.lost += sum(now.get(key) != identity for key, identity in others.items())
    tally.wrong += studies.evidence(results) != evidence
    tally.wrong += studies.tables(file, results) != tables

    assert watcher.finished == [run.name]
    assert (results / "aside" / run.name).exists()
    assert (tally.lost, tally.wrong) == (0, 0)


@pytest.fixture
def left(spoilt):
    """The checkpoints of a run that has its record: its process was killed between the two."""
    _, results, run = spoilt
    checkpoint_store.keep({"epoch-000002.json": b"{}"}, run.name, results)
    return checkpoint_store.folder_of(run.name, results)


def test_checkpoints_of_a_run_that_has_its_record_are_removed(spoilt, left, tally):
    """The next start removes them, and trains nothing."""
    file, results, _ = spoilt
    before = studies.identities(results)
    watcher = studies.run_here(file, results)
    tally.faults += 1

    assert not left.exists()
    assert (watcher.begun, studies.identities(results)) == ([], before)


def test_checkpoints_that_another_process_is_at_are_left_to_it(spoilt, left):
    """It has just written the record, and removes them itself."""
    file, results, _ = spoilt
    with locks.of_folder(left, patience=0):
        studies.run_here(file, results)

    assert (left / "epoch-000002.json").exists()


class Looker(studies.Watcher):
    """Remembers the epochs that are kept of each run when it starts."""

    def __init__(self, results):
        """Nothing has happened yet."""
        super().__init__()
        self.results, self.kept = results, {}

    def on_event(self, event):
        """A worker took a run, or something else happened."""
        super().on_event(event)
        if isinstance(event, RunStarted):
            self.kept[event.key] = checkpoint_store.epochs_kept(event.key, self.results)


def test_checkpoints_of_a_run_whose_record_is_damaged_are_kept(spoilt, left):
    """The record is put aside, and the run is unfinished again."""
    file, results, run = spoilt
    cut(run / RECORD, 0.5)
    with studies.canned():
        watcher = studies.run_here(file, results, watcher=Looker(results))

    assert watcher.kept == {run.name: 2}


def test_checkpoints_of_runs_of_other_studies_are_left_alone(spoilt):
    """Whoever runs those studies goes on from them."""
    file, results, _ = spoilt
    checkpoint_store.keep({"epoch-000002.json": b"{}"}, "other-seed0", results)
    studies.run_here(file, results)

    assert checkpoint_store.epochs_kept("other-seed0", results) == 2


@pytest.mark.parametrize("fault", [*SEEN, *READ])
def test_no_table_is_made_of_a_spoilt_run(done, spoilt, fault, tally):
    """It is named, or counted as one that has not ended; the right table is not printed either."""
    _, _, _, tables = done
    file, results, run = spoilt
    (SEEN | READ)[fault](run)
    command = ["table", str(file), "--results", str(results), "--format", "markdown"]
    printed = CliRunner().invoke(main, command)
    tally.faults += 1

    if printed.exit_code == 0:
        needed = fault not in ("no checkpoint", "half the weights", "a weight changed")
        tally.wrong += needed and printed.stdout == tables[1]
        tally.wrong += not needed and printed.stdout != tables[1]
    else:
        assert printed.exit_code == 1
        assert run.name in printed.output
    assert tally.wrong == 0


@pytest.mark.parametrize("spoil", [lambda path: cut(path, 0.5), lambda path: flip(path, 99)])
def test_a_spoilt_index_is_named_and_written_anew(done, spoilt, spoil, tally):
    """Torn or changed: no table is made by it, and no run is trained again for it."""
    _, _, evidence, tables = done
    file, results, _ = spoilt
    index = results / "studies" / "toy" / "embedded.json"
    spoil(index)
    printed = CliRunner().invoke(main, ["table", str(file), "--results", str(results)])
    with studies.canned():
        watcher = studies.run_here(file, results)
    tally.faults += 1
    tally.wrong += studies.evidence(results) != evidence
    tally.wrong += studies.tables(file, results) != tables

    assert (printed.exit_code, "embedded.json" in printed.output) == (1, True)
    assert watcher.begun == []
    assert tally.wrong == 0


@pytest.mark.parametrize("what", ["record", "index"])
def test_what_a_later_release_wrote_stops_the_study(spoilt, what, tally):
    """It is neither used nor replaced."""
    file, results, run = spoilt
    path = run / RECORD if what == "record" else results / "studies" / "toy" / "embedded.json"
    later(path)
    before = path.read_bytes()
    done = CliRunner().invoke(main, ["run", str(file), "--results", str(results)])
    tally.faults += 1

    assert done.exit_code == 1
    assert "written by a later release (schema 99" in done.output
    assert path.read_bytes() == before
