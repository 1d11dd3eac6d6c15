"""A Ray cluster, of one machine or many: Ray places runs, moves data and notices who died.

A run is one Ray task that streams its events, so that epochs and checkpoints come while it runs,
and nothing is shared with this process but the object store: data are put there once, and each
machine fetches them once. Ray repeats nothing by itself (``max_retries=0``): the scheduler does.
"""

import contextlib
import math
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from repro.data.pictures import content_digest
from repro.data.pictures.images import Material, Photographs
from repro.errors import ReproError
from repro.execution.executors import hardware, ray_session
from repro.execution.executors.base import NO_MEMORY, WorkerError, events_of, loading
from repro.execution.executors.executor_options import Place
from repro.records.events import MachineLost, RunEnded, WorkerDied, WorkerEvent
from repro.records.records import Computation
from repro.records.task import Files, Task
from repro.study.data_spec import Data
from repro.study.resources import Resources
from repro.system import machine, worker_environment
from repro.system.file_digests import Contents

TICK = 1.0  # seconds to wait for an event
LOOK = 5.0  # seconds between two looks at the machines of a cluster
TOGETHER = 0.1  # seconds: what a run says within goes as one
PATIENCE = 30.0  # seconds without any run begun, after which somebody should know
NOTICED = 3.0  # seconds in which a cluster notices that a crash was the loss of a machine
PROBE = 120.0  # seconds for a machine to say how it computes
MOST_AHEAD = 0.25  # of the runs at a time, submitted beyond them: no machine waits for us
FIRST = "the first machine"  # of a cluster that has none yet

Piece = str | list[WorkerEvent]  # of a stream: first the node, then events


