"""The layers of a stacked network, each alone, in each form; a part of `gpu_cells.py`."""

import contextlib
import functools
from collections.abc import Callable

import torch
from gpu_place import Place, Rows
from torch import Tensor, nn

from repro import models
from repro.training.batched import default_form
from repro.training.kernels import unfolded
from repro.training.kernels.blocked import Precision
from repro.training.kernels.operators import Convolution
from repro.training.kernels.stacked import Form, Own, stack

FORMS: tuple[Form, ...] = ("unfolded", "direct", "grouped", "dense")
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
OWN: tuple[tuple[Own, ...], ...] = ((), ("norm",))
_measured: dict[tuple[str, int, str], dict[Form, float]] = {}  # ms, by precision, batch and layer


def name_of(convolution: Convolution) -> str:
    """As in `LAYERS`."""
    way = "up" if isinstance(convolution, nn.ConvTranspose2d) else "down"
    return f"{way} {convolution.in_channels}>{convolution.out_channels}"


def fastest(batch: int, precision: Precision) -> Callable[[Convolution], Form]:
    """For each layer the form that was the fastest in this process."""
    default = default_form(precision)

    def form_of(convolution: Convolution) -> Form:
        times = _measured.get((precision, batch, name_of(convolution)))
        return min(times, key=times.__getitem__) if times else default(convolution)

    return form_of


def layers(place: Place, members: int, batch: int, precision: Precision) -> Rows:
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
    place: Place,
    layer: nn.Module,
    side: int,
    members: int,
    batch: int,
    precision: Precision,
    form: Form,
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


def pieces(place: Place, members: int, batch: int, precision: Precision) -> Rows:
    """What the unfolded form consists of: copies of windows, and products."""
    dtype = torch.float32 if precision == "fp32" else torch.bfloat16
    for _, layer, side in LAYERS[:4]:
        fine, coarse, half = layer.in_channels, layer.out_channels, side // 2
        maps = torch.randn(members, fine, batch, side, side, device=place.device, dtype=dtype)
        slope = torch.randn(members, coarse, batch, half, half, device=place.device, dtype=dtype)
        weight = torch.randn(members, coarse, fine, 5, 5, device=place.device)
        columns = unfolded.windows(maps)
        near = {"size": 3, "stride": 1, "padding": (1, 1), "parts": 1}
        work: dict[str, Callable[[], object]] = {
            "windows": functools.partial(unfolded.windows, maps),
            "their product": functools.partial(
                unfolded.coarsened, columns, weight, None, maps.shape
            ),
            "neighbours": functools.partial(unfolded.columns_of, slope, **near),
            "refined": functools.partial(unfolded.refined, slope, weight, None),
            "weights": functools.partial(unfolded.by_weight, slope, columns, weight),
            "weights, one part": functools.partial(
                unfolded.by_weight, slope, _in_one_part(columns, members), weight
            ),
        }
        times = {name: place.milliseconds(one) for name, one in work.items()}
        yield {
            "what": f"{members} x {fine} and {coarse} channels, batch {batch}, {precision}",
            "ms": round(sum(times.values()), 4),
            "note": ", ".join(f"{name} {took:.3f}" for name, took in times.items()),
        }


def _in_one_part(columns: Tensor, members: int) -> Tensor:
    parts = len(columns) // members
    return columns.view(members, parts, *columns.shape[1:]).transpose(1, 2).flatten(2)


def parts(place: Place, members: int) -> Rows:
    """What a step of a stack has beside convolutions: Adam, hidden layers, normalisation."""
    weights = [torch.randn(members, 2_861_980, device=place.device).requires_grad_()]
    optimiser = torch.optim.Adam(weights, fused=True, capturable=place.on_gpu)
    weights[0].grad = torch.randn_like(weights[0])
    took = place.milliseconds(optimiser.step)
    yield {"what": f"{members} x Adam", "ms": round(took, 4), "note": "28 B a parameter"}
    for rows, columns in ((1152, 1000), (1000, 1152)):
        one = nn.Sequential(nn.Linear(rows, columns))
        layer = stack([one] * members, default_form("fp32")).to(place.device)
        inputs = torch.randn(members * 24, rows, device=place.device).requires_grad_()
        took = place.milliseconds(functools.partial(_through, layer, inputs))
        what = f"{members} x hidden {rows}>{columns}, batch 24, fp32"
        yield {"what": what, "ms": round(took, 4)}
    for own in OWN:
        one = nn.Sequential(nn.ReLU(), nn.BatchNorm2d(12))
        layer = stack([one] * members, default_form("fp32"), own=own).to(place.device)
        inputs = torch.randn(members, 12, 24, 32, 32, device=place.device).requires_grad_()
        took = place.milliseconds(functools.partial(_through, layer, inputs))
        whose = "ours" if own else "torch"
        what = f"{members} x ReLU, norm 12 x 32 x 32, {whose}, batch 24, fp32"
        yield {"what": what, "ms": round(took, 4)}


def _through(layer: nn.Module, inputs: Tensor) -> None:
    layer.zero_grad(set_to_none=True)
    inputs.grad = None
    made = layer(inputs)
    made.backward(torch.ones_like(made))
