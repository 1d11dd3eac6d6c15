"""What `gpu.py` checks of correctness, each part in a process of its own.

gpu_checks.py bits DEVICE                      same seed, resumed, stacked: same bits?
gpu_checks.py study DEVICE FOLDER [toy]        train a small embedded study
gpu_checks.py kill DEVICE FOLDER OTHER [toy]   kill it, go on, compare with the other's records
gpu_checks.py stack DEVICE FOLDER [toy]        the study by --stack, twice; killed, and went on
gpu_checks.py methods DEVICE FOLDER [toy]      a run of every rule and objective, twice
gpu_checks.py compare FOLDER OTHER WAYS        the answers in two folders
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gpu_studies
import numpy as np
from scipy import stats

from repro.records import records
from repro.records.record import Record

MARK = "@row "
STACK, TOY_STACK = 8, 4  # networks: the study's six runs do not fill one, or are two stacks
STUDY = """\
name: gpu
question: Does a GPU give the same answer as a processor?
base: {preset: dehaan2020}
arms:
  - name: No debias
    resampling: {combine: none}
  - name: alpha = 0.001
    resampling: {alpha: 0.001}
reference: No debias
replicates: 3
select: {keep: 3, by: recall, split: test}
compare: {metrics: [recall, variance], test: t}
false_positive_rates: [0.01, 0.05, 0.1]
profiles:
  embedded: {data: synthetic, epochs: 8, batch_size: 32}
  toy:
    data:
      train: {source: synthetic, faces: 60, nonfaces: 60}
      test: {source: synthetic, per_group: 4}
      nonfaces: {source: synthetic, photographs: 8}
    epochs: 3
    batch_size: 32
"""
METHODS = """\
name: methods
question: Do all methods give the same bits again on a GPU?
base:
  preset: dehaan2020
  checkpoint: last
  validation_share: 0.4
  epochs: 2
  batch_size: 16
  resampling: {rule: none, uniform_epochs: draw}
  windows: {sizes: 1, smallest: 0.55, stride: 0.3}
arms:
  - name: even
  - {name: rarest, resampling: {rule: max, alpha: 0.01}}
  - name: sampled
    resampling: {rule: product, alpha: 0.1, latents: sample, replacement: without, balance: exact}
  - {name: as loss, resampling: {rule: as_loss, by: max, alpha: 0.01}}
  - {name: placebo, resampling: {rule: placebo, of: rarest}}
  - {name: frozen, resampling: {rule: frozen, of: rarest}}
  - {name: JTT, resampling: {rule: jtt, of: even, upweight: 4, empty: even}}
  - {name: oracle, resampling: {rule: oracle}}
  - {name: subG, resampling: {rule: subg}}
  - {name: group DRO, objective: {name: group_dro, step_size: 1.0, adjustment: 1.0}}
  - {name: LfF, objective: {name: lff, q: 0.5}}
  - {name: DFR, objective: {name: dfr, of: even, fits: 2}}
reference: even
replicates: 1
select: {keep: 1, by: recall, split: test}
compare: {metrics: [recall, variance], test: t}
profiles:
  toy:
    data:
      train: {source: synthetic, faces: 80, nonfaces: 80, darker_share: 0.5}
      test: {source: synthetic, per_group: 4, size: 64}
      nonfaces: {source: synthetic, photographs: 4, size: 64}
