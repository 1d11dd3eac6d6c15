"""What `gpu.py` measures of speed: short measurements, one after the other in one process.

Called with a list of cells as JSON, each the name of a function here and its arguments. Each prints
its rows as JSON, a line each, when it is done, so that a process that is ended has lost nothing.
Networks train on random bytes of the right shape.
"""

import contextlib
import functools
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import contenders
import numpy as np
import torch
from torch import Tensor, nn

from repro import models, resampling
from repro.data.pictures.images import TrainingImages
from repro.study import merge
from repro.study.configuration import Configuration
from repro.study.presets import PRESETS
from repro.training import batched, inference, trainer
from repro.training.batched import BatchedFit
from repro.training.kernels import c_library
from repro.training.kernels.operators import Convolution
from repro.training.kernels.stacked import Form, stack
from repro.training.step import GraphCapture
from repro.training.trainer import Fit

MARK = "@row "  # what a line with a row begins with
RUNS, EPOCHS, IMAGES = 25, 60, 87_931  # the reproduction's Table 3: five arms of five runs
MFLOP = 85.67  # of an image in a step
FORMS: tuple[Form, ...] = ("unfolded", "grouped", "dense")

Rows = Iterator[dict[str, Any]]


class Place:
    """Where to measure, and how much: on the CPU the script itself is tried out."""

    def __init__(self, device: str, *, toy: bool) -> None:
        """Set by the arguments of the process."""
        self.device, self.toy = device, toy
        self.on_gpu = device != "cpu"
        self.images = 96 if toy else 24_000
        self.seconds = 0.01 if toy else 0.8  # of a measurement of steps, about

    def wait(self) -> None:
        """For the device."""
        if self.on_gpu:
            torch.cuda.synchronize()

    def milliseconds(self, work: Callable[[], object], *, graph: bool = True) -> float:
        """Of a call among many; of the replay of a CUDA graph, where there are any."""
        work()
        if graph and self.on_gpu:
            capture = GraphCapture()
            capture.warm_up(work)
            work = capture.record(work)
        self.wait()
        calls, began = 0, time.perf_counter()
        while not calls or time.perf_counter() - began < self.seconds / 8:
            for _ in range(1 if self.toy else 4):
                work()
                calls += 1
            self.wait()
        return 1000 * (time.perf_counter() - began) / calls

    def steps(self, train: Callable[[int], object]) -> float:
        """Milliseconds of a step of training, which takes a number of steps."""
        train(2 if self.toy else 10)  # warm, and captured
        self.wait()
        few = 1 if self.toy else 10
        began = time.perf_counter()
        train(few)
        self.wait()
        estimate = (time.perf_counter() - began) / few
        count = max(2 if self.toy else 10, min(2000, round(self.seconds / estimate)))
        began = time.perf_counter()
        train(count)
        self.wait()
        return 1000 * (time.perf_counter() - began) / count


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


def row(what: str, milliseconds: float, images: int, note: str = "") -> dict[str, Any]:
    """A row of training: the whole study's minutes follow from its rate."""
    rate = 1000 * images / milliseconds
    return {
        "what": what,
        "ms": round(milliseconds, 4),
        "images_per_second": round(rate),
        "minutes": round(RUNS * EPOCHS * IMAGES / rate / 60, 2),
        "tflops": round(rate * MFLOP / 1e6, 2),
        "note": note,
    }


def single(place: Place, batch: int, precision: str, captured: bool) -> Rows:
    """A step of one run, launched kernel by kernel or as a graph."""
    run = a_run(place, batch, precision, captured=captured)
    batches = run._draw(1)
    took = place.steps(lambda steps: run._train(repeated(batches, steps)))
    yield row(f"1 run, {_form(captured)}, batch {batch}, {precision}", took, batch)


def _form(captured: bool) -> str:
    return "graph" if captured else "eager"


def single_contiguous(place: Place, batch: int, precision: str) -> Rows:
    """A step of one run as a graph, maps not with channels last."""
    run = a_run(place, batch, precision, captured=True)
    run.model.to(memory_format=torch.contiguous_format)
    batches = run._draw(1)
    gather = run.step.kernels.gather
    run.step.kernels.gather = lambda *given, **named: gather(*given, **named).contiguous()
    took = place.steps(lambda steps: run._train(repeated(batches, steps)))
    yield row(f"1 run, graph, channels first, batch {batch}, {precision}", took, batch)