class Ray:
    """An executor: runs are tasks of a Ray cluster."""

    def __init__(self, place: Place, taken: Resources, *, remark: Callable[[str], None]) -> None:
        """Nothing is loaded yet.

        Args:
            place: Address, device, and runs at a time at most.
            taken: By a run.
            remark: Told what a person should know.

        Raises:
            ReproError: The device is none that Ray hands out.
        """
        if place.device not in ("cpu", "cuda"):
            raise ReproError(f"--device {place.device}: with --executor ray use cpu or cuda")
        self.place, self.remark = place, remark
        self._device = "cuda:0" if place.device == "cuda" else "cpu"  # as a worker sees it
        self._taken = _amounts(taken, on_gpu=place.device == "cuda")
        self._stack = contextlib.ExitStack()
        self._streams: dict[Any, Task] = {}
        self._next: dict[Any, Any] = {}  # what a run has said and is not here yet, by stream
        self._nodes: set[str] = set()
        self.machines: dict[str, str] = {}  # the node of each run, by key
        self._data: dict[Data, tuple[Any, Mapping[str, Contents]]] = {}  # and what they held
        self._looked, self._most, self._silent_since = -math.inf, 0, time.monotonic()

    def __enter__(self) -> Self:
        """Start or join the cluster, and ask its machines how they compute.

        Raises:
            ReproError: It is not there, or its machines are not fit.
        """
        with contextlib.ExitStack() as stack:
            self.ray = stack.enter_context(self._session())
            endless = {"max_retries": 0, "max_calls": 0, "num_returns": "streaming"}
            self._work = self.ray.remote(**endless, **_options(self._taken))(_work)
            self.computation = self._computation()
            self._look()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the cluster, which ends what still runs for us; end the Ray that was started."""
        self._streams.clear()
        self._next.clear()
        self._data.clear()
        self._stack.close()

    @property
    def workers(self) -> int:
        """See `Executor`."""
        return min(self._most, self.place.workers or self._most)

    def warm(self, _: int) -> None:
        """See `Executor`: workers are Ray's."""

    def room(self) -> bool:
        """See `Executor`."""
        self._look()
        if self.place.workers is not None:
            return len(self._streams) < self.place.workers
        return len(self._streams) < self._most + max(2, math.ceil(MOST_AHEAD * self._most))

    def choose(self, _: Sequence[Task]) -> int:
        """See `Executor`: the first."""
        return 0

    def submit(self, task: Task, begun: Files) -> None:
        """See `Executor`."""
        material, contents = self._material(task.configuration.data)
        content_digest.require_planned(task.data, task.contents, contents)
        content_digest.require_unchanged(contents)
        sent = replace(task, device=self._device, contents={})
        self._streams[self._work.remote(sent, begun, material)] = task

    def events(self) -> Iterator[WorkerEvent]:
        """See `Executor`."""
        streams = {self._next.get(stream, stream): stream for stream in self._streams}
        ready = self._ready(list(streams))
        if ready:
            self._silent_since = time.monotonic()
        self._complain_of_silence()
        for one in ready:
            yield from self._heard(streams[one])
        if not self._places() <= self._nodes:
            self._looked = -math.inf  # a machine is new, or was lost
        self._look()
        yield from self._lost()

    def _ready(self, waiting: list[Any]) -> list[Any]:
        """Those of whom something was heard; waits for a moment."""
        try:
            ready, _ = self.ray.wait(waiting, num_returns=1, timeout=TICK)
            if ready:
                ready, _ = self.ray.wait(waiting, num_returns=len(waiting), timeout=0)
        except (self.ray.exceptions.RayError, OSError) as error:
            raise _cannot_go_on(error) from None
        return list(ready)

    def _lost(self) -> Iterator[MachineLost]:
        """Runs whose machine the cluster has given up: what they say from now on is not heard."""
        for stream, task in list(self._streams.items()):
            at = self.machines.get(task.key)
            if at is not None and at not in self._nodes:
                self._forget(stream)
                yield MachineLost(task.key, task.title)

    def _places(self) -> set[str]:
        """Nodes on which runs are."""
        running = (task.key for task in self._streams.values())
        return {self.machines[key] for key in running if key in self.machines}

    def _forget(self, stream: Any) -> None:
        task = self._streams.pop(stream)
        self._next.pop(stream, None)
        self.machines.pop(task.key, None)

    def _session(self) -> contextlib.AbstractContextManager[Any]:
        if self.place.address is not None:
            return ray_session.joined(self.place.address, remark=self.remark)
        runs = self.place.workers or max(1, int(machine.cores() / self._taken["CPU"]))
        return ray_session.alone(cpus=runs * self._taken["CPU"], remark=self.remark)

    def _material(self, data: Data) -> tuple[Any, Mapping[str, Contents]]:
        """The data in the object store, and what their files held; read here, once."""
        if data not in self._data:
            from repro.data import sources

            try:
                material = sources.material(data)
                self._data[data] = self.ray.put(_portable(material)), material.contents
            except (self.ray.exceptions.ObjectStoreFullError, self.ray.exceptions.OutOfDiskError):
                raise ReproError(
                    f"the data ({sources.describe(data)}) do not fit into Ray's object store; give "
                    "it more memory: `ray start --object-store-memory BYTES`"
                ) from None
        return self._data[data]

    def _heard(self, stream: Any) -> Iterator[WorkerEvent]:
        """What a run says, or what became of it."""
        task = self._streams[stream]
        piece = self._piece(stream, task)
        if piece is None:
            return
        self._next.pop(stream, None)
        if isinstance(piece, str):
            self.machines[task.key] = piece
            return
        for event in piece:
            if isinstance(event, RunEnded):
                content_digest.require_unchanged(self._data[task.configuration.data][1])
            if isinstance(event, RunEnded | WorkerDied | MachineLost):
                self._forget(stream)
            yield event

    def _piece(self, stream: Any, task: Task) -> Piece | None:
        """The next piece of a stream; None if it is on its way, or its machine is silent.

        Raises:
            ReproError: The run met a mistake that the user can mend, or the cluster is no more.
            WorkerError: The run met a mistake of ours.
        """
        errors = self.ray.exceptions
        try:
            self._next[stream] = self._next.get(stream) or next(stream)
            piece: Piece = self.ray.get(self._next[stream], timeout=TICK)
        except StopIteration:
            return [WorkerDied(task.key, task.title, "its worker ended without a word")]
        except errors.GetTimeoutError:
            return None
        except errors.OutOfMemoryError:
            return [WorkerDied(task.key, task.title, NO_MEMORY)]
        except errors.WorkerCrashedError:
            return [self._crash(task)]
        except (errors.NodeDiedError, errors.ObjectLostError, errors.LocalRayletDiedError):
            return [MachineLost(task.key, task.title)]
        except errors.RayTaskError as error:
            if isinstance(error.cause, ReproError | WorkerError):
                raise error.cause from None
            if isinstance(error.cause, errors.OutOfDiskError | errors.ObjectStoreFullError):
                raise _no_space(error.cause, self.machines.get(task.key, "")) from None
            raise WorkerError(f"{task.title}:\n{error}") from None
        except (errors.RayError, OSError) as error:
            raise _cannot_go_on(error) from None
        return piece

    def _crash(self, task: Task) -> WorkerDied | MachineLost:
        """A run is not to blame where its whole machine is gone."""
        at = self.machines.get(task.key)
        until = time.monotonic() + NOTICED
        while at is not None:
            if self._is_lost(at):
                return MachineLost(task.key, task.title)
            if time.monotonic() > until:
                break
            time.sleep(TICK)
        return WorkerDied(task.key, task.title, "its process ended")

    def _is_lost(self, node: str) -> bool:
        return node not in {one["NodeID"] for one in self._alive()}

    def _alive(self) -> list[dict[str, Any]]:
        try:
            return [node for node in self.ray.nodes() if node["Alive"]]
        except (self.ray.exceptions.RayError, OSError) as error:
            raise _cannot_go_on(error) from None

    def _look(self) -> None:
        """See how many runs fit, now and then: machines come and go."""
        if time.monotonic() - self._looked >= LOOK:
            alive = self._alive()
            self._nodes = {node["NodeID"] for node in alive}
            self._most = sum(_fitting(node["Resources"], self._taken) for node in alive)
            self._looked = time.monotonic()
            if self._most == 0 and self.place.address is None:
                raise ReproError(
                    f"a run takes {_shown(self._taken)}, and that is not available on this "
                    "machine; ask for less: --cpus-per-run, --gpus-per-run, --memory-per-run"
                )

    def _complain_of_silence(self) -> None:
        if not self.machines and time.monotonic() - self._silent_since > PATIENCE:
            self._silent_since = math.inf  # once
            self.remark(
                f"no machine of the cluster has room for a run ({_shown(self._taken)}); waiting"
            )

    def _computation(self) -> Computation:
        """How all machines compute; those of a cluster are asked."""
        if self.place.address is None:
            kernels = hardware.kernels_on(self.place.device, self.place.kernels)
            if kernels.fell_back:
                self.remark(f"{kernels}; runs take longer")
            return hardware.computation([self._device], kernels.name)
        here = hardware.computation([self._device], "torch")
        answers = self._answers()
        for name, there in answers:
            if differing := _differing(here, there):
                raise ReproError(
                    f"{name}: {differing}; install the same release of repro and of its packages "
                    "on every machine of the cluster"
                )
        return replace(here, kernels=self._common(Counter(there.kernels for _, there in answers)))

    def _common(self, kernels: Counter[str]) -> str:
        """The kernels of all machines, from those that each can have.

        Raises:
            ReproError: Those that are asked for are not everywhere.
        """
        asked = hardware.asked_kernels(self.place.kernels)
        if asked and (asked[0] == "torch" or (len(kernels) == 1 and asked[0] in kernels)):
            return asked[0]
        some = f"only {kernels['blocked']} of {kernels.total()} machines can have blocked kernels"
        if asked:
            raise ReproError(f"{asked[1]}: {some}")
        if len(kernels) > 1:
            self.remark(f"{some}: all compute on torch's operators, so that runs can be compared")
        return "torch" if len(kernels) > 1 else next(iter(kernels))

    def _answers(self) -> list[tuple[str, Computation]]:
        """How each machine that can hold a run computes; if none can, the first that comes."""
        probe = self.ray.remote(_computation_there)
        fit = [node for node in self._alive() if _fitting(node["Resources"], self._taken)]
        if not fit:
            self.remark(f"waiting for a machine with {_shown(self._taken)}")
            said = probe.options(**_options(self._taken)).remote(self._device)
            return [(FIRST, self._answer(FIRST, said, patience=None))]
        at = self.ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        options = [{"scheduling_strategy": at(node["NodeID"], soft=False)} for node in fit]
        asked = [probe.options(num_cpus=0, **one).remote(self._device) for one in options]
        answers = []
        for node, said in zip(fit, asked, strict=True):
            name = node["NodeManagerAddress"]
            try:
                answers.append((name, self._answer(name, said, patience=PROBE)))
            except ReproError:
                if not self._is_lost(node["NodeID"]):
                    raise
        return answers or self._answers()

    def _answer(self, name: str, said: Any, *, patience: float | None) -> Computation:
        try:
            there: Computation = self.ray.get(said, timeout=patience)
        except self.ray.exceptions.RayError as error:
            reason = str(error).strip().rpartition("\n")[2]
            raise ReproError(
                f"{name}: it does not report how it computes ({reason}); is repro installed there?"
            ) from None
        return there