"""


def tell(part: str, what: str, *, ok: bool | None = None, note: str = "") -> None:
    """Print a row; without `ok` it is information, no check."""
    print(MARK + json.dumps({"part": part, "what": what, "ok": ok, "note": note}), flush=True)


def bits(device: str, *toy: str) -> None:
    """Whether runs on the device repeat, resume and can be stacked, to the bit."""
    from repro.data.pictures.images import TrainingImages
    from repro.training import trainer

    trainer.prepare_process()
    generator = np.random.default_rng(0)
    count = 64 if toy else 640
    pixels = generator.integers(0, 156, (count, 64, 64, 3), dtype=np.uint8)
    pixels[: count // 2] += 100
    data = TrainingImages(pixels, np.arange(count) < count // 2)
    for precision in ("fp32", "bf16"):
        for check in (_single_bits, _stacked_bits):
            for what, ok, note in check(device, data, precision):
                needed = None if what.startswith("(") else ok
                tell("bits", f"{what}, {precision}", ok=needed, note=note or _same(ok))


def _same(equal: bool) -> str:
    return "same bits" if equal else "other bits"


def _digest(fit: Any) -> str:
    from safetensors.torch import save

    from repro.training import trainer

    tensors = save(trainer.checkpoint_tensors(fit.model))
    return hashlib.sha256(tensors + repr(fit.history).encode()).hexdigest()


def _arm(precision: str, **changes: Any) -> Any:
    from repro.study import merge
    from repro.study.configuration import Configuration
    from repro.study.presets import PRESETS

    choices = {"epochs": 3, "batch_size": 24, "precision": precision, **changes}
    return Configuration.model_validate(merge.merge(PRESETS["dehaan2020"], choices))


Found = Iterator[tuple[str, bool, str]]


def _through_files(state: Any) -> Any:
    from repro.training import state_files
    from repro.training.state_files import Checkpoint

    unpacked = state_files.unpack(state_files.pack(Checkpoint(state, 0.0), "key"))
    assert unpacked is not None
    return unpacked.state


def _single_bits(device: str, data: Any, precision: str) -> Found:
    from repro.training.trainer import Fit

    def trained(resume: Any = None, *, captured: bool = True) -> str:
        fit = Fit(arm, 1, data, device=device, resume=resume, captured=captured)
        for _ in fit.epochs():
            pass
        return _digest(fit)

    arm = _arm(precision)
    whole = trained()
    yield "1 run, same seed twice", trained() == whole, ""
    yield "(1 run, eager and graph)", trained(captured=False) == whole, ""
    begun = Fit(arm, 1, data, device=device)
    next(begun.epochs())
    resumed = trained(_through_files(begun.state()))
    yield "1 run, resumed after an epoch", resumed == whole, ""


def _stacked_bits(device: str, data: Any, precision: str) -> Found:
    from repro.training.batched import BatchedFit, Member
    from repro.training.trainer import Fit

    def trained(runs: Any, resume: Any = None, *, captured: bool = True) -> Any:
        fit = BatchedFit(runs, data, device=device, resume=resume, captured=captured)
        for _ in fit.epochs():
            pass
        return fit, [_digest(member) for member in fit.members]

    arms = [_arm(precision, resampling={"alpha": 0.1 / 3**seed}) for seed in range(5)]
    runs = [Member(arm, seed) for seed, arm in enumerate(arms)]
    fit, whole = trained(runs)
    yield "5 stacked, trained twice", trained(runs)[1] == whole, ""
    yield "(5 stacked, eager and graph)", trained(runs, captured=False)[1] == whole, ""
    plain = _arm(precision, resampling={"rule": "none"})
    others = [Member(plain, 9 + seed) for seed in range(4)]
    companions = trained([*others[:2], runs[2], *others[2:]])[1]
    yield "a member beside others", companions[2] == whole[2], ""
    yield "(a member among 3 and among 5)", trained(runs[:3])[1] == whole[:3], ""
    begun = BatchedFit(runs, data, device=device)
    next(begun.epochs())
    states = [_through_files(state) for state in begun.states()]
    yield "5 stacked, resumed after an epoch", trained(runs, states)[1] == whole, ""
    single = Fit(arms[1], 1, data, device=device)
    loss = next(single.epochs())["train_loss"]
    apart = abs(fit.members[1].history[0]["train_loss"] / loss - 1)
    yield "(first epoch's loss, stacked and single)", False, f"relative difference {apart:.1e}"


def study(device: str, folder: str, *toy: str) -> None:
    """Train the study's runs, six at a time on a GPU."""
    workers = 2 if toy else 6
    where = gpu_studies.singly(device, workers)
    took = gpu_studies.run(_study_file(folder), Path(folder), where, profile=_profile(toy))
    made = _by_key(folder).values()
    ok = len(made) == 6 and not any(one.failure for one in made)
    tell("study", f"6 runs on {device}, {workers} at once", ok=ok, note=f"{took:.0f} s")


def stack(device: str, folder: str, *toy: str) -> None:
    """The study's runs as stacks: the same bits again, and when killed and gone on."""
    size, again = TOY_STACK if toy else STACK, folder + "-again"
    for results in (again, folder):
        where, file = gpu_studies.as_stacks(device, size), _study_file(results)
        took = gpu_studies.run(file, Path(results), where, profile=_profile(toy))
    made = _by_key(folder)
    names = {one.computation["kernels"] for one in made.values()}
    ok = len(made) == 6 and not any(one.failure for one in made.values())
    what = f"6 runs on {device}, {size} as one network"
    is_named = names == {f"stacked-{size}"}
    tell("stack", what, ok=ok and is_named, note=f"{took:.0f} s; kernels {sorted(names)}")
    same = set(_by_key(again)) == set(made)
    same = same and all(_content(folder, key) == _content(again, key) for key in made)
    tell("stack", "the same stacks twice", ok=same, note=_same(same))
    _killed("stack", device, folder, *toy, options=("--stack", str(size)))


def methods(device: str, folder: str, *toy: str) -> None:
    """Train a run of every rule and objective twice, on very little data; the same bits?"""
    folders = [Path(folder) / name for name in ("first", "again")]
    for place in folders:
        place.mkdir(parents=True)
        (place / "methods.yaml").write_text(METHODS, encoding="utf-8")
        where = gpu_studies.singly(device, 2 if toy else 4)
        gpu_studies.run(place / "methods.yaml", place, where, profile="toy")
    first, again = (_by_key(str(place)) for place in folders)
    for key, record in first.items():
        same = key in again and _content(str(folders[0]), key) == _content(str(folders[1]), key)
        note = f"failed: {record.failure}" if record.failure else _same(same)
        name = record.configuration["resampling"]["rule"]
        name = record.configuration["objective"]["name"] if name == "none" else name
        tell("methods", f"{name}, twice", ok=same and not record.failure, note=note)


