"""R15 for stacks: the process of a stack is killed, crashes or has no memory; so does the command.

All its runs that have not ended go on from their checkpoints. The one that ends every process is
given up alone.
"""

import os
import random
import signal
import time

import processes
import pytest
import stacks_here

from faults import studies, test_dying_workers, warm
from repro.execution import runner
from repro.execution.executors.executor_options import Place
from repro.execution.executors.executor_registry import executor_at
from repro.records import records
from repro.records.events import CheckpointMade, EpochEnded
from repro.records.task import LOST
from repro.study import study
from repro.study.resources import PLAIN
from repro.training import stacked_runs

SIZE = 4  # six runs: a stack, and half of one


@pytest.fixture
def place():
    """A folder where nothing waits for a disk."""
    with studies.folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What the study comes to: every record with its files, by key."""
    folder = tmp_path_factory.mktemp("undisturbed")
    resolved = study.load(studies.toy(folder))
    with (
        stacks_here.canned(),
        executor_at(Place(stack=SIZE), PLAIN, remark=print) as executor,
    ):
        runner.run(resolved, folder / "results", executor=executor, on_event=lambda _: None)
    return studies.evidence(folder / "results")


def dying():
    """In a command: the chosen runs end their process in the second epoch, so many times."""
    chosen = dict(entry.split("=") for entry in os.environ["FATES"].split(";") if entry)

    def outcome(tasks, materials, begun, size):
        """The runs epoch by epoch, as a stack trains them; a pause in between if that is asked."""
        pairs = zip(tasks, materials, begun, strict=True)
        training = [(one[0], studies.canned_training(*one)) for one in pairs]
        while training:
            for task, events in list(training):
                for event in events:
                    yield event
                    if isinstance(event, EpochEnded):
                        time.sleep(float(os.environ.get("PAUSE", 0)))
                        _meet_fate(task, event.history["epoch"], chosen)
                    elif isinstance(event, CheckpointMade):
                        break
                else:
                    training.remove((task, events))

    stacked_runs._train_and_evaluate = outcome


def _meet_fate(task, epoch, chosen):
    name = f"{task.arm}-{task.seed}"
    diary = task.results.parent / f"{name}.epochs"
    with diary.open("a") as lines:
        lines.write(f"{epoch:.0f}\n")
    if epoch == 2 and name in chosen:
        times, fate = chosen[name].split(",")
        if diary.read_text().split().count("2") <= int(times):
            test_dying_workers.FATES[fate][0]()


def command(place, log, *options, fates=None, pause=0):
    """Run the study in stacks."""
    chosen = ";".join(f"{name}={times},{fate}" for name, (times, fate) in (fates or {}).items())
    arguments = ["--results", place / "results", "--stack", SIZE, "--checkpoint-seconds", 0]
    return warm.Command(
        *("run", place / "toy.yaml", *arguments, "--workers", 1, *options),
        log=place / log,
        before=dying,
        environment={"FATES": chosen, "PAUSE": str(pause)},
    )


def ended(place, log, *options, status=0, **how):
    """The command when it has ended."""
    running = command(place, log, *options, **how)
    assert running.wait() == status, running.output
    return running


def epochs(place, name):
    """The epochs of a run, as they were told."""
    return (place / f"{name}.epochs").read_text().split()


@pytest.mark.parametrize("fate", ["killed", "without memory for torch"])
def test_runs_whose_process_dies_once_go_on_in_another(fate, place, undisturbed, tally):
    """From their checkpoints, and no bit is another."""
    studies.toy(place)
    done = ended(place, "log", fates={"rarest-0": (1, fate)})
    tally.faults += 1
    tally.wrong += studies.evidence(place / "results") != undisturbed

    assert tally.wrong == 0
    assert epochs(place, "rarest-0") == ["1", "2", "2", "3"]
    assert epochs(place, "sampled-0") == ["1", "2", "3"]  # after it in the stack
    how = test_dying_workers.FATES[fate][1]
    said = f"and 3 other runs of its stack: their worker ended ({how}); the runs are repeated from"
    assert done.output.count(said) == 1


def test_the_run_that_ends_every_process_is_given_up_alone(place, undisturbed, tally):
    """After three; the others end well. With --retry-lost it does, too."""
    studies.toy(place)
    results = place / "results"
    ended(place, "log", fates={"rarest-0": (99, "killed")})
    tally.faults += 3
    found = studies.evidence(results)
    (lost,) = [key for key in undisturbed if found[key] != undisturbed[key]]
    record = records.read_record(lost, results)

    assert record.failure["term"] == LOST
    assert record.failure["reason"] == "its worker ended 3 times (killed by SIGKILL)"
    assert epochs(place, "rarest-0") == ["1", "2", "2", "2"]
    ended(place, "retried", "--retry-lost")
    assert studies.evidence(results) == undisturbed


def test_a_stack_that_never_has_memory_stops_the_study(place, tally):
    """Nothing is recorded for it, and the message names a smaller stack."""
    studies.toy(place)
    done = ended(place, "log", status=1, fates={"even-0": (99, "without memory for torch")})
    tally.faults += 3

    assert done.output.rstrip().endswith("with a smaller --stack, which takes less")
    assert studies.identities(place / "results") == {}


def test_a_command_that_is_killed_goes_on_where_it_was(place, undisturbed, tally, amount):
    """Again and again, by SIGKILL and by Ctrl-C; no process is left."""
    chance = random.Random(3)
    studies.toy(place)
    for log in range(amount(4, 30)):
        with command(place, f"log{log}", pause=0.05) as running:
            time.sleep(chance.uniform(0.1, 1.0))
            running.send(chance.choice([signal.SIGKILL, signal.SIGINT]))
            running.wait()
        assert processes.session_ends(running.pid)
        tally.faults += 1
    ended(place, "last")
    tally.wrong += studies.evidence(place / "results") != undisturbed

    assert tally.wrong == 0