def _work(task: Task, begun: Files, material: Material) -> Iterator[Piece]:
    """In a worker: execute a run; where, and then its events."""
    import ray

    yield ray.get_runtime_context().get_node_id()  # before what takes seconds to load
    worker_environment.settle()
    with loading():
        from repro.training import single_run

    # Data of the object store are shared, and nobody writes them.
    warnings.filterwarnings("ignore", "The given NumPy array is not writable")
    try:
        yield from _pieces(events_of(task, single_run.execute(task, lambda: material, begun)))
    except ReproError as mistake:
        raise ReproError(str(mistake)) from None  # its own class may not travel


def _pieces(events: Iterable[WorkerEvent]) -> Iterator[list[WorkerEvent]]:
    """What happens within a moment goes as one."""
    piece: list[WorkerEvent] = []
    sent = -math.inf
    for event in events:
        piece.append(event)
        if isinstance(event, RunEnded | WorkerDied) or time.monotonic() - sent >= TOGETHER:
            yield piece
            piece, sent = [], time.monotonic()


def _computation_there(device: str) -> Computation:
    """In a worker: how it computes."""
    worker_environment.settle()
    return hardware.computation([device])


def _cannot_go_on(error: Exception) -> ReproError:
    reason = str(error).strip().partition("\n")[0]
    return ReproError(
        f"Ray cannot continue ({type(error).__name__}: {reason}); finished runs are kept: run the "
        "same command again"
    )


