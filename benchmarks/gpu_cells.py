"""What `gpu.py` measures of speed: short measurements, one after the other in one process.

Called with a list of cells as JSON, each the name of a function here and its arguments. Each prints
its rows as JSON, a line each, when it is done, so that a process that is ended has lost nothing.
Networks train on random bytes of the right shape.
"""

import functools
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import contenders
import numpy as np
import torch
from gpu_layers import fastest, layers, parts, pieces
from gpu_place import EPOCHS, IMAGES, RUNS, Place, Rows, row
from torch import Tensor

from repro import resampling
from repro.data.pictures.images import TrainingImages
from repro.study import merge
from repro.study.configuration import Configuration
from repro.study.presets import PRESETS
from repro.training import epoch_numbers, inference, trainer
from repro.training.batched import BatchedFit, Member
from repro.training.kernels import c_library
from repro.training.trainer import Fit

MARK = "@row "  # what a line with a row begins with


def configuration(batch: int, precision: str, **changes: Any) -> Configuration:
    """The reproduction's, that resamples."""
    choices = {"batch_size": batch, "precision": precision, **changes}
    choices |= {"learning_rate": contenders.LEARNING_RATE, "resampling": {"alpha": 0.01}}
    return Configuration.model_validate(merge.merge(PRESETS["dehaan2020"], choices))


@functools.cache
def data(count: int) -> TrainingImages:
    """Random bytes, half of them faces."""
    return TrainingImages(*contenders.random_images(round(count / 0.8)))


@functools.cache
def on_device(count: int, device: str) -> Tensor:
    """Their pixels."""
    return torch.from_numpy(data(count).images).to(device)


def a_run(place: Place, batch: int, precision: str, *, captured: bool, seed: int = 0) -> Fit:
    """A single run."""
    return Fit(
        configuration(batch, precision),
        seed,
        data(place.images),
        device=place.device,
        images=on_device(place.images, place.device),
        captured=captured,
    )


def repeated(batches: Any, steps: int) -> Any:
    """As many batches as wanted, some of them again."""
    return np.resize(batches, (steps, batches.shape[1]))


def single(place: Place, batch: int, precision: str, captured: bool) -> Rows:
    """A step of one run, launched kernel by kernel or as a graph."""
    run = a_run(place, batch, precision, captured=captured)
    batches = run.draw(1)
    took = place.steps(lambda steps: run.train(repeated(batches, steps)))
    yield row(f"1 run, {_form(captured)}, batch {batch}, {precision}", took, batch)


def _form(captured: bool) -> str:
    return "graph" if captured else "eager"


def single_contiguous(place: Place, batch: int, precision: str) -> Rows:
    """A step of one run as a graph, maps not with channels last."""
    run = a_run(place, batch, precision, captured=True)
    run.model.to(memory_format=torch.contiguous_format)
    batches = run.draw(1)
    gather = run.step.kernels.gather
    run.step.kernels.gather = lambda *given, **named: gather(*given, **named).contiguous()
    took = place.steps(lambda steps: run.train(repeated(batches, steps)))
    yield row(f"1 run, graph, channels first, batch {batch}, {precision}", took, batch)


def stacked_run(
    place: Place, members: int, batch: int, precision: str, form: str, *, captured: bool = True
) -> BatchedFit:
    """As many seeds as one network; a form such as ``direct+norm`` has more of our kernels.

    ``default`` is what the program chooses, ``best`` what was the fastest in this process.
    """
    arm = configuration(batch, precision)
    name, *more = form.split("+")
    form_of = fastest(batch, precision) if name == "best" else lambda _: name
    choices: dict[str, Any] = {} if name == "default" else {"form_of": form_of, "own": more}
    everything = data(place.images)
    runs = [Member(arm, seed) for seed in range(members)]
    return BatchedFit(runs, everything, device=place.device, captured=captured, **choices)


def stacked(
    place: Place, members: int, batch: int, precision: str, form: str, captured: bool = True
) -> Rows:
    """A step of many runs as one network."""
    run = stacked_run(place, members, batch, precision, form, captured=captured)
    drawn = run.draw()
    took = place.steps(lambda steps: run.train([repeated(one, steps) for one in drawn]))
    what = f"{members} runs stacked, {form}, {_form(captured)}, batch {batch}, {precision}"
    memory = torch.cuda.max_memory_reserved() / 1e9 if place.on_gpu else 0.0
    yield row(what, took, members * batch, f"{memory:.1f} GB reserved at most")