def stacked_run(
    place: Place, members: int, batch: int, precision: str, form: str, *, captured: bool = True
) -> BatchedFit:
    """As many seeds as one network."""
    arm = configuration(batch, precision)
    forms = {"best": fastest(batch, precision), "default": batched.form_of}
    form_of = forms.get(form, lambda _: form)
    everything = data(place.images)
    runs = [(arm, seed) for seed in range(members)]
    return BatchedFit(runs, everything, device=place.device, captured=captured, form_of=form_of)


def stacked(
    place: Place, members: int, batch: int, precision: str, form: str, captured: bool = True
) -> Rows:
    """A step of many runs as one network."""
    run = stacked_run(place, members, batch, precision, form, captured=captured)
    drawn = run._draw()
    took = place.steps(lambda steps: run._train([repeated(one, steps) for one in drawn]))
    what = f"{members} runs stacked, {form}, {_form(captured)}, batch {batch}, {precision}"
    memory = torch.cuda.max_memory_reserved() / 1e9 if place.on_gpu else 0.0
    yield row(what, took, members * batch, f"{memory:.1f} GB reserved at most")


LAYERS: tuple[tuple[str, nn.Module, int], ...] = (
    *(
        (f"down {a}>{b}", nn.Conv2d(a, b, 5, 2, 2), side)
        for a, b, side in ((3, 12, 64), (12, 24, 32), (24, 48, 16), (48, 72, 8))
    ),
    *(
        (f"up {a}>{b}", nn.ConvTranspose2d(a, b, 5, 2, 2, 1), side)
        for a, b, side in ((72, 48, 4), (48, 24, 8), (24, 12, 16), (12, 3, 32))
    ),
)
_measured: dict[tuple[str, int, str], dict[Form, float]] = {}  # ms, by precision, batch and layer


def name_of(convolution: Convolution) -> str:
    """As in `LAYERS`."""
    way = "up" if isinstance(convolution, nn.ConvTranspose2d) else "down"
    return f"{way} {convolution.in_channels}>{convolution.out_channels}"


def fastest(batch: int, precision: str) -> Callable[[Convolution], Form]:
    """For each layer the form that was the fastest in this process."""

    def form_of(convolution: Convolution) -> Form:
        times = _measured.get((precision, batch, name_of(convolution)))
        return min(times, key=times.__getitem__) if times else batched.form_of(convolution)

    return form_of


def layers(place: Place, members: int, batch: int, precision: str) -> Rows:
    """Each convolution, forward and backward, in each form."""
    for name, layer, side in LAYERS:
        times = _measured.setdefault((precision, batch, name), {})
        for form in FORMS:
            with contextlib.suppress(torch.OutOfMemoryError):
                times[form] = _layer(place, layer, side, members, batch, precision, form)
        best = min(times, key=times.__getitem__)
        yield {
            "what": f"{members} x {name}, batch {batch}, {precision}, forward and backward",
            "ms": round(times[best], 4),
            "note": ", ".join(f"{form} {took:.3f}" for form, took in times.items()),
        }


def _layer(
    place: Place, layer: nn.Module, side: int, members: int, batch: int, precision: str, form: Form
) -> float:
    stacked = stack([nn.Sequential(layer)] * members, lambda _: form).to(place.device)
    first = layer.in_channels == models.IMAGE[0]
    shape = (members, layer.in_channels, batch, side, side)
    maps = torch.randn(shape, device=place.device)
    if precision == "bf16" and not first:
        maps = maps.bfloat16()
    maps.requires_grad_(not first)
    slope: list[Tensor] = []

    def work() -> None:
        stacked.zero_grad(set_to_none=True)
        maps.grad = None
        with torch.autocast(maps.device.type, torch.bfloat16, enabled=precision == "bf16"):
            made = stacked(maps)
        if not slope:
            slope.append(torch.randn_like(made))
        made.backward(slope[0])

    return place.milliseconds(work)


