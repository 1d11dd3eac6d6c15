"""Small images and configurations that every test module can use."""

import multiprocessing
import os

import children
import numpy as np
import pytest

from repro.data.images import TrainingImages
from repro.execution import scheduler
from repro.execution.executors import hardware
from repro.execution.executors.inline import Inline
from repro.records.records import ArmIndex, StudyIndex
from repro.records.task import Task
from repro.study import merge
from repro.study.configuration import Configuration
from repro.study.presets import PRESETS
from repro.system import child_process
from repro.training import trainer
from repro.training.kernels import c_library

needs_blocks = pytest.mark.skipif(
    c_library.load() is None, reason="no C compiler here, or vectors shorter than 512 bits"
)
needs_pairs = pytest.mark.skipif(
    not c_library.has_pairs(), reason="this processor does not multiply pairs of bfloat16"
)


def pytest_addoption(parser):
    """How much of the list of faults."""
    parser.addoption("--whole", action="store_true", help="inject every fault, not a quick part")


PRELOADED = [
    *("repro.training.single_run", "mlflow.store.tracking.sqlalchemy_store"),
    "torch._dynamo",  # the first optimiser of a process would load it, in 1.4 s
]
TOTALS = {
    "faults": "faults injected",
    "bad_inputs": "bad inputs tried",
    "lost": "finished runs lost",
    "wrong": "wrong results",
}


LONGEST = [  # what starts first leaves no process alone at the end
    *("test_executors.py", "test_tutorials.py", "test_cli.py", "test_screen.py"),
    *("test_stats_monte_carlo.py", "test_two_at_once.py", "test_synchronisation.py"),
    *("test_wheel.py", "test_same_results.py", "test_dying_workers.py", "test_mlflow_faults.py"),
    *("test_every_study.py", "test_stats_comparisons.py", "test_secrets.py", "test_benchmarks.py"),
    *("test_scale.py", "test_bad_studies.py", "test_signals.py", "test_verification.py"),
]


def pytest_collection_modifyitems(items):
    """The longest files first; tests of a file stay in their order."""
    items.sort(key=lambda item: (*LONGEST, item.path.name).index(item.path.name))


def pytest_terminal_summary(terminalreporter):
    """What the fault tests add up to, in a line."""
    ended = [report for of_kind in terminalreporter.stats.values() for report in of_kind]
    counted = [
        pair
        for report in ended
        if getattr(report, "when", None) in ("call", "teardown")
        for pair in report.user_properties
    ]
    totals = {name: sum(count for key, count in counted if key == name) for name in TOTALS}
    if any(totals.values()):
        line = ", ".join(f"{totals[name]:,} {words}" for name, words in TOTALS.items())
        terminalreporter.write_line(f"Fault tests: {line}")


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Tests run as workers do."""
    trainer.prepare_process()


@pytest.fixture(autouse=True, scope="session")
def _children_that_begin_at_once():
    """Children of a test are forked from a clean process that has loaded torch and MLflow.

    Those of a command that a test runs are Pythons of their own, as they are for users.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    child_process.launch = children.started_by("forkserver")
    os.environ["OMP_NUM_THREADS"] = "1"  # what a child would set is set too late there


@pytest.fixture(scope="session")
def loaded():
    """The process that children are forked from has loaded all: the first child waits for that.

    For tests that look at the clock.
    """
    import stores

    child = child_process.Child(stores.unprepared)
    child.stop()
    child.join()


def configuration(**changes):
    """The reproduction's preset with small training, and the changes laid over it."""
    small = {"epochs": 2, "batch_size": 16}
    return Configuration.model_validate(
        merge.merge(merge.merge(PRESETS["dehaan2020"], small), changes)
    )


def a_task(results, **changes):
    """A run of the small configuration in these results."""
    plain = {
        "key": "k-seed0",
        "arm": "x",
        "seed": 0,
        "configuration": configuration(),
        "data": {},
        "computation": hardware.computation(["cpu"]),
        "commit": None,
        "results": results,
    }
    return Task(**(plain | changes))


def execute(task, on_epoch=lambda epoch, rate: None):
    """Execute a run in this process; its events."""
    events = []
    with Inline(task.device) as executor:
        for event in scheduler.run_tasks([task], executor):
            events.append(event)
            if event.kind == "epoch":
                on_epoch(event.epoch, event.images_per_second)
    return events


def training_images(faces=40, others=40, seed=0):
    """Noise, brighter for faces, so that a classifier can learn it."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 156, (faces + others, 64, 64, 3), dtype=np.uint8)
    images[:faces] += 100
    return TrainingImages(images, np.arange(faces + others) < faces)


def study_index(arms, **changes):
    """A study that wants these runs: keys by arm, in the order of the seeds."""
    plain = {
        "name": "toy",
        "variant": "embedded",
        "question": "Does it?",
        "profile": "embedded",
        "overrides": [],
        "data": "a few pictures",
        "synthetic": True,
        "reference": next(iter(arms)),
        "select": {"keep": 1, "by": "recall", "split": "test"},
        "published": None,
    }
    listed = [ArmIndex(name=name, keys=list(keys)) for name, keys in arms.items()]
    return StudyIndex(**(plain | changes), arms=listed)
