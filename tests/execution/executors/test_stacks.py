"""Runs are collected into stacks; a process that dies takes its own runs with it, twice at most."""

import pytest
from builders import a_task, configuration

from repro.errors import ReproError
from repro.execution import scheduler
from repro.execution.executors import process_pool, stacks
from repro.execution.executors.process_pool import Died
from repro.execution.executors.stacks import Stacks
from repro.metrics import Count
from repro.records import records
from repro.records.events import Remark, RunEnded, RunRecorded, RunStarted, WorkerDied
from repro.records.task import Source


class Process:
    """A worker that says what a script tells: of each stack, in the order in which they start."""

    def __init__(self, prepare, device, *, stall):
        """It has no runs."""
        self.device, self.tasks, self.connection, self.says = device, [], None, []

    def send(self, request):
        """The runs of a stack, on its device."""
        size, tasks, begun, shared = request
        self.started.append([task.key for task in tasks])
        assert {task.device for task in tasks} == {self.device}
        assert len(tasks) == len(begun) == len(shared) <= size
        self.says = list(self.script(tasks))

    def heard(self):
        """The next word."""
        event = self.says.pop(0)
        return event, isinstance(event, Died) or not self.says

    def is_stalled(self):
        """It works."""
        return False

    def stop(self):
        """It ends."""

    join = stop


def begun(task):
    """The run starts."""
    return RunStarted(task.key, task.title, 2, 0)


def ended(task, **record):
    """The run ends."""
    made = task.record(**({"groups": {"a": Count(4, 3)}} | record))
    return RunEnded(task.key, task.title, made, {})


def in_peace(tasks):
    """A stack of which nothing dies."""
    return [*map(begun, tasks), *map(ended, tasks)]


@pytest.fixture
def pool(monkeypatch):
    """Executors whose processes never start; the stacks that they began."""
    monkeypatch.setattr(process_pool, "Worker", Process)
    monkeypatch.setattr(process_pool, "wait", lambda connections, timeout: connections)
    Process.started, Process.script = [], staticmethod(in_peace)
    return Process


def run(results, number, **changes):
    """A run of the small configuration."""
    return a_task(
        results, key=f"k{number}-seed{number}", seed=number, configuration=configuration(**changes)
    )


def keys(*numbers):
    """Keys of runs."""
    return [f"k{number}-seed{number}" for number in numbers]


def played(tasks, size, slots=("cpu",)):
    """All events of the scheduler."""
    with Stacks(slots, size) as executor:
        return list(scheduler.run_tasks(tasks, executor))


def test_runs_of_a_shape_fill_stacks_and_the_last_has_what_is_left(tmp_path, pool):
    """Five runs by two."""
    events = played([run(tmp_path, n) for n in range(5)], 2)

    assert pool.started == [keys(0, 1), keys(2, 3), keys(4)]
    assert sum(isinstance(one, RunRecorded) for one in events) == 5


def test_another_shape_has_a_stack_of_its_own(tmp_path, pool):
    """Of two shapes in turn those of the first come together; alpha is no part of a shape."""
    rates = [0.1, 0.2, 0.1, 0.2, 0.1]
    alphas = [0.1, 0.1, 0.01, 0.1, 0.1]
    pairs = enumerate(zip(rates, alphas, strict=True))
    tasks = [
        run(tmp_path, n, learning_rate=rate, resampling={"alpha": alpha})
        for n, (rate, alpha) in pairs
    ]
    played(tasks, 4)

    assert pool.started == [keys(0, 2, 4), keys(1, 3)]


def test_a_shape_is_found_behind_many_runs_of_others(tmp_path, pool):
    """Also behind more than an executor of single runs looks at."""
    tasks = [run(tmp_path, n, learning_rate=0.1 if n in (0, 99) else 0.2) for n in range(100)]
    played(tasks, 100)

    assert pool.started[0] == keys(0, 99)


def test_two_devices_have_a_stack_each(tmp_path, pool):
    """The second is collected as soon as the first is full."""
    with Stacks(["cuda:0", "cuda:1"], 2) as executor:
        tasks = [run(tmp_path, n) for n in range(5)]
        while executor.room():
            executor.submit(tasks.pop(executor.choose(tasks)), {})

        assert pool.started == [keys(0, 1), keys(2, 3)]
        assert {one.device for one in executor._pool.busy} == {"cuda:0", "cuda:1"}


def test_runs_of_a_third_shape_wait_until_one_of_two_processes_is_free(tmp_path, pool):
    """No run is locked that cannot begin."""
    with Stacks(["cpu", "cpu"], 4) as executor:
        tasks = [run(tmp_path, n, learning_rate=rate) for n, rate in enumerate([0.1, 0.2, 0.3])]
        for _ in range(2):
            executor.submit(tasks.pop(executor.choose(tasks)), {})

        assert executor.room()
        assert executor.choose(tasks) is None