def compiled(place: Place, members: int, batch: int, precision: str, form: str) -> Rows:
    """The step of a stack with its terms and their gradients compiled by torch, then captured."""
    run = stacked_run(place, members, batch, precision, form)
    run.step.terms = torch.compile(run.step.terms, dynamic=False)
    drawn = run.draw()
    began = time.perf_counter()
    run.train([repeated(one, 1) for one in drawn])
    place.wait()
    once = time.perf_counter() - began
    took = place.steps(lambda steps: run.train([repeated(one, steps) for one in drawn]))
    what = f"{members} runs stacked, {form}, compiled, graph, batch {batch}, {precision}"
    yield row(what, took, members * batch, f"the first step took {once:.0f} s")


def streams(place: Place, runs: int, batch: int, precision: str) -> Rows:
    """Single runs beside each other in one process, each with its graph and its stream."""
    fits = [a_run(place, batch, precision, captured=True, seed=seed) for seed in range(runs)]
    lanes = [torch.cuda.Stream() if place.on_gpu else None for _ in fits]
    index = [torch.from_numpy(fit.split.train[fit.draw(1)]).to(place.device)[:10] for fit in fits]
    noise = fits[0].noise(1)[0]
    faces = torch.tensor(batch // 2, device=place.device)

    def train(steps: int) -> None:
        for step in range(steps):
            for fit, lane, own in zip(fits, lanes, index, strict=True):
                with torch.cuda.stream(lane):
                    fit.update(own[step % len(own)], noise, faces, batch // 2)

    took = place.steps(train)
    yield row(f"{runs} runs, graphs on streams, batch {batch}, {precision}", took, runs * batch)


def beside(place: Place, settings: Sequence[tuple[int, str, bool]], counts: Sequence[int]) -> Rows:
    """Single runs in processes of their own."""
    import gpu_beside  # which imports this module, under its own name

    yield from gpu_beside.rates(place, [(a, b, c) for a, b, c in settings], counts)


def study(place: Place, stack: int | None, changes: Sequence[str] = ()) -> Rows:
    """The embedded `alpha_sweep`, 25 runs, from its plan to its records, without MLflow.

    Args:
        place: Where.
        stack: Runs that are trained as one network; None: each singly, as many at once as fit.
        changes: Of the study, KEY=VALUE.
    """
    import gpu_studies

    yield gpu_studies.timed(place, stack, changes)


def epoch_overhead(place: Place) -> Rows:
    """What an epoch of a run has beside its steps: encoding, weights, drawing, validation."""
    run = a_run(place, 24, "fp32", captured=True)
    faces, seconds = run.faces, {}
    inference.latent_means(run.model, run.images, faces)
    began = time.perf_counter()
    means = inference.latent_means(run.model, run.images, faces).numpy()
    seconds["encoding"] = (time.perf_counter() - began) * IMAGES / 2 / len(faces)
    began = time.perf_counter()
    rule = run.choices.resampling
    options = {name: getattr(rule, name) for name in ("density", "alpha", "bins")}
    options["combine"] = rule.rule
    weights = resampling.weights(means, arithmetic=rule.arithmetic, **options)
    seconds["weights"] = (time.perf_counter() - began) * IMAGES / 2 / len(faces)
    began = time.perf_counter()
    drawn = resampling.weighted_batches(
        weights,
        run.is_face,
        batch_size=24,
        replacement="with",
        balance="expected",
        generator=np.random.default_rng(0),
    )
    resampling.faces_first(drawn, run.is_face)
    seconds["drawing"] = (time.perf_counter() - began) * IMAGES / len(run.is_face)
    held_out = run.validation, run.validation_is_face
    began = time.perf_counter()
    epoch_numbers.validated(run.model, run.images, *held_out, run.choices)
    seconds["validation"] = (time.perf_counter() - began) * IMAGES / 4 / len(run.validation)
    for name, took in seconds.items():
        minutes = took * RUNS * EPOCHS / 60
        yield {
            "what": f"{name} of an epoch of {IMAGES:,} images, one run",
            "ms": round(1000 * took, 2),
            "minutes": round(minutes, 2),
            "note": "of the whole study, one after the other",
        }


def limits(place: Place) -> Rows:
    """Of the device: copying, and products of matrices."""
    size = 1 << (20 if place.toy else 30)
    source = torch.empty(size, dtype=torch.uint8, device=place.device).random_()
    target = torch.empty_like(source)
    took = place.milliseconds(lambda: target.copy_(source), graph=False)
    gigabytes = 2 * size / took / 1e6
    yield {"what": "copy", "ms": round(took, 3), "note": f"{gigabytes:,.0f} GB/s read and written"}
    side = 64 if place.toy else 8192
    for dtype in (torch.float32, torch.bfloat16):
        a, b = (torch.randn(side, side, device=place.device).to(dtype) for _ in range(2))
        made = torch.empty_like(a)
        took = place.milliseconds(functools.partial(torch.mm, a, b, out=made), graph=False)
        rate = 2 * side**3 / took / 1e9
        name = f"product {side} x {side}, {dtype}".replace("torch.", "")
        yield {"what": name, "ms": round(took, 3), "note": f"{rate:,.1f} TFLOP/s"}


def profile(place: Place, members: int, batch: int, precision: str, form: str) -> Rows:
    """The longest kernels of a step; all go to the process's error output."""
    if members == 1:
        run: Any = a_run(place, batch, precision, captured=False)
        drawn: Any = run.draw(1)
        train = lambda steps: run.train(repeated(drawn, steps))  # noqa: E731
    else:
        run = stacked_run(place, members, batch, precision, form, captured=False)
        drawn = run.draw()
        train = lambda steps: run.train([repeated(one, steps) for one in drawn])  # noqa: E731
    train(3)
    place.wait()
    kinds = torch.profiler.ProfilerActivity
    with torch.profiler.profile(activities=[kinds.CUDA if place.on_gpu else kinds.CPU]) as seen:
        train(5)
        place.wait()
    took = "self_device_time_total" if place.on_gpu else "self_cpu_time_total"
    found = [one for one in seen.key_averages() if getattr(one, took) > 0]
    found.sort(key=lambda one: -getattr(one, took))
    what = f"{members} x batch {batch}, {precision}, {form}"
    whole = sum(getattr(one, took) for one in found) / 5000
    launches = sum(one.count for one in found) / 5
    yield {
        "what": f"all kernels of {what}",
        "ms": round(whole, 3),
        "note": f"{launches:.0f} of them",
    }
    for one in found[:40]:
        line = f"{getattr(one, took) / 5000:8.4f} ms {one.count / 5:6.1f} x {one.key[:150]}"
        print(f"@profile {what}: {line}", flush=True)


CELLS: dict[str, Callable[..., Rows]] = {
    one.__name__: one
    for one in (
        *(single, single_contiguous, stacked, compiled, streams, beside, study, epoch_overhead),
        *(limits, profile, layers, pieces, parts),
    )
}


def _do(place: Place, cell: dict[str, Any]) -> None:
    name = cell.pop("cell")
    function = CELLS[name]
    try:
        for made in function(place, **cell):
            print(MARK + json.dumps({"part": name, **made}), flush=True)
    except torch.OutOfMemoryError:
        note = {"part": name, "what": str(cell), "note": "out of memory"}
        print(MARK + json.dumps(note), flush=True)
    gc.collect()
    if place.on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def main(arguments: Sequence[str]) -> None:
    """Measure the cells; a line for each that is done."""
    device, toy, cells = arguments
    if device == "cpu":
        os.environ[c_library.CHOICE] = "torch"  # what a GPU computes with
    trainer.prepare_process()
    place = Place(device, toy=toy == "toy")
    for cell in json.loads(cells):
        name = str(cell)
        began = time.perf_counter()
        try:
            _do(place, cell)
        except Exception as error:  # noqa: BLE001 - the others are measured all the same
            traceback.print_exc()
            note = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            print(MARK + json.dumps({"part": "failed", "what": name, "note": note}), flush=True)
            if "CUDA error" in str(error):
                sys.exit(1)  # nothing works in this process any more
        print(f"@done {time.perf_counter() - began:.1f} s {name}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
