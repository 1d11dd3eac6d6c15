"""A toy study, two ways to run it in this process, and what must be the same in its results.

Training is real, or canned where only files matter: numbers that hang on every epoch before, in
small files and checkpoints.
"""

import contextlib
import functools
import hashlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from click.testing import CliRunner
from safetensors.torch import save

from repro.cli import main
from repro.data.pictures.images import Material
from repro.execution import planning, runner, scheduler
from repro.execution.executors import hardware
from repro.execution.executors.inline import Inline
from repro.metrics import Count, group_counts
from repro.records import epoch_weights, records
from repro.records.events import (
    CheckpointMade,
    EpochEnded,
    Remark,
    RunEnded,
    RunRecorded,
    RunStarted,
)
from repro.study import study
from repro.training import provenance, single_run, state_files
from repro.training.state_files import Checkpoint
from repro.training.trainer import State

ARMS = """\
  - {name: even, resampling: {combine: none}}
  - {name: rarest, resampling: {alpha: 0.01}}
  - name: sampled
    resampling:
      {combine: product, alpha: 0.1, latents: sample, replacement: without, balance: exact}
"""
TEXT = """\
name: {name}
question: Does it survive?
base:
  preset: dehaan2020
  epochs: 3
  batch_size: 16
  learning_rate: 0.003
  reconstruction: {{weight: 0.001}}
  kl: {{weight: 0.001}}
  windows: {{sizes: 1, smallest: 0.6}}
  data:
    train: {{source: synthetic, faces: 30, nonfaces: 30}}
    test: {{source: synthetic, per_group: 2, size: 64}}
    nonfaces: {{source: synthetic, photographs: 4, size: 64}}
arms:
{arms}
reference: even
replicates: {replicates}
select: {{keep: {keep}, by: recall, split: test}}
profiles: {{embedded: {{}}}}
"""
SIZE = {"replicates": 2, "keep": 2}  # keep: how many the paper's column shows
ONE_ARM = "  - {name: even, resampling: {combine: none}}\n"
GROUPS = tuple(f"{s}_{g}" for s in ("darker", "lighter") for g in ("female", "male"))
MEMORY, ENOUGH = Path("/dev/shm"), 4e9  # where nothing waits for a disk; bytes
NOBODY = 65534
FORMS = ("latex", "markdown", "csv")


def toy(folder, *, name="toy", arms=ARMS, **size):
    """Write the study's file: three arms, two seeds."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.yaml"
    file.write_text(TEXT.format(name=name, arms=arms.rstrip(), **(SIZE | size)))
    return file


class Nothing:
    """A mirror that keeps nothing."""

    def __init__(self, *_, **__):
        """Whatever is asked for."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def __getattr__(self, name):
        return lambda *_, **__: None


class Watcher:
    """Remembers what it is told."""

    def __init__(self):
        """Nothing has happened yet."""
        self.remarks, self.begun, self.finished = [], [], []

    def on_event(self, event):
        """What began, what has a record, what a person should know."""
        match event:
            case RunStarted():
                self.begun.append(event.key)
            case RunRecorded():
                self.finished.append(event.key)
            case Remark():
                self.remarks.append(event.text)


def run_here(file, results, *, watcher=None, overrides=(), **options):
    """Run a study in this process; what it told."""
    watcher = watcher or Watcher()
    with mock.patch.object(provenance, "commit", return_value=None), Inline() as executor:
        runner.run(
            study.load(file, overrides=overrides),
            results,
            executor=executor,
            on_event=watcher.on_event,
            **({"checkpoint_seconds": 0.0} | options),
        )
    return watcher


def plan(file, results, **options):
    """What a study wants."""
    here = hardware.computation(["cpu"])
    return planning.plan(study.load(file, **options), results, computation=here)


@contextlib.contextmanager
def canned():
    """Within, training takes no time."""
    with (
        mock.patch.object(single_run, "_train_and_evaluate", canned_training),
        mock.patch.object(scheduler, "_require_space"),
        mock.patch("repro.data.sources.keeper", return_value=lambda *_: Material(None, {}, {})),
    ):
        yield


