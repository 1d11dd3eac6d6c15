import pytest
from builders import a_task, configuration

from repro.data import sources
from repro.execution.executors import local, process_pool
from repro.execution.executors.local import Local
from repro.records.events import RunEnded
from repro.training import single_run

ALPHAS = (0.1, 0.01)


class Process:
    """A worker that ends its run when it is asked."""

    def __init__(self, prepare, device, *, stall):
        """It has no run."""
        self.device, self.tasks, self.connection = device, [], None

    def send(self, request):
        """Nothing happens: the pool notes what it sends."""

    def heard(self):
        """The end of its run."""
        (task,) = self.tasks
        return RunEnded(task.key, task.title, task.record(), {}), True

    def is_stalled(self):
        """It works."""
        return False


@pytest.fixture
def pool(monkeypatch):
    """Two workers that never start."""
    monkeypatch.setattr(process_pool, "Worker", Process)
    monkeypatch.setattr(process_pool, "wait", lambda connections, timeout: connections)
    made = Local(["cpu", "cpu"])
    yield made
    made._pool._shelf.close()


def runs(tmp_path):
    """Two arms of two seeds that differ in alpha, seed by seed, as a study plans them."""
    return [
        a_task(
            tmp_path,
            key=f"{alpha}-seed{seed}",
            seed=seed,
            configuration=configuration(resampling={"alpha": alpha}),
        )
        for seed in range(2)
        for alpha in ALPHAS
    ]


def submitted(pool, waiting):
    """The key of the run that a pool chooses, which it then has."""
    task = waiting.pop(pool.choose(waiting))
    pool.submit(task, {})
    return task.key


def test_each_worker_goes_on_with_runs_that_begin_as_its_last_one(tmp_path, pool):
    """Two arms of two seeds on two workers: a seed each, so that each trains one first epoch."""
    waiting = runs(tmp_path)
    first = [submitted(pool, waiting) for _ in range(2)]
    list(pool.events())  # both end
    second = [submitted(pool, waiting) for _ in range(2)]

    assert first == ["0.1-seed0", "0.1-seed1"]
    assert second == ["0.01-seed0", "0.01-seed1"]


def test_a_run_that_begins_like_a_busy_one_is_chosen_if_no_other_is_left(tmp_path, pool):
    """No worker waits for another: the two arms of one seed run at once."""
    waiting = runs(tmp_path)[:2]

    assert [submitted(pool, waiting) for _ in range(2)] == ["0.1-seed0", "0.01-seed0"]


def test_runs_begin_alike_if_they_differ_only_in_how_faces_are_drawn(tmp_path):
    """Alpha is no part of a beginning; the learning rate and the seed are."""
    plain, other_alpha = (run.beginning for run in runs(tmp_path)[:2])
    faster = a_task(tmp_path, configuration=configuration(learning_rate=0.1)).beginning
    seed_1 = a_task(tmp_path, seed=1).beginning

    assert plain == other_alpha
    assert len({plain, faster, seed_1}) == 3


def test_warm_workers_are_those_that_runs_get(tmp_path, pool):
    """As many as there are runs, at most one for each place; no other one starts for a run."""
    pool.warm(1)
    pool.warm(5)
    (first, second), started = pool._pool.idle, [*pool._pool.idle]
    waiting = runs(tmp_path)
    for _ in range(2):
        submitted(pool, waiting)

    assert pool._pool.busy == started == [first, second]
    assert not pool.room()


def test_a_worker_that_is_only_asked_to_load_answers_nothing():
    """And keeps what it has loaded for its runs."""
    assert local._prepare()(None, None) is None


def test_a_worker_that_waits_for_data_of_another_one_says_so(tmp_path, monkeypatch):
    """Its parent hears a word, so that it does not take the worker for one that hangs."""
    task, words = a_task(tmp_path), []
    end = RunEnded(task.key, task.title, task.record(), {})

    def execute(task, load, *_):
        load()
        yield end

    monkeypatch.setattr(sources, "keeper", lambda: lambda data, shared, waits: waits())
    monkeypatch.setattr(single_run, "execute", execute)

    assert local._prepare()((task, {}, {}), words.append) == end
    assert words == [None]