def _no_space(error: Exception, node: str) -> ReproError:
    at = f" of node {node}" if node else ""
    return ReproError(
        f"Ray cannot continue: the memory{at} for data and checkpoints is full, and so is the disk "
        f"({type(error).__name__}); free some space, or give Ray more memory (`ray start "
        "--object-store-memory BYTES`); finished runs are kept: run the same command again"
    )


def _portable(material: Material) -> Material:
    """The data less whatever hangs on files of this machine, which watches them."""
    return Material(
        material.images,
        {
            name: Photographs(
                one.names, one.groups, [one.read(place) for place in range(len(one))].__getitem__
            )
            for name, one in material.photographs.items()
        },
        {role: replace(held, files={}) for role, held in material.contents.items()},
    )


def _amounts(taken: Resources, *, on_gpu: bool) -> dict[str, float]:
    """What a run takes, by Ray's names."""
    amounts = {"CPU": taken.cpus, "memory": 1e9 * taken.memory}
    return amounts | ({"GPU": taken.gpus} if on_gpu else {})


def _options(taken: Mapping[str, float]) -> dict[str, float]:
    """The same by the names of a task's options."""
    return {
        "num_cpus": taken["CPU"],
        "num_gpus": taken.get("GPU", 0),
        "memory": int(taken["memory"]),
    }


def _fitting(offered: Mapping[str, float], taken: Mapping[str, float]) -> int:
    """Runs that fit on a machine at a time; a run's share of a GPU is of one GPU."""
    counts = {name: int(offered.get(name, 0) / amount) for name, amount in taken.items()}
    if "GPU" in taken:
        counts["GPU"] = int(offered.get("GPU", 0)) * int(1 / taken["GPU"])
    return min(counts.values())


def _differing(here: Computation, there: Computation) -> str:
    """What a machine has otherwise; kernels may differ."""
    for name, release in here.libraries.items():
        if there.libraries.get(name) != release:
            return f"it has {name} {there.libraries.get(name)}, and this machine {release}"
    return "" if here.code == there.code else "its repro differs from the one here"


def _shown(taken: Mapping[str, float]) -> str:
    gpu = f", {taken['GPU']:g} GPUs" if "GPU" in taken else ""
    return f"{taken['CPU']:g} cores, {taken['memory'] / 1e9:g} GB{gpu}"