def canned_training(task, material, begun, *_):
    """As `single_run`: each epoch hangs on those before, which a checkpoint has, and the source."""
    went_on = state_files.unpack(begun)
    history = list(went_on.state.rest["history"]) if went_on else []
    epochs = task.configuration.epochs
    for number in range(len(history) + 1, epochs + 1):
        hangs_on = [task.key, history, *_of_source(task)]
        history.append({"epoch": float(number), "train_loss": _chance(hangs_on)})
        told = history[-1] | {"val_accuracy": 0.5}
        yield EpochEnded(task.key, task.title, epochs, told, 1.0)
        if number < epochs:
            state = State(number, {"network": _tensor(history)}, {"history": history})
            kept = state_files.pack(Checkpoint(state, 1.0), task.key)
            yield CheckpointMade(task.key, task.title, kept)
    detected = np.array([_chance([history, n]) < 0.8 for n in range(8)])
    record = task.record(
        groups=group_counts(GROUPS * 2, detected),
        nonfaces=Count(4, 0),
        metrics={
            "recall": float(detected.mean()),
            "false_positive_rate": 0.0,
            "val_accuracy": 0.5,
            "val_active_units": 50.0,
            "training_images": 60.0,
        },
        kl_per_latent=[1.0] * task.configuration.latent_dim,
        history=history,
        provenance={"commit": task.commit, "seconds": 1.0},
    )
    files = {
        records.SCORES: _scores(detected),
        records.MODEL: save({"network": _tensor(history)}),
        records.WEIGHTS: save({"face_weights": torch.full((24,), 1 / 24, dtype=torch.float64)}),
        records.EPOCH_WEIGHTS: epoch_weights.pack({2: np.full(24, 1 / 24)}),
    }
    yield RunEnded(task.key, task.title, record, files)


def canned_slowly():
    """In a command: training takes a while, and no work."""

    def outcome(task, material, begun, *_):
        time.sleep(0.2)
        for event in canned_training(task, material, begun):
            yield event
            time.sleep(0.05)

    single_run._train_and_evaluate = outcome


def _chance(content):
    """A number in [0, 1) that is a function of its argument."""
    digest = hashlib.sha256(json.dumps(content).encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def _of_source(task):
    """What a worker has of the run on which its own depends: the digests of its files."""
    if task.source is None:
        return []
    assert records.MODEL in task.source.files
    return [hashlib.sha256(content).hexdigest() for content in task.source.files.values()]


def _tensor(history):
    return torch.tensor([epoch["train_loss"] for epoch in history], dtype=torch.float64)


def _scores(detected):
    lines = ["set,photograph,group,top_logit,windows,positive"]
    for number, (group, is_found) in enumerate(zip(GROUPS * 2, detected, strict=True)):
        logit = number / 10 if is_found else -1.0
        lines.append(f"portraits,portrait_{number:05d},{group},{logit},1,{int(is_found)}")
    lines += [f"nonfaces,scene_{number:05d},,-1.0,1,0" for number in range(4)]
    return "\n".join([*lines, ""]).encode()


def evidence(results):
    """Every record less its provenance, with all files beside it found whole; by key."""
    found = {}
    for folder in sorted((results / "runs").glob("[!.]*")):
        record = records.read_record(folder.name, results)
        for name in record.files:
            records.read_file(record, results, name)
        assert {path.name for path in folder.iterdir()} == {*record.files, records.RECORD}
        found[folder.name] = asdict(replace(record, provenance={}))
    return found


def tables(file, results, forms=FORMS):
    """The tables of a study, as the command prints them."""
    printed = []
    for form in forms:
        command = ["table", str(file), "--results", str(results), "--format", form]
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 0, (done.output, done.exception)
        printed.append(done.stdout)
    return printed


def identities(results):
    """What tells a record from another in its place: file and time; by key."""
    files = (results / "runs").glob("[!.]*/record.json")
    return {file.parent.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in files}


def reference(**options):
    """Evidence and tables of the toy study, run without a fault; training is real."""
    return _undisturbed(contextlib.nullcontext, **(SIZE | options))


def canned_reference(**options):
    """The same with canned training."""
    return _undisturbed(canned, **(SIZE | options))


@functools.cache
def _undisturbed(training, **options):
    with training(), folder() as place:
        file = toy(place, **options)
        run_here(file, place / "results", checkpoint_seconds=1e9)
        return evidence(place / "results"), tables(file, place / "results")


@contextlib.contextmanager
def unprivileged():
    """Within, permissions hold for root, too; what is needed has to be loaded before."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@contextlib.contextmanager
def folder():
    """A new folder that everybody can write, in memory if there is enough, removed in the end."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH
    place = Path(tempfile.mkdtemp(prefix="repro-faults-", dir=MEMORY if roomy else None))
    place.chmod(0o777)
    try:
        yield place
    finally:
        shutil.rmtree(place)
