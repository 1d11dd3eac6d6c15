"""How all tests run: options, order, children, and what is counted."""

import multiprocessing
import os
import signal

import children
import pytest

from repro.system import child_process, worker_environment

worker_environment.settle(loaded=())  # before anything loads torch: tests run as workers do

from repro.training import trainer  # noqa: E402


def pytest_configure():
    """Ctrl-C is no signal to ignore, as it is where a shell starts the suite in the background.

    Commands that tests start would inherit that, and rightly stay deaf.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
    *("test_monte_carlo.py", "test_two_at_once.py", "test_synchronisation.py"),
    *("test_wheel.py", "test_same_results.py", "test_dying_workers.py", "test_mlflow_faults.py"),
    *("test_shipped_studies.py", "test_comparisons.py", "test_secrets.py", "test_benchmarks.py"),
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
