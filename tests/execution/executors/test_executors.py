"""Every executor keeps the same promises; what differs between them is below the common ones."""

import contextlib
import dataclasses
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from unittest import mock

import clusters
import processes
import pytest
from builders import a_task, configuration
from faults import studies

from repro import api
from repro.data import sources
from repro.errors import ReproError
from repro.execution import scheduler
from repro.execution.executors import hardware, ray, ray_session
from repro.execution.executors.executor_options import Place
from repro.execution.executors.executor_registry import executor_at
from repro.metrics import Count
from repro.plugins import carriers, plugin_module, plugin_text
from repro.records import checkpoint_store, locks, records
from repro.records.events import (
    EpochEnded,
    MachineLost,
    RunEnded,
    RunHeld,
    RunRecorded,
    RunStarted,
    WorkerDied,
)
from repro.records.task import Source
from repro.study.resources import PLAIN, Resources
from repro.system import machine

HERE = hardware.computation(["cpu"])
SMALL = {
    "train": {"source": "synthetic", "faces": 30, "nonfaces": 30},
    "test": {"source": "synthetic", "per_group": 1, "size": 64},
    "nonfaces": {"source": "synthetic", "photographs": 2, "size": 64},
}


def task(results, seed=0, **changes):
    """A run of a second."""
    arm = configuration(**{"data": SMALL, "epochs": 3, **changes})
    return a_task(results, key=f"k-seed{seed}", seed=seed, configuration=arm)


