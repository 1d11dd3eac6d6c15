"""A run as text for a terminal: its state, choices, curve, groups, provenance and files."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from repro.records import diff
from repro.records.records import Record
from repro.records.run_view import RunView
from repro.reporting.terminal.progress import duration
from repro.study.configuration import Configuration
from repro.study.presets import PRESETS
from repro.study.section import digest

LEVELS = "▁▂▃▄▅▆▇█"
WIDTH = 60  # maximum characters of a curve
CURVES = {  # fields of an epoch, in display order
    "train_loss": "training loss",
    "val_accuracy": "validation accuracy",
    "train_reconstruction": "reconstruction",
    "train_kl": "KL divergence",
    "ess_share": "effective share of faces",
    "log_weight_correlation": "correlation of log weights with the epoch before",
    "largest_loss_weight": "largest weight of a loss",
    "val_worst_class": "recall of the worse class",
}


def text(run: RunView) -> str:
    """The whole text, with a section for each kind of available data."""
    sections = [_head(run)]
    if run.record is not None:
        sections += [_differing(run.record), _choices(run.record)]
    if run.history:
        sections.append(_section("Curve", _curves(run.history)))
    if run.record is not None:
        sections += [_groups(run.record), _metrics(run.record), _provenance(run.record)]
    files = [(path, f"{size:,} bytes") for path, size in run.files.items()]
    sections.append(_section("Files", _aligned(files)))
    return "\n\n".join(section for section in sections if section)


def sparkline(values: Sequence[float]) -> str:
    """A curve of block characters from lowest to highest; non-finite values are blanks.

    Args:
        values: One per epoch; if too many, they are averaged in equal bins.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    lowest, span = min(finite), max(finite) - min(finite)
    return "".join(_level(value, lowest, span) for value in _binned(values))


def nearest_preset(choices: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The published combination that is closest to a run, and the differences.

    Args:
        choices: The run's configuration, as plain values.

    Returns:
        Its name, and differences such as ``epochs: 60 -> 8``, the preset's value first.
    """
    found = {
        name: diff.of_choices(_with_effect(preset), _with_effect(choices))
        for name, preset in PRESETS.items()
    }
    nearest = min(found, key=lambda name: len(found[name]))
    return nearest, found[nearest]


def _with_effect(choices: Mapping[str, Any]) -> dict[str, Any]:
    """The choices without those that have no effect, as far as this release understands them."""
    try:
        return Configuration.model_validate({**choices, "data": "synthetic"}).settings()
    except ValueError:
        return {name: value for name, value in choices.items() if name != "data"}


def _head(run: RunView) -> str:
    named = [f"{place.study}: {place.arm}, seed {place.seed}" for place in run.places]
    state = f"{run.state}: {run.said}" if run.said else run.state
    return "\n".join(
        [f"Run {run.key}", state, *(named or ["No study needs it any more (see `repro clean`)."])]
    )


def _differing(record: Record) -> str:
    name, changes = nearest_preset(record.configuration)
    pairs = [change.partition(": ")[::2] for change in changes]
    title = f"Choices that differ from the nearest preset, {name}"
    return _section(title, _aligned(pairs) or ["none"])


def _choices(record: Record) -> str:
    return _section("All choices", _aligned(_leaves(record.configuration)))


def _titles(history: Sequence[Mapping[str, float]]) -> dict[str, str]:
    """Fields of an epoch with their titles; an objective's numbers have their own names."""
    names = dict.fromkeys(name for epoch in history for name in epoch)
    return CURVES | {name: name for name in names if name.startswith("objective/")}


def _curves(history: Sequence[Mapping[str, float]]) -> list[str]:
    shown = []
    for name, title in _titles(history).items():
        values = [epoch[name] for epoch in history if isinstance(epoch.get(name), int | float)]
        if values:
            line = f"{values[0]:10.4g} {sparkline(values)} {values[-1]:.4g}"
            shown.append((title, line))
    count = f"{len(history)} epochs" if len(history) > 1 else "1 epoch"
    return [*_aligned(shown), f"over {count}, with the first and last value"]


def _groups(record: Record) -> str:
    counts = [*record.groups.items()]
    if record.nonfaces is not None:
        counts.append(("photographs without a face", record.nonfaces))
    rows = [
        (name, f"{count.detected:,} of {count.n:,} detected ({_percent(count.detected, count.n)})")
        for name, count in counts
    ]
    return _section("Detections on the test photographs", _aligned(rows))


def _metrics(record: Record) -> str:
    rows = [(name, f"{value:.6g}") for name, value in record.metrics.items()]
    return _section("Metrics", _aligned(rows))


def _provenance(record: Record) -> str:
    made, how = record.provenance, record.computation
    shown: dict[str, Any] = {
        "source run": record.source or None,
        "commit": made.get("commit"),
        "code": _code(how.get("code")),
        "started": made.get("started"),
        "took": duration(made["seconds"]) if "seconds" in made else None,
        "images/s": made.get("images_per_second"),
        "epochs from another run": made.get("shared_epochs"),
        "device": how.get("device", made.get("device")),
        "processor": made.get("processor"),
        "system": made.get("system"),
        "kernels": how.get("kernels", made.get("kernels")),
        "runs in its stack": made.get("stacked_runs"),
        "kernels' build": made.get("kernels_build"),
        "compiler": made.get("compiler"),
        "threads": how.get("threads", made.get("threads")),
        "python": made.get("python"),
        "cleared": ", ".join(made.get("variables_cleared", [])) or None,
        "kept": ", ".join(made.get("variables_kept", [])) or None,
        **(made.get("packages") or how.get("libraries") or {}),
        **{f"data.{part}": content for part, content in record.data.items()},
        **{f"plug-in {name}": content for name, content in record.plugins.items()},
    }
    rows = [(name, str(value)) for name, value in shown.items() if value is not None]
    return _section("Provenance", _aligned(rows))


def _code(modules: Mapping[str, str] | None) -> str | None:
    """One digest of all modules that compute."""
    return f"{digest(dict(modules))[:12]}, {len(modules)} modules" if modules else None


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)]) if lines else ""


def _aligned(rows: Sequence[tuple[str, ...]] | Iterator[tuple[str, str]]) -> list[str]:
    pairs = [(row[0], row[1]) for row in rows]
    width = max((len(name) for name, _ in pairs), default=0)
    return [f"{name:{width}}  {value}" for name, value in pairs]


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)


def _binned(values: Sequence[float]) -> list[float]:
    if len(values) <= WIDTH:
        return list(values)
    edges = [len(values) * step // WIDTH for step in range(WIDTH + 1)]
    bins = [values[low:high] for low, high in itertools.pairwise(edges)]
    return [sum(one) / len(one) for one in bins]


def _level(value: float, lowest: float, span: float) -> str:
    if not math.isfinite(value):
        return " "
    share = (value - lowest) / span if span else 0.5
    return LEVELS[min(int(share * len(LEVELS)), len(LEVELS) - 1)]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"
