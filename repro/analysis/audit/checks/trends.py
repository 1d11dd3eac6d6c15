"""Trends over alpha, each judged as a whole by one contrast with its spread."""

import itertools
import math
from collections.abc import Iterator, Sequence

from repro.analysis.audit.checks.estimates import ASK_ERRORS, Series, all_series
from repro.analysis.audit.checks.finding import Finding, Result
from repro.analysis.audit.checks.p_values import LEVEL, p_words
from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.wording import joined
from repro.stats import contrasts
from repro.stats.contrasts import Contrast

CHECK = "Trend"
AGAINST = 0.01  # p from which on a trend the other way contradicts: one honest table in 200
CLAIMED = ("variance", "sd")  # said to fall as alpha falls; of others no direction is claimed
VERB = {True: "rises", False: "falls"}


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


def findings(table: PublishedTable) -> Iterator[Finding]:
    """Whether each column falls or rises as alpha falls."""
    for arms, about in series_of(table.keys, table.title):
        columns = list(all_series(table, arms))
        open_ones = [one for one in columns if one.estimates is None]
        for one in columns:
            if one.estimates is not None:
                yield _judged(one, contrasts.linear(one.estimates), about)
        if open_ones:
            yield _without_errors(open_ones, about)


def _judged(series: Series, trend: Contrast, about: str) -> Finding:
    result = _result(series, trend)
    shown = f"{', '.join(series.shown)} ({_steps(series)})"
    verb = VERB[trend.value > 0]
    if result == "cannot tell":
        claim = "falls" if series.what in CLAIMED else "rises or falls"
        text = f"Whether the {series.words} {claim} as alpha falls cannot be told: {shown}"
    else:
        text = f"The {series.words} {verb} as alpha falls: {shown}"
        if result == "contradicts":
            text = f"A smaller alpha is claimed to lower the {series.words}, but it rises: {shown}"
    if math.isnan(trend.p):
        text += "; the runs show no spread."
    else:
        low, high = trend.interval()
        text += (
            f"; linear contrast {trend.value:.4g} [{low:.3g}, {high:.3g}], "
            f"t {trend.t:.2f}, df {trend.degrees:.1f}, {p_words(trend.p)}."
        )
    settle = ""
    if result == "contradicts":
        settle = "whether the source makes this claim, and of which of its numbers"
    elif result == "cannot tell":
        settle = series.missing or "more runs of each arm"
    return Finding(CHECK, about, result, text, settle)


def _result(series: Series, trend: Contrast) -> Result:
    """A trend within its spread is none, and contradicts nothing."""
    if not trend.p <= LEVEL:  # also NaN
        return "cannot tell"
    if series.what not in CLAIMED:
        return "more than chance"
    if trend.value < 0:
        return "fits"
    return "contradicts" if trend.p <= AGAINST else "cannot tell"


def _steps(series: Series) -> str:
    """How many of the printed steps go down and up."""
    values = [float(one) for one in series.shown]
    down = sum(a > b for a, b in itertools.pairwise(values))
    up = sum(a < b for a, b in itertools.pairwise(values))
    return f"{down} of {len(values) - 1} steps down, {up} up"


def _without_errors(columns: Sequence[Series], about: str) -> Finding:
    """One finding for all columns without a spread."""
    each = "; ".join(f"{one.words} {', '.join(one.shown)} ({_steps(one)})" for one in columns[:5])
    more = f"; and {len(columns) - 5} more" if len(columns) > 5 else ""
    text = f"No trend over alpha can be judged without its spread over runs: {each}{more}."
    asked = dict.fromkeys(one.missing or ASK_ERRORS for one in columns)
    return Finding(CHECK, about, "cannot tell", text, joined(list(asked)))