def test_a_dead_process_takes_a_run_with_it_twice_at_most(tmp_path, pool):
    """The one that kills its process is given up alone; one sentence tells of each death."""

    def kills(tasks):
        if "k1-seed1" in [task.key for task in tasks]:
            return [*map(begun, tasks), Died("killed by SIGKILL")]
        return in_peace(tasks)

    pool.script = staticmethod(kills)
    events = played([run(tmp_path, n) for n in range(3)], 3)

    assert sorted(map(sorted, pool.started[:2])) == [keys(0, 1, 2)] * 2
    assert sorted(pool.started[2:]) == [keys(0), keys(1), keys(2)]
    ends = {one.key: one.record.failure for one in events if isinstance(one, RunRecorded)}
    assert [ends[key] and ends[key]["term"] for key in keys(0, 1, 2)] == [None, "worker", None]
    told = [one.text for one in events if isinstance(one, Remark)]
    assert len(told) == 2
    assert told[0] == (
        "x, seed 0 and 2 other runs of its stack: their worker ended (killed by SIGKILL); the runs "
        "are repeated from their last checkpoints"
    )


def test_a_run_that_ended_before_its_process_died_is_not_repeated(tmp_path, pool):
    """Of two, the other one is."""

    def dies_once(tasks):
        if len(tasks) == 2:
            return [*map(begun, tasks), ended(tasks[0]), Died("killed by SIGKILL")]
        return in_peace(tasks)

    pool.script = staticmethod(dies_once)
    events = played([run(tmp_path, n) for n in range(2)], 2)

    assert pool.started == [keys(0, 1), keys(1)]
    assert [one.text for one in events if isinstance(one, Remark)] == [
        "x, seed 1: its worker ended (killed by SIGKILL); the run is repeated from its last "
        "checkpoint"
    ]


def test_a_process_of_many_runs_that_does_not_begin_counts_once(tmp_path, pool):
    """Two starts in vain are no reason to stop; three are."""
    attempts = []

    def in_vain(tasks):
        attempts.append(len(tasks))
        return [Died("exit status 1")] if len(attempts) < wanted else in_peace(tasks)

    pool.script = staticmethod(in_vain)
    wanted = 3
    played([run(tmp_path, n) for n in range(4)], 4)
    assert attempts == [4, 4, 4]
    assert all(records.has_record(key, tmp_path) for key in keys(0, 1, 2, 3))

    wanted, attempts[:] = 9, []
    with pytest.raises(ReproError, match=r"workers cannot start here \(exit status 1\)"):
        played([run(tmp_path, n) for n in range(4, 8)], 4)
    assert attempts == [4, 4, 4]


def test_a_stack_without_memory_is_told_of_a_smaller_one(tmp_path, pool):
    """And nothing is recorded."""
    pool.script = staticmethod(lambda tasks: [*map(begun, tasks), Died("out of memory")])
    with pytest.raises(ReproError) as error:
        played([run(tmp_path, n) for n in range(2)], 2)

    assert str(error.value).endswith(
        "give them more memory (fewer --workers, a larger `ulimit -v`) and run the same again, or "
        "all of its runs with a smaller --stack, which takes less"
    )
    assert not any(records.has_record(key, tmp_path) for key in keys(0, 1))


def test_runs_that_start_from_others_wait_for_all_of_them(tmp_path, pool):
    """With a free process, too: the last run of a stack is scored soon after its first."""
    sources = [run(tmp_path, n) for n in range(2)]
    dealt = [
        a_task(
            tmp_path,
            key=f"d{n}-seed{n}",
            seed=n,
            configuration=configuration(),
            source=Source(
                key=one.key, arm="x", digest="d", configuration=one.configuration, files={}
            ),
        )
        for n, one in enumerate(sources)
    ]
    played([*sources, *dealt], 2, slots=("cpu", "cpu"))

    assert pool.started == [keys(0, 1), ["d0-seed0", "d1-seed1"]]


def test_a_run_that_failed_early_lets_no_other_wait(tmp_path, pool):
    """The rest of its stack may take hours; what is collected for a free process starts."""

    def one_fails(tasks):
        failed = ended(tasks[0], groups={}, failure={"epoch": 1, "term": "kl", "reason": "NaN"})
        return [*map(begun, tasks), failed, *map(ended, tasks[1:])]

    pool.script = staticmethod(one_fails)
    with Stacks(["cpu", "cpu"], 2) as executor:
        for n in range(2):
            executor.submit(run(tmp_path, n), {})
        heard = [event for _ in range(3) for event in executor.events()]
        executor.submit(run(tmp_path, 2), {})
        list(executor.events())

        assert [type(one) for one in heard] == [RunStarted, RunStarted, RunEnded]
        assert pool.started == [keys(0, 1), keys(2)]


def test_a_worker_that_is_only_asked_to_load_answers_nothing():
    """And keeps what it has loaded for its runs."""
    assert stacks._prepare()(None, None) is None


def test_each_dead_run_says_how_many_others_there_were(tmp_path, pool):
    """So that one sentence can tell of all."""
    pool.script = staticmethod(lambda tasks: [Died("killed by SIGKILL")])
    with Stacks(["cpu"], 2) as executor:
        for n in range(2):
            executor.submit(run(tmp_path, n), {})

        assert list(executor.events()) == [
            WorkerDied("k0-seed0", "x, seed 0", "killed by SIGKILL", others=1, is_told=False),
            WorkerDied("k1-seed1", "x, seed 1", "killed by SIGKILL", others=1, is_told=True),
        ]
