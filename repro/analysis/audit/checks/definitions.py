"""Which definitions of mean and variance a printed table follows, and the rows that do not."""

from collections.abc import Callable, Iterator, Sequence

from repro.analysis.audit.checks.comparison import Comparison
from repro.analysis.audit.checks.finding import Finding, mean_words, sizes_words, variance_words
from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.mean_files import GroupMeans
from repro.analysis.wording import count, joined
from repro.stats.disparity import Definition
from repro.stats.forensics import DefinitionFit

FORMED = "how the published numbers were formed, or the runs behind them"
WHICH = "which is right, the published number or the file that it was compared with"


def definitions(comparison: Comparison) -> Iterator[Finding]:
    """The definitions of the published mean and variance, and the rows that differ."""
    yield _definition(comparison, comparison.means, "mean", mean_words)
    yield _definition(comparison, comparison.variances, "variance", variance_words)
    for at, key in enumerate(comparison.keys):
        yield from _row(comparison, at, key)


def _definition(
    comparison: Comparison,
    readings: Sequence[DefinitionFit],
    what: str,
    words: Callable[[Definition], str],
) -> Finding:
    check, rows = f"Definition of the {what}", len(comparison.keys)
    best = [reading for reading in readings if reading.rank == readings[0].rank]
    rest = [reading for reading in readings if reading.rank != readings[0].rank]
    known = _known(comparison, what)
    if not comparison.settled(readings):
        numbers = "; ".join(_against(comparison, readings[0], at, what) for at in range(rows))
        fits = joined([f"{words(r.definition)} {r.fitting}" for r in readings])
        text = f"No definition gives most of the {count(rows, 'row')} ({fits}){known}. {numbers}."
        return Finding(check, comparison.about, "contradicts", text, FORMED)
    if len(best) > 1:
        fits = joined([words(reading.definition) for reading in best])
        text = f"{fits} each give {best[0].fitting} of {count(rows, 'row')}{known}."
        settle = "the published numbers with more decimals, or a definition in the paper"
        return Finding(check, comparison.about, "cannot tell", text[0].upper() + text[1:], settle)
    others = joined([f"{words(reading.definition)} {reading.fitting}" for reading in rest])
    text = (
        f"The published {what} is the {words(best[0].definition).removeprefix('the ')}"
        f"{comparison.selection}, in {best[0].fitting} of {count(rows, 'row')}{known}."
    )
    text += f" Rows of the other definitions: {others}." if rest else ""
    return Finding(check, comparison.about, "fits", text)


def _known(comparison: Comparison, what: str) -> str:
    """The assumed sizes of groups, and the number of rows without counterpart."""
    other, said = comparison.other, []
    if isinstance(other, GroupMeans) and what == "mean":
        said.append(sizes_words(other))
    lone = len(comparison.table.keys) - len(comparison.keys)
    if lone:
        said.append(f"{count(lone, 'published row')} without counterpart")
    return f" ({'; '.join(said)})" if said else ""


def _row(comparison: Comparison, at: int, key: Key) -> Iterator[Finding]:
    """The values of one row that differ under definitions that fit most rows."""
    wrong, texts = [], []
    for what, readings in (("recall", comparison.means), ("variance", comparison.variances)):
        if comparison.settled(readings) and readings[0].matches[at] != "fits":
            wrong.append(readings[0].matches[at])
            texts.append(_against(comparison, readings[0], at, what, name=False))
    if not wrong:
        return
    about = f"{comparison.about}: {key.name}"
    text = "; ".join(texts)
    text = text[0].upper() + text[1:]
    if "differs" in wrong:
        yield Finding("Contradiction", about, "contradicts", f"{text}.", WHICH)
    else:
        text += ": one unit of the last digit, an error of rounding or copying"
        yield Finding("Misprint in the last digit", about, "contradicts", f"{text}.", WHICH)


def _against(
    comparison: Comparison, reading: DefinitionFit, at: int, what: str, *, name: bool = True
) -> str:
    """Published and computed value, with as many digits as published."""
    key = list(comparison.keys)[at]
    table, estimate = comparison.table, reading.computed[at]
    printed = table.variance[key] if what == "variance" else table.recall[key]
    whose = f"{key.name}: " if name else f"{what} "
    digits = printed.decimals
    error = f" ± {estimate.error:.{max(digits, 2)}f}" if estimate.error else ""
    return f"{whose}published {printed}, computed {estimate.value:.{digits}f}{error}"


def lesser(comparison: Comparison) -> Finding:
    """For a file that reproduces fewer published values than another one."""
    text = (
        f"It has the same arms, but reproduces at most {comparison.fitting} of "
        f"{2 * len(comparison.keys)} published values; another file reproduces more."
    )
    settle = "which file the published values come from"
    return Finding("Source of the published values", comparison.about, "contradicts", text, settle)
