"""Trends over alpha."""

import math
from collections.abc import Iterator, Sequence

from repro.analysis.audit.checks.finding import Finding, Result
from repro.analysis.audit.reading.arm_keys import Key
from repro.stats import forensics
from repro.stats.forensics import Change, Computed


def series_of(keys: Sequence[Key], title: str) -> Iterator[tuple[list[Key], str]]:
    """Series of arms with one name, by decreasing alpha, after the arm without resampling."""
    plain = [key for key in keys if key.alpha == math.inf]
    words = dict.fromkeys(key.word for key in keys if key.resamples)
    for word in words:
        own = [key for key in keys if key.word == word and key.resamples]
        series = sorted(own, key=lambda key: -key.matched[1])
        series = [*(plain if len(plain) == 1 else []), *series]
        if len(series) > 2:
            yield series, f"{title}: {word}" if len(words) > 1 else title


def trend(
    what: str,
    words: str,
    about: str,
    series: Sequence[Key],
    values: Sequence[Computed],
    shown: Sequence[str],
) -> Finding:
    """Whether the variance falls, or the recall is monotonic, as alpha falls."""
    steps = forensics.changes(values)
    ways = ["falls"] if what == "variance" else ["falls", "rises"]
    way = min(ways, key=lambda way: sum(step.step != way for step in steps))
    breaks = [at for at, step in enumerate(steps) if step.step != way]
    doubtful = [at for at, step in enumerate(steps) if not step.certain]
    check = "Variance falls as alpha falls"
    if what == "recall":
        check = "Recall is monotonic as alpha falls"
    if not breaks:
        text = f"The {words} {way} at every step: {', '.join(shown)}."
        if doubtful:
            text += f" Uncertain: {_steps(steps, doubtful, series, shown)}."
    else:
        text = (
            f"The {words} {way} at {len(steps) - len(breaks)} of {len(steps)} steps, but "
            f"{_steps(steps, breaks, series, shown)}."
        )
    certain = [at for at in breaks if at not in doubtful]
    result: Result = "contradicts" if certain else "cannot tell" if doubtful else "fits"
    return Finding(check, about, result, text)


def _steps(
    steps: Sequence[Change], places: Sequence[int], series: Sequence[Key], shown: Sequence[str]
) -> str:
    """Describe steps by the values and arms at their ends."""
    words = {"falls": "falls", "rises": "rises", "level": "stays equal"}
    return "; ".join(
        f"{words[steps[at].step]} from {shown[at]} ({series[at].step}) to {shown[at + 1]} "
        f"({series[at + 1].step})" + ("" if steps[at].certain else ", within their error")
        for at in places
    )