def _profile(toy: tuple[str, ...]) -> str:
    return "toy" if toy else "embedded"


def _study_file(folder: str) -> Path:
    Path(folder).mkdir(parents=True, exist_ok=True)
    file = Path(folder) / "gpu.yaml"
    file.write_text(STUDY, encoding="utf-8")
    return file


def _by_key(folder: str) -> dict[str, Record]:
    return gpu_studies.by_key(Path(folder))


def kill(device: str, other: str, *toy: str) -> None:
    """The study; then as `_killed`."""
    study(device, other, *toy)
    _killed("kill", device, other, *toy)


def _killed(part: str, device: str, other: str, *toy: str, options: Sequence[str] = ()) -> None:
    """The first seed's runs, killed with a checkpoint and started again; the same as the other's.

    Args:
        part: Of the table.
        device: Where they train.
        other: Folder of the whole study.
        toy: Whether it is the small one.
        options: Of `repro run`.
    """
    folder = other + "-killed"
    words = ["--results", folder, "--device", device, "--checkpoint-seconds", "0", "--quiet"]
    words += ["--set", "replicates=1", "--profile", _profile(toy), *options]
    command = [sys.executable, "-m", "repro.cli", "run", str(_study_file(folder)), *words]
    running = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    unfinished = Path(folder) / "unfinished"
    while running.poll() is None and not list(unfinished.glob("*/*.json")):
        time.sleep(0.01)
    killed = running.poll() is None
    if killed:
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    ours, theirs = _by_key(folder), _by_key(other)
    went_on = [one.provenance.get("went_on_after_epoch") for one in ours.values()]
    same = all(_content(folder, key) == _content(other, key) for key in ours)
    ok = killed and len(ours) == 2 and any(went_on) and set(ours) <= set(theirs) and same
    note = f"killed: {killed}; went on after epochs {went_on}; {_same(same)}"
    tell(part, f"{len(ours)} runs killed and resumed on {device}", ok=ok, note=note)


def _content(folder: str, key: str) -> Any:
    """What two trainings of a run must share."""
    record = records.read_record(key, Path(folder))
    files = Path(folder) / "runs" / key
    network = hashlib.sha256((files / records.MODEL).read_bytes()).hexdigest()
    return network, record.history, record.groups, record.metrics


def compare(folder: str, other: str, ways: str) -> None:
    """The difference of the arms in either way, with its interval, and each arm's means.

    Args:
        folder: Results of one way.
        other: Of another.
        ways: Both, for the table.
    """
    sides = [_answers(_by_key(where)) for where in (folder, other)]
    for name in sides[0]:
        shown, intervals = [], []
        for side in sides:
            values = np.array(side[name])
            half = stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
            intervals.append((values.mean() - half, values.mean() + half))
            shown.append(f"{values.mean():.2f} +- {half:.2f}")
        (low, high), (low2, high2) = intervals
        ok = bool(low <= high2 and low2 <= high)
        tell("study", f"{name}, {ways}", ok=ok, note=" and ".join(shown) + ", 95 %")


def _answers(made: dict[str, Record]) -> dict[str, list[float]]:
    """In points: recall, accuracy and the groups' variance of each seed, by arm; differences."""
    answers: dict[str, list[float]] = {}
    by_arm: dict[str, dict[int, Record]] = {"no debiasing": {}, "debiased": {}}
    for record in made.values():
        none = record.configuration["resampling"]["rule"] == "none"
        by_arm["no debiasing" if none else "debiased"][record.seed] = record
    quantities: dict[str, Callable[[Record], float]] = {
        "recall": lambda one: 100 * one.metrics["recall"],
        "accuracy": lambda one: 100 * one.metrics["val_accuracy"],
        "variance": lambda one: float(np.var([100 * group.share for group in one.groups.values()])),
    }
    for name, quantity in quantities.items():
        values = {
            arm: [quantity(of_seed[seed]) for seed in sorted(of_seed)]
            for arm, of_seed in by_arm.items()
        }
        answers |= {f"{name}, {arm}": found for arm, found in values.items()}
        pairs = zip(values["debiased"], values["no debiasing"], strict=True)
        answers[f"{name}, difference"] = [ours - theirs for ours, theirs in pairs]
    return answers


if __name__ == "__main__":
    parts: dict[str, Callable[..., None]] = {
        "bits": bits,
        "study": study,
        "kill": kill,
        "stack": stack,
        "methods": methods,
        "compare": compare,
    }
    parts[sys.argv[1]](*sys.argv[2:])
