"""How all tests run: options, order, children, and what is counted."""

import contextlib
import multiprocessing
import os
import signal

import caches
import machine
import pytest

if "PYTEST_XDIST_WORKER" not in os.environ:  # before anything is loaded that reads settings
    machine.make_neutral()


def pytest_configure(config):
    """Hypothesis draws the same everywhere and has no clock; Ctrl-C is no signal to ignore.

    It is ignored where a shell starts the suite in the background; commands that tests start would
    inherit that, and rightly stay deaf.
    """
    with contextlib.suppress(ImportError):  # `benchmarks/gpu.sh` runs tests that need none of it
        from hypothesis import HealthCheck, settings

        slow = [HealthCheck.too_slow]
        settings.register_profile(
            "here", deadline=None, derandomize=True, suppress_health_check=slow, print_blob=False
        )
        settings.load_profile("here")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if folder := _kept(config):
        caches.restore(folder)


def pytest_unconfigure(config):
    """The next run of the tests begins where this one was."""
    if folder := _kept(config):
        caches.keep(folder)


def _kept(config):
    """A folder of pytest's own cache, for the process that starts all others."""
    if "PYTEST_XDIST_WORKER" not in os.environ and hasattr(config, "cache"):
        return config.cache.mkdir("home")
    return None


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
    from repro.training import trainer

    trainer.prepare_process()


@pytest.fixture(autouse=True, scope="session")
def _children_that_begin_at_once():
    """Children of a test are forked from a clean process that has loaded torch and MLflow.

    Those of a command that a test runs are Pythons of their own, as they are for users.
    """
    import children

    from repro.system import child_process

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    child_process.launch = children.started_by("forkserver")


@pytest.fixture(scope="session")
def loaded():
    """The process that children are forked from has loaded all: the first child waits for that.

    For tests that look at the clock.
    """
    import stores

    from repro.system import child_process

    child = child_process.Child(stores.unprepared)
    child.stop()
    child.join()