def parts(place: Place, members: int) -> Rows:
    """What a step of a stack has beside convolutions: Adam, hidden layers, normalisation."""
    weights = [torch.randn(members, 2_861_980, device=place.device).requires_grad_()]
    optimiser = torch.optim.Adam(weights, fused=True, capturable=place.on_gpu)
    weights[0].grad = torch.randn_like(weights[0])
    took = place.milliseconds(optimiser.step)
    yield {"what": f"{members} x Adam", "ms": round(took, 4), "note": "28 B a parameter"}
    for rows, columns in ((1152, 1000), (1000, 1152)):
        layer = stack([nn.Sequential(nn.Linear(rows, columns))] * members, batched.form_of)
        layer.to(place.device)
        inputs = torch.randn(members * 24, rows, device=place.device).requires_grad_()
        took = place.milliseconds(functools.partial(_through, layer, inputs))
        yield {"what": f"{members} x hidden {rows}>{columns}, batch 24, fp32", "ms": round(took, 4)}
    layer = stack([nn.Sequential(nn.ReLU(), nn.BatchNorm2d(12))] * members, batched.form_of)
    layer.to(place.device)
    inputs = torch.randn(members, 12, 24, 32, 32, device=place.device).requires_grad_()
    took = place.milliseconds(functools.partial(_through, layer, inputs))
    yield {"what": f"{members} x ReLU, norm 12 x 32 x 32, batch 24, fp32", "ms": round(took, 4)}


def _through(layer: nn.Module, inputs: Tensor) -> None:
    layer.zero_grad(set_to_none=True)
    inputs.grad = None
    made = layer(inputs)
    made.backward(torch.ones_like(made))


def compiled(place: Place, members: int, batch: int, precision: str, form: str) -> Rows:
    """The step of a stack with its terms and their gradients compiled by torch, then captured."""
    run = stacked_run(place, members, batch, precision, form)
    run.step.terms = torch.compile(run.step.terms, dynamic=False)
    drawn = run._draw()
    began = time.perf_counter()
    run._train([repeated(one, 1) for one in drawn])
    place.wait()
    once = time.perf_counter() - began
    took = place.steps(lambda steps: run._train([repeated(one, steps) for one in drawn]))
    what = f"{members} runs stacked, {form}, compiled, graph, batch {batch}, {precision}"
    yield row(what, took, members * batch, f"the first step took {once:.0f} s")


def streams(place: Place, runs: int, batch: int, precision: str) -> Rows:
    """Single runs beside each other in one process, each with its graph and its stream."""
    fits = [a_run(place, batch, precision, captured=True, seed=seed) for seed in range(runs)]
    lanes = [torch.cuda.Stream() if place.on_gpu else None for _ in fits]
    index = [torch.from_numpy(fit.split.train[fit._draw(1)]).to(place.device)[:10] for fit in fits]
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
    options = {name: getattr(rule, name) for name in ("combine", "density", "alpha", "bins")}
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
    began = time.perf_counter()
    run._validation_accuracy()
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
        drawn: Any = run._draw(1)
        train = lambda steps: run._train(repeated(drawn, steps))  # noqa: E731
    else:
        run = stacked_run(place, members, batch, precision, form, captured=False)
        drawn = run._draw()
        train = lambda steps: run._train([repeated(one, steps) for one in drawn])  # noqa: E731
    train(3)
    place.wait()
    kinds = torch.profiler.ProfilerActivity
    with torch.profiler.profile(activities=[kinds.CUDA if place.on_gpu else kinds.CPU]) as seen:
        train(5)
        place.wait()
    took = "self_device_time_total" if place.on_gpu else "self_cpu_time_total"
    kernels = sorted(seen.key_averages(), key=lambda one: -getattr(one, took))
    kernels = [one for one in kernels if getattr(one, took) > 0]
    what = f"{members} x batch {batch}, {precision}, {form}"
    whole = sum(getattr(one, took) for one in kernels) / 5000
    launches = sum(one.count for one in kernels) / 5
    yield {
        "what": f"all kernels of {what}",
        "ms": round(whole, 3),
        "note": f"{launches:.0f} of them",
    }
    for one in kernels[:40]:
        line = f"{getattr(one, took) / 5000:8.4f} ms {one.count / 5:6.1f} x {one.key[:150]}"
        print(f"@profile {what}: {line}", flush=True)


def _do(place: Place, cell: dict[str, Any]) -> None:
    name = cell.pop("cell")
    function: Callable[..., Rows] = globals()[name]
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