def kill_children():
    """The local executor's workers."""
    for process in multiprocessing.active_children():
        os.kill(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def cluster():
    """Ray on two machines, with room for one run each."""
    with clusters.two_machines() as (two, one):
        yield two, one


@pytest.fixture(scope="module")
def connection(cluster):
    """This process's, which is a part of the cluster from here on."""
    with ray_session.joined(cluster[0].address, remark=print) as ray:
        yield ray


@pytest.fixture
def joined(cluster, connection, monkeypatch):
    """The cluster, of which this process is a part already: to join takes seconds."""
    connected = contextlib.nullcontext(connection)
    monkeypatch.setattr(ray_session, "joined", lambda address, remark: connected)
    return cluster


def at(place):
    """The executor there."""
    return executor_at(place, PLAIN, remark=print)


STACK = Place(workers=1, stack=2)  # one run, with a copy, or two


@pytest.fixture(params=["local", "inline", "ray", "stack"])
def place(request):
    """Each place in turn."""
    if request.param == "stack":
        return STACK
    if request.param == "ray":
        two, _ = request.getfixturevalue("joined")
        return Place(executor="ray", address=two.address, workers=1)
    return Place(executor=request.param, workers=1)


@pytest.fixture(params=["local", "ray", "stack"])
def killable(request):
    """Each place whose workers can be killed, and what kills them."""
    if request.param == "stack":
        return STACK, kill_children
    if request.param == "ray":
        two, _ = request.getfixturevalue("joined")
        return Place(executor="ray", address=two.address, workers=1), clusters.kill_workers
    return Place(workers=1), kill_children


def run(tasks, place):
    """All events; runs of a stack are named by what computes them there."""
    with at(place) as executor:
        kernels = executor.computation.kernels
        if place.stack:
            tasks = [
                dataclasses.replace(
                    one, computation=dataclasses.replace(one.computation, kernels=kernels)
                )
                for one in tasks
            ]
        yield from scheduler.run_tasks(tasks, executor)


def what_came_out(record):
    """A record less how it came about."""
    return dataclasses.replace(record, provenance={})


def once(make):
    """What a function makes for a place: once for stacks, and once, in this process, for others."""

    @functools.cache
    def made(stacked):
        return make(STACK if stacked else Place(executor="inline"))

    return lambda place: made(place.stack is not None)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What the run should come to at a place, by seed; at a stack, beside the run of seed 1."""

    def of(place):
        results = tmp_path_factory.mktemp("undisturbed")
        seeds = (0, 1) if place.stack else (0,)
        return recorded([task(results, seed) for seed in seeds], place)[0]

    return once(of)


def pair(results):
    """A placebo, and the run whose weights it deals; the placebo is first in the study."""
    draw = {"uniform_epochs": "draw", "alpha": 0.01}
    source = task(results, epochs=2, resampling=draw)
    dealt = {"rule": "placebo", "of": "x", "parameters": {"within": "all", "permutation": "run"}}
    arm = configuration(data=SMALL, epochs=2, resampling=draw | dealt)
    come_from = Source(key=source.key, arm="x", digest="k", configuration=source.configuration)
    return [a_task(results, key="d-seed0", configuration=arm, source=come_from), source]


@pytest.fixture(scope="module")
def undisturbed_pair(tmp_path_factory):
    """What the two runs should come to at a place."""

    def of(place):
        return recorded(pair(tmp_path_factory.mktemp("pair")), place)

    return once(of)


def recorded(tasks, place):
    """The records in the order in which they were made."""
    events = run(tasks, place)
    return [what_came_out(one.record) for one in events if isinstance(one, RunRecorded)]


def test_a_placebo_comes_to_the_same_wherever_it_is(place, tmp_path, undisturbed_pair):
    """It starts after its source run, and gets from this process what its worker cannot read."""
    source, dealt = recorded(pair(tmp_path), place)

    assert [source, dealt] == undisturbed_pair(place)
    assert dealt.source == source.key
    spreads = [[epoch["ess"] for epoch in one.history] for one in (source, dealt)]
    assert spreads[1] == pytest.approx(spreads[0], rel=1e-12)


def test_a_run_comes_to_the_same_wherever_it_is(place, tmp_path, undisturbed):
    """Events in their order, every bit of the record and of the files beside it."""
    events = list(run([task(tmp_path)], place))
    expected = undisturbed(place)

    assert list(map(type, events)) == [RunStarted, *[EpochEnded] * 3, RunRecorded]
    assert min(event.images_per_second for event in events[1:-1]) > 0
    assert what_came_out(events[-1].record) == expected
    assert all(records.read_file(events[-1].record, tmp_path, name) for name in expected.files)
    assert not checkpoint_store.folder_of("k-seed0", tmp_path).exists()


RULE = """\
import numpy as np
from repro.plugins import Parameters, rule

class Power(Parameters):
    power: float

@rule("mine", parameters=Power, needs=("groups", "latents"))
def mine(latents, context):
    weights = np.abs(latents[:, 0].astype(np.float64)) ** context.parameters.power + 0.1
    weights[context.groups == "darker_female"] *= 2 * context.random.random()
    return weights / {divisor}
"""


def with_plugin(folder, divisor="weights.sum()"):
    """A run with a rule of a file, which is gone when the run starts."""
    file = folder / "mine.py"
    file.write_text(RULE.format(divisor=divisor))
    (plugin,) = plugin_module.plugins_of(plugin_text.read(file))
    file.unlink()
    arm = {"rule": "mine", "parameters": {"power": 0.5}}
    return dataclasses.replace(
        task(folder, epochs=2, resampling=arm), plugins=carriers.carried({plugin.title: plugin})
    )


@pytest.fixture(scope="module")
def plugged(tmp_path_factory):
    """What the run with a plug-in should come to at a place; at a stack, beside one without."""

    def of(place):
        results = tmp_path_factory.mktemp("plugged")
        others = [task(results, 1, epochs=2)] if place.stack else []
        return recorded([with_plugin(results), *others], place)[0]

    return once(of)


def test_a_run_with_a_plugin_comes_to_the_same_wherever_it_is(place, tmp_path, plugged):
    """Its text travels in the task; the record has its digest."""
    *_, last = run([with_plugin(tmp_path)], place)

    assert what_came_out(last.record) == plugged(place)
    assert [*last.record.plugins] == ["rule mine"]


def test_an_error_of_a_plugin_is_told_with_its_line_wherever_it_is(place, tmp_path):
    """As text: the exception's class may be the plug-in's own."""
    with pytest.raises(ReproError) as error:
        list(run([with_plugin(tmp_path, divisor="undefined")], place))

    assert str(error.value) == (
        f"{tmp_path / 'mine.py'}:11: rule mine: NameError: name 'undefined' is not defined"
    )


def test_an_executor_takes_further_runs_after_its_last_one(place, tmp_path):
    """As a study that goes on after a look at its results."""
    with at(place) as executor:
        for seed in (0, 1):
            *_, last = scheduler.run_tasks([task(tmp_path, seed, epochs=1)], executor)
            assert (type(last), last.key) == (RunRecorded, f"k-seed{seed}")


def test_a_killed_workers_run_goes_on_from_its_checkpoint(killable, tmp_path, undisturbed):
    """Only that run starts again, and it ends with the same bits."""
    place, kill = killable
    kinds = []
    one = dataclasses.replace(task(tmp_path), checkpoint_seconds=0.0)
    for event in run([one], place):
        kinds.append(type(event))
        kept = checkpoint_store.epochs_kept("k-seed0", tmp_path)
        if isinstance(event, EpochEnded) and kept == 1 and kinds.count(RunStarted) == 1:
            kill()

    assert kinds.count(RunStarted) == 2
    assert event.record.provenance["went_on_after_epoch"] in (1, 2)
    assert what_came_out(event.record) == undisturbed(place)


def test_a_run_that_kills_its_worker_every_time_is_given_up(killable, tmp_path):
    """Three attempts, and a record of its failure that says how it ended."""
    place, kill = killable
    events = []
    for event in run([task(tmp_path, epochs=300)], place):
        events.append(type(event))
        if isinstance(event, RunStarted):
            kill()

    assert events.count(RunStarted) == 3
    assert event.record.failure["term"] == "worker"
    assert event.record.failure["reason"].startswith("its worker ended 3 times (")


def test_a_run_that_another_process_trains_is_taken_up_when_it_is_free(place, tmp_path):
    """The next run goes first; the one that was held ends like any other."""
    tasks = [task(tmp_path, seed) for seed in (0, 1)]
    kinds = []
    with contextlib.ExitStack() as stack:
        folder = checkpoint_store.folder_of(tasks[0].key, tmp_path)
        assert stack.enter_context(locks.of_folder(folder, patience=0)) is None
        for event in run(tasks, place):
            kinds.append((type(event), event.key))
            if isinstance(event, RunHeld):
                assert event.holder.startswith(f"process {os.getpid()} on ")
                stack.close()

    assert [kind for kind in kinds if kind[0] is not EpochEnded] == [
        (RunHeld, "k-seed0"),
        (RunStarted, "k-seed1"),
        (RunRecorded, "k-seed1"),
        (RunStarted, "k-seed0"),
        (RunRecorded, "k-seed0"),
    ]


def test_a_run_that_others_finished_meanwhile_is_not_done_again(place, tmp_path):
    """Its record is told as if it had just ended."""
    one = task(tmp_path)
    records.write_record(
        one.record(provenance={"by": "others"}, groups={"a": Count(4, 3)}), tmp_path, {}
    )
    (event,) = run([one], place)

    assert (type(event), event.record.provenance) == (RunRecorded, {"by": "others"})


def test_a_users_mistake_reaches_the_parent(place, tmp_path):
    """A file that went away is an error with its name, not a traceback."""
    data = SMALL | {"test": {"source": "ppb", "path": str(tmp_path / "gone")}}

    with pytest.raises(ReproError, match="gone"):
        list(run([task(tmp_path, data=data)], place))


def test_another_program_makes_no_record(place, tmp_path):
    """A worker whose code is not the one that the run is named by refuses it."""
    one = task(tmp_path)
    other = dataclasses.replace(one.computation, code={})

    with pytest.raises(ReproError, match="the program was changed"):
        list(run([dataclasses.replace(one, computation=other)], place))


def test_a_disk_that_is_too_small_is_found_out_before_training(place, tmp_path, monkeypatch):
    """The worker says how large its network is, and the parent looks at the disk."""
    monkeypatch.setattr(scheduler.shutil, "disk_usage", lambda _: os.terminal_size((0, 0)))
    monkeypatch.setattr(os.terminal_size, "free", 10, raising=False)

    with pytest.raises(ReproError, match="10 bytes are free"):
        list(run([task(tmp_path)], place))


def test_two_machines_come_to_what_one_does(joined, tmp_path, monkeypatch):
    """Both have runs of data that are read once; one of each is done again here, bit by bit."""
    read = mock.Mock(side_effect=sources.material)
    monkeypatch.setattr(sources, "material", read)
    tasks = [task(tmp_path, seed) for seed in range(8)]
    where = {}
    with at(Place(executor="ray", address=joined[0].address)) as executor:
        assert executor.workers == 2
        for _ in scheduler.run_tasks(tasks, executor):
            where |= executor.machines
    assert read.call_count == 1
    one_of_each = {node: key for key, node in where.items()}.values()
    assert len(one_of_each) == 2
    for there in (one for one in tasks if one.key in one_of_each):
        *_, here = run(
            [dataclasses.replace(there, results=tmp_path / "here")], Place(executor="inline")
        )
        assert what_came_out(records.read_record(there.key, tmp_path)) == what_came_out(here.record)


class Noted(dict):
    """The machine of each run, and all that it ever was."""

    def __init__(self):
        """None so far."""
        super().__init__()
        self.ever = set()

    def __setitem__(self, key, node):
        """A run has begun there."""
        super().__setitem__(key, node)
        self.ever.add((key, node))

    def keys_at(self, node):
        """Runs that were ever there."""
        return {key for key, where in self.ever if where == node}


def test_a_machine_that_is_lost_costs_no_run_an_attempt(joined, tmp_path, monkeypatch):
    """What it had is repeated, and nothing else; with one attempt, any other death is a failure."""
    two, one = joined
    monkeypatch.setattr(scheduler, "ATTEMPTS", 1)
    tasks = [task(tmp_path, seed, epochs=16) for seed in range(4)]
    second, events = two.list_all_nodes()[1], Counter()
    with at(Place(executor="ray", address=two.address)) as executor:
        where = executor.machines = Noted()
        for event in scheduler.run_tasks(tasks, executor):
            events[type(event), event.key] += 1
            if second in two.list_all_nodes() and where.keys_at(second.node_id):
                two.remove_node(second, allow_graceful=False)
                two.add_node(**one)

    assert where.keys_at(second.node_id)
    again = {one.key for one in tasks if events[RunStarted, one.key] > 1}
    assert again <= where.keys_at(second.node_id)
    assert all(events[RunRecorded, one.key] == 1 for one in tasks)
    assert all(records.read_record(one.key, tmp_path).finished for one in tasks)


def test_a_machine_that_is_lost_while_it_is_asked_is_none_of_them(joined):
    """The cluster lists it for a moment longer."""
    two, one = joined
    two.remove_node(two.list_all_nodes()[1], allow_graceful=False)
    try:
        with at(Place(executor="ray", address=two.address)) as executor:
            assert executor.workers == 1
    finally:
        two.add_node(**one)


def test_a_study_whose_driver_was_killed_goes_on_where_it_was(joined, tmp_path):
    """Nothing that had ended is done again, and the table is that of a study run here."""
    file, results = studies.toy(tmp_path), tmp_path / "results"
    there = {"results": str(results), "executor": "ray", "address": joined[0].address}
    code = f"import repro; repro.run_study({str(file)!r}, **{there})"
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", code]) as driver:
        processes.wait_until(lambda: len(studies.identities(results)) >= 2)
        driver.kill()
    before = studies.identities(results)
    assert len(before) < 6
    api.run_study(file, **there)
    evidence, tables = studies.reference()
    after = studies.identities(results)

    assert {key: after[key] for key in before} == before
    assert studies.evidence(results) == evidence
    assert studies.tables(file, results) == tables


class Scripted:
    """An executor of which two runs end, and one has met a mistake."""

    workers, computation = 3, HERE

    def __init__(self):
        """Nothing has been submitted."""
        self.tasks = []

    def room(self):
        """For all three."""
        return len(self.tasks) < 3

    def choose(self, tasks):
        """The first."""
        return 0

    def submit(self, task, begun):
        """Remember it."""
        self.tasks.append(task)

    def events(self):
        """All at once, the mistake at the end."""
        for task in self.tasks[:2]:
            yield RunEnded(task.key, task.title, task.record(groups={"a": Count(4, 3)}), {})
        raise ReproError("the third run's data are gone")


def test_what_has_ended_is_kept_though_another_run_meets_a_mistake(tmp_path):
    """Heard together, the records are written before the error is passed on."""
    tasks = [task(tmp_path, seed) for seed in range(3)]

    with pytest.raises(ReproError, match="the third run's data are gone"):
        list(scheduler.run_tasks(tasks, Scripted()))
    assert [records.has_record(one.key, tmp_path) for one in tasks] == [True, True, False]


class Fragile:
    """An executor of one worker; each word of a script is what becomes of the run that it has."""

    workers, computation = 1, HERE

    def __init__(self, script):
        """Nothing has been submitted."""
        self.script, self.task = script.split(), None

    def room(self):
        """For one run."""
        return self.task is None

    def choose(self, tasks):
        """The first."""
        return 0

    def submit(self, task, begun):
        """Remember it."""
        self.task = task

    def events(self):
        """What the script says."""
        task, word = self.task, self.script.pop(0)
        run = task.key, task.title
        if word != "unbegun":
            yield RunStarted(*run, 3, 0)
        self.task = None
        if word == "ended":
            yield RunEnded(*run, task.record(groups={"a": Count(4, 3)}), {})
        else:
            yield WorkerDied(*run, "killed by SIGKILL")


def test_a_study_stops_when_its_later_workers_do_not_begin(tmp_path):
    """Three, one after the other: what had ended is kept, and nothing is recorded as failed."""
    tasks = [task(tmp_path, seed) for seed in range(3)]
    with pytest.raises(ReproError, match=r"workers cannot start here \(killed by SIGKILL\)"):
        list(scheduler.run_tasks(tasks, Fragile("ended unbegun unbegun unbegun")))

    assert [records.has_record(one.key, tmp_path) for one in tasks] == [True, False, False]


@pytest.mark.parametrize(
    "script",
    ["unbegun unbegun died unbegun unbegun died ended ended", "died ended unbegun unbegun ended"],
)
def test_a_worker_that_had_not_begun_costs_its_run_no_attempt(script, tmp_path):
    """Neither does it count for the study once another worker has begun."""
    tasks = [task(tmp_path, seed) for seed in range(2)]
    list(scheduler.run_tasks(tasks, Fragile(script)))

    assert all(records.read_record(one.key, tmp_path).finished for one in tasks)


ELSEWHERE = {
    "blocked": dataclasses.replace(HERE, kernels="blocked"),
    "torch": dataclasses.replace(HERE, kernels="torch"),
    "old torch": dataclasses.replace(HERE, libraries={**HERE.libraries, "torch": "2.0"}),
    "another repro": dataclasses.replace(HERE, code={"losses.py": "0"}),
}


class Asked(ray.Ray):
    """A cluster of machines that have answered how they compute."""

    def __init__(self, machines, remark):
        """Two of them or more."""
        super().__init__(Place(executor="ray", address="auto"), PLAIN, remark=remark)
        self.answers = [(f"10.0.0.{n}", ELSEWHERE[name]) for n, name in enumerate(machines)]

    def _answers(self):
        return self.answers


def test_a_run_on_a_silent_machine_is_given_to_another(tmp_path, monkeypatch):
    """As soon as the cluster has given the machine up; its stream may hang for minutes."""
    one, other = task(tmp_path, 0), task(tmp_path, 1)
    executor = Asked([], print)
    executor._streams = {"hangs": one, "goes on": other}
    executor.machines = {one.key: "silent", other.key: "there"}
    monkeypatch.setattr(executor, "_ready", lambda waiting: [])
    monkeypatch.setattr(executor, "_alive", lambda: [{"NodeID": "there", "Resources": {}}])

    assert list(executor.events()) == [MachineLost(one.key, one.title)]
    assert list(executor._streams) == ["goes on"]


def test_a_run_on_a_machine_that_has_just_joined_goes_on(tmp_path, monkeypatch):
    """Though nobody has looked since; what is there is asked before a run is given up."""
    one = task(tmp_path)
    executor = Asked([], print)
    executor._streams, executor.machines = {"goes on": one}, {one.key: "new"}
    executor._nodes, executor._looked = {"old"}, time.monotonic()
    monkeypatch.setattr(executor, "_ready", lambda waiting: [])
    nodes = [{"NodeID": name, "Resources": {}} for name in ("old", "new")]
    monkeypatch.setattr(executor, "_alive", lambda: nodes)

    assert list(executor.events()) == []
    assert list(executor._streams) == ["goes on"]


@pytest.mark.parametrize("kernels", ["blocked", "torch"])
def test_machines_of_one_kind_compute_as_they_can(kernels):
    """Nobody has to be told."""
    said = []

    assert Asked([kernels] * 2, said.append)._computation() == ELSEWHERE[kernels]
    assert said == []


def test_machines_of_two_kinds_compute_on_what_all_have():
    """So that runs can be compared; somebody is told."""
    said = []

    assert Asked(["blocked", "torch", "torch"], said.append)._computation() == ELSEWHERE["torch"]
    assert said == [
        "only 1 of 3 machines can have blocked kernels: all compute on torch's operators, so that "
        "runs can be compared"
    ]


@pytest.mark.parametrize(
    ("other", "what"),
    [("old torch", "it has torch 2.0, and this machine"), ("another repro", "its repro differs")],
)
def test_a_machine_with_another_program_is_named(other, what):
    """Before anything is trained on it."""
    with pytest.raises(ReproError, match=f"10.0.0.1: {what}"):
        Asked(["blocked", other], print)._computation()


def test_a_worker_computes_as_it_is_told(tmp_path):
    """On torch's operators, be it that it has blocks."""
    one = dataclasses.replace(task(tmp_path), computation=ELSEWHERE["torch"])
    *_, last = run([one], Place(workers=1))

    assert last.record.provenance["kernels"] == "torch"


def test_runs_that_fit_are_counted_machine_by_machine():
    """Cores, memory and whole GPUs that are shared."""
    amounts = ray._amounts(Resources(cpus=2.0, gpus=0.4, memory=3.0), on_gpu=True)

    assert amounts == {"CPU": 2.0, "GPU": 0.4, "memory": 3e9}
    assert ray._fitting({"CPU": 16, "GPU": 2, "memory": 64e9}, amounts) == 4
    assert ray._fitting({"CPU": 16, "GPU": 2, "memory": 8e9}, amounts) == 2
    assert ray._fitting({"CPU": 16, "memory": 64e9}, amounts) == 0


def test_resources_say_how_many_runs_fit():
    """Cores here, shares of each GPU."""
    two_each = Resources(gpus=0.5, cpus=2.0)

    assert len(hardware.slots("cuda:0,cuda:1", resources=two_each)) == 4
    assert len(hardware.slots("cpu", resources=two_each)) == max(1, machine.cores() // 2)
