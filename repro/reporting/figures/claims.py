"""The figure of a study's claims: each effect with its interval, and the word that follows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from repro.analysis import claims, looks, portrait_clusters
from repro.analysis.claim_findings import Finding
from repro.reporting.figures import style
from repro.reporting.figures.illustration import Illustration
from repro.reporting.figures.study_view import StudyView
from repro.reporting.figures.style import Look
from repro.reporting.tables import answer
from repro.stats import conclusions
from repro.stats.conclusions import Word
from repro.stats.intervals import LEVEL, Interval

ROW, AXIS = 0.62, 0.55  # inches for each claim, and for the axis below
PLOT, WORD = 3.5, 2.4  # inches for the intervals, and for the words
FURTHEST = 4.0  # smallest effects from 0 to the furthest end that is shown
NAME, NUMBERS = 50, 37  # letters of a line of a claim's name, and of its numbers
_LOOKS: Mapping[Word, Look] = {
    conclusions.HOLDS: Look("#00558b", "o", "-"),
    conclusions.TOO_SMALL: Look("#3a97d3", "s", "-"),
    conclusions.DOES_NOT_HOLD: Look("#933b00", "X", "-"),
    conclusions.CANNOT_TELL: Look(style.FAINT, "D", "-"),
}


def effects(view: StudyView) -> Illustration | None:
    """Each claim's effect in units of the smallest one that matters, the expected side right."""
    found = claims.findings(view.outcomes)
    if not found:
        return None
    figure, (axes, words) = style.canvas(
        1, 2, height=AXIS + ROW * len(found), widths=[PLOT, WORD], share="row"
    )
    furthest = _furthest(found)
    axes.set(xlim=(-furthest, furthest), ylim=(len(found) - 0.5, -0.5))
    for place, one in enumerate(found):
        _row(axes, place, one, furthest)
        _word(words, place, one)
    axes.axvline(0, color=style.INK, lw=0.9, zorder=1)
    axes.set_xlabel("effect / smallest effect that matters")
    axes.tick_params(axis="y", length=0, labelleft=False)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", visible=False)
    words.set_axis_off()
    return Illustration(
        name="claims",
        title="Claims",
        caption=f"{_caption(found)}{portrait_clusters.in_caption(view.outcomes)} "
        f"{view.said_of_runs()} {view.said_of_data()}",
        alt=f"Intervals of {len(found)} effects. {' '.join(map(_spoken, found))}",
        figure=figure,
    )


def _furthest(found: Sequence[Finding]) -> float:
    """The end of the axis: beyond all intervals, 1.5 to `FURTHEST` smallest effects."""
    reached = [abs(place) for one in found for place in _places(one) if np.isfinite(place)]
    return float(np.clip(1.08 * max(reached, default=0.0), 1.5, FURTHEST))


def _places(found: Finding) -> tuple[float, float, float]:
    """Of the effect and both ends of its interval."""
    effect, ends = _scaled(found)
    return effect, *ends


def _scaled(found: Finding) -> tuple[float, Interval]:
    """Effect and interval over the smallest effect, the expected side positive; NaN if unknown."""
    effect, (low, high) = found.turned
    unit = found.smallest or float("nan")  # 0: a share of a variance that is 0
    return effect / unit, Interval(low / unit, high / unit)


def _row(axes: Axes, place: int, found: Finding, furthest: float) -> None:
    """A claim's name, and below it what is too small to matter and its interval."""
    look, (effect, ends) = _LOOKS[found.word], _scaled(found)
    name = style.wrapped(found.claim.name, NAME, lines=2)
    at: dict[str, Any] = {"transform": axes.get_yaxis_transform()}
    at |= {"fontsize": style.SMALL, "bbox": {"color": "white", "pad": 0.5, "lw": 0}}
    axes.text(0, place + 0.02, name, va="bottom", weight=_weight(found), **at)
    y, low = place + 0.26, -1.0 if found.claim.expect == "kept" else 0.0
    axes.add_patch(Rectangle((low, y - 0.17), 1 - low, 0.34, color="#f3e9c6", lw=0, zorder=0))
    if np.isnan(effect):
        told: dict[str, Any] = {"ha": "center", "va": "center", "color": style.FAINT}
        known = not np.isnan(found.effect)
        text = "the smallest effect that matters is 0" if known else "no effect is known"
        axes.text(0, y, text, fontsize=style.SMALL, **told)
        return
    low, high = np.clip(ends, -furthest, furthest)
    if not np.isnan(low):
        axes.plot([low, high], [y, y], color=look.colour, lw=1.6, solid_capstyle="butt")
    for beyond in sorted({np.sign(one) for one in _places(found) if abs(one) > furthest}):
        arrow = ">" if beyond > 0 else "<"
        axes.plot(beyond * furthest, y, arrow, color=look.colour, ms=6, mew=0, clip_on=False)
    if abs(effect) <= furthest:
        axes.plot(effect, y, look.marker, color=look.colour, ms=6, mec="white", mew=0.6)


def _word(axes: Axes, place: int, found: Finding) -> None:
    """The word, and below it the effect in its own unit."""
    style_of: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": style.SMALL}
    look = _LOOKS[found.word]
    axes.text(
        0, place + 0.16, found.word, va="bottom", color=look.colour, weight="bold", **style_of
    )
    numbers = style.wrapped(_numbers(found), NUMBERS, lines=2)
    axes.text(0, place + 0.19, numbers, va="top", color=style.INK, **style_of)


def _weight(found: Finding) -> str:
    return "bold" if found.claim.primary else "normal"


def _numbers(found: Finding) -> str:
    if np.isnan(found.effect):
        return found.reason
    ends = "" if np.isnan(found.interval.low) else f" {answer.ends(found)}"
    unit = "%²" if found.unit == "percent squared" else found.unit
    change = "a change of " if found.claim.expect == "kept" else ""
    return f"{answer.signed(found)}{ends} {unit}; matters: {change}{answer.smallest(found)}"


def _caption(found: Sequence[Finding]) -> str:
    levels = sorted({one.level for one in found if not one.claim.primary})
    others = "".join(f", {100 * level:.4g} % for each other one" for level in levels)
    main = claims.primary(found)
    level = LEVEL if main is None else main.level
    own = f"{100 * level:.4g} %" if level < looks.WIDEST else "no interval"
    return " ".join(
        [
            "Each claim's effect with its interval, for new seeds and new photographs "
            f"({own} for the primary claim, in bold{others}), divided by the "
            "smallest effect that matters. The expected direction is to the right. Shaded: effects "
            "too small to matter.",
            *_further(found),
            "Numbers: the effect in its own unit and with its own sign.",
        ]
    )


def _further(found: Sequence[Finding]) -> Iterator[str]:
    if any(one.claim.expect == "kept" for one in found):
        yield "Where no change is expected, they lie on both sides of 0."
    furthest = _furthest(found)
    if any(abs(place) > furthest for one in found for place in _places(one)):
        yield f"Arrows: the interval goes on beyond {furthest:.3g}."
    if any(one.claim.smallest_effect.ratio is not None for one in found):
        yield "A ratio is judged by Fieller's interval, which this one only approximates."


def _spoken(found: Finding) -> str:
    return f"{found.claim.name}: {found.word}, {_numbers(found)}."
