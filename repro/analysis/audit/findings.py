"""Checks of published values -> findings, in sentences.

`repro.stats.forensics` does the arithmetic. A finding says whether a check fits, contradicts or
cannot tell, and gives the numbers.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from repro.analysis.audit.arm_keys import Key
from repro.analysis.audit.comparison import Comparison, compare
from repro.analysis.audit.file_kinds import Source, same_arms
from repro.analysis.audit.mean_files import PPB, PPB_NAME, GroupMeans, Table
from repro.analysis.audit.run_files import Runs
from repro.analysis.wording import count, joined
from repro.stats import forensics
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.forensics import Change, Computed, DefinitionFit, GroupValues

Result = Literal["fits", "contradicts", "cannot tell"]
CHANCE = 0.05  # above this probability of fitting by chance, a fit is no evidence
MEAN_WORDS = {"pooled": "recall pooled over portraits", "groups": "mean over groups"}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        check: Short title.
        about: The file, and the arm if it concerns one.
        result: Of the check.
        text: One or two sentences with the numbers.
    """

    check: str
    about: str
    result: Result
    text: str


class Checks:
    """All checks of all files.

    Attributes:
        used: For each file of runs or groups, by title, the comparison whose definitions apply.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        images: int | None,
        keep: int | None,
        reading_error: float,
    ) -> None:
        """Store the files and options.

        Args:
            sources: Of all files that were read.
            images: Portraits in a run, for GRIM; None takes that of the files, else that of PPB.
            keep: Runs of an arm that were kept; None tries every number when published means
                are compared with runs, and keeps all otherwise.
            reading_error: Largest error of group means, in percentage points.
        """
        self.sources, self.images, self.keep = sources, images, keep
        self.reading_error = reading_error
        self.used: dict[str, Comparison] = {}

    def findings(self) -> Iterator[Finding]:
        """Tables first, because they determine the definitions for the other files."""
        for table in (source for source in self.sources if isinstance(source, Table)):
            yield from self._of_table(table)
        for source in self.sources:
            if isinstance(source, GroupMeans):
                yield from _overall(source, self.reading_error)
                yield from self._of_trends(source)
        for source in self.sources:
            if isinstance(source, Runs):
                yield from _whole(source)
                yield from self._of_trends(source)

    def _of_table(self, table: Table) -> Iterator[Finding]:
        akin = [o for o in self.sources if not isinstance(o, Table) and same_arms(table, o)]
        runs = [self._compared(table, other) for other in akin if isinstance(other, Runs)]
        means = [self._compared(table, other) for other in akin if isinstance(other, GroupMeans)]
        best = [max(kind, key=lambda c: c.fitting) for kind in (runs, means) if kind]
        yield _grim(table, best, self.images)
        yield from _decimals(table)
        for comparison in best:
            self.used.setdefault(comparison.other.title, comparison)
            yield from _definitions(comparison)
        for comparison in (c for c in [*runs, *means] if c not in best):
            yield _lesser(comparison)
        if not best:
            text = "No file with runs or groups of these arms was read with it."
            yield Finding("Definitions", table.title, "cannot tell", text)
        for series, title in _series(table.keys, table.title):
            for what, column in (("variance", table.variance), ("recall", table.recall)):
                values = [Computed(float(column[key]), column[key].half) for key in series]
                shown = [str(column[key]) for key in series]
                yield _trend(what, f"published {what}", title, series, values, shown)

    def _compared(self, table: Table, other: Runs | GroupMeans) -> Comparison:
        return compare(table, other, keep=self.keep, reading_error=self.reading_error)

    def _of_trends(self, source: Runs | GroupMeans) -> Iterator[Finding]:
        """Trends of computed values, under the definition of the published values if known."""
        used = self.used.get(source.title)
        mean, spread = DEFINITIONS["dehaan2020"], DEFINITIONS["dehaan2020"]
        if isinstance(source, GroupMeans):
            mean = DEFINITIONS["amini2019"]
        if used and used.settled(used.means):
            mean = used.means[0].definition
        if used and used.settled(used.variances):
            spread = used.variances[0].definition
        for series, title in _series(source.keys, source.title):
            values = [self._kept_values(source, key, used) for key in series]
            variances = [value.variance(spread) for value in values]
            means = [estimate for value in values if (estimate := value.mean(mean))]
            for what, words, estimates in (
                ("variance", f"computed {_variance_words(spread)}", variances),
                ("recall", f"computed {_mean_words(mean)}", means),
            ):
                if len(estimates) == len(series):
                    shown = [f"{estimate.value:.2f}" for estimate in estimates]
                    yield _trend(what, words, title, series, estimates, shown)

    def _kept_values(
        self, source: Runs | GroupMeans, key: Key, used: Comparison | None
    ) -> GroupValues:
        if isinstance(source, GroupMeans):
            return source.values(key, self.reading_error)
        kept = used.kept if used and used.kept else self.keep or source.most_runs
        return source.values(key).best(kept)


def _lesser(comparison: Comparison) -> Finding:
    """For a file that reproduces fewer published values than another one."""
    text = (
        f"It has the same arms, but reproduces at most {comparison.fitting} of "
        f"{2 * len(comparison.keys)} published values; another file reproduces more."
    )
    return Finding("Source of the published values", comparison.about, "contradicts", text)


def _mean_words(definition: Definition) -> str:
    return MEAN_WORDS[definition.mean]


def _variance_words(definition: Definition) -> str:
    return str(definition).split("; ")[1]


# GRIM and decimals


def _portraits(best: Sequence[Comparison], images: int | None) -> tuple[int, str]:
    """Number of portraits of a run, and its source."""
    if images is not None:
        return images, ""
    for comparison in best:
        if isinstance(comparison.other, Runs):
            arms = comparison.other.arms.values()
            totals = {int(arm.sizes.sum()) for arm in arms}
            if len(totals) == 1:
                return totals.pop(), f" (as in {comparison.other.title})"
    return sum(PPB.values()), f" ({PPB_NAME})"


def _grim(table: Table, best: Sequence[Comparison], images: int | None) -> Finding:
    """Whether some number of runs can produce the published recalls."""
    portraits, known = _portraits(best, images)
    tried = forensics.grim(list(table.recall.values()), images=portraits)
    found = next((one for one in tried if one.all and one.chance <= CHANCE), None)
    rows = len(table.keys)
    if found:
        recalls = f"All {rows} published recalls are" if rows > 1 else "The published recall is"
        text = (
            f"{recalls} possible for {count(found.runs, 'run')} of "
            f"{count(portraits, 'portrait')}{known}, pooled; the probability of this for random "
            f"numbers is {_percent(found.chance)}. {_other_runs(tried, found, rows)}"
        )
        return Finding("GRIM", table.title, "fits", text)
    groups = any(c.settled(c.means) and c.means[0].definition.mean == "groups" for c in best)
    text = (
        f"For no number of runs of {count(portraits, 'portrait')}{known}, pooled, are all "
        f"published recalls possible, unless random numbers would be possible, too. "
        f"{_other_runs(tried, None, rows)} GRIM does not test means over groups"
    )
    text += ", which these are." if groups else ", which these may be."
    return Finding("GRIM", table.title, "cannot tell", text)


def _other_runs(tried: Sequence[forensics.Grim], found: forensics.Grim | None, rows: int) -> str:
    """The results for the other numbers of runs, in a sentence."""
    short = [one for one in tried if not one.all]
    every = [one for one in tried if one.all and one is not found]
    some = ", ".join(f"{sum(one.fitting)} for {one.runs}" for one in short)
    said = [f"possible rows of {rows} for other numbers of runs: {some}"] if some else []
    if every:
        chances = joined([_percent(one.chance) for one in every])
        runs = joined([str(one.runs) for one in every])
        said.append(f"all for {runs} runs, with probability {chances} for random numbers")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.995 else "100 %"


def _decimals(table: Table) -> Iterator[Finding]:
    """Cells with fewer decimals than the rest of their column."""
    shorter = []
    for what, column in (("recall", table.recall), ("variance", table.variance)):
        cells = list(column.items())
        for place in forensics.shorter_cells([number for _, number in cells]):
            key, number = cells[place]
            shorter.append(f"{what} {number} of {key.name}")
    if shorter:
        text = (
            f"Published with fewer decimals than the rest: {'; '.join(shorter)}. They are taken as "
            "rounded to these decimals; perhaps a trailing zero was dropped."
        )
        yield Finding("Decimals", table.title, "cannot tell", text)
    else:
        counts = [max(n.decimals for n in c.values()) for c in (table.recall, table.variance)]
        text = (
            f"Every recall has {count(counts[0], 'decimal')}, every variance "
            f"{count(counts[1], 'decimal')}."
        )
        yield Finding("Decimals", table.title, "fits", text)


def _whole(source: Runs) -> Iterator[Finding]:
    """Whether published accuracies are whole numbers of portraits of their groups."""
    if not source.rounded:
        return
    numbers = [cell.number for cell, _ in source.rounded]
    sizes = [n for _, n in source.rounded]
    wrong = [
        f"{cell.number} % of {n} in line {cell.line}"
        for cell, n in source.rounded
        if not forensics.whole_counts(cell.number, n)
    ]
    chance = forensics.chance_of_counts(numbers, sizes)
    fits = (
        f"{len(numbers) - len(wrong)} of {len(numbers)} accuracies are whole numbers of portraits"
    )
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        text = f"{fits}; not {'; '.join(wrong[:5])}{more}."
        yield Finding("GRIM", source.title, "contradicts", text)
        return
    text = f"{fits}; the probability of this for random numbers is {_percent(chance)}."
    yield Finding("GRIM", source.title, "fits" if chance <= CHANCE else "cannot tell", text)


# Definitions


def _definitions(comparison: Comparison) -> Iterator[Finding]:
    """The definitions of the published mean and variance, and the rows that differ."""
    yield _definition(comparison, comparison.means, "mean", _mean_words)
    yield _definition(comparison, comparison.variances, "variance", _variance_words)
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
        return Finding(check, comparison.about, "contradicts", text)
    if len(best) > 1:
        fits = joined([words(reading.definition) for reading in best])
        text = f"{fits} each give {best[0].fitting} of {count(rows, 'row')}{known}."
        return Finding(check, comparison.about, "cannot tell", text[0].upper() + text[1:])
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
        said.append(_sizes_words(other))
    lone = len(comparison.table.keys) - len(comparison.keys)
    if lone:
        said.append(f"{count(lone, 'published row')} without counterpart")
    return f" ({'; '.join(said)})" if said else ""


def _sizes_words(other: GroupMeans) -> str:
    if other.sizes is None:
        return "group sizes unknown, so pooling is not tried"
    return f"groups of {joined([str(n) for n in other.sizes])} portraits as in {PPB_NAME}"


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
        yield Finding("Contradiction", about, "contradicts", f"{text}.")
    else:
        text += ": one unit of the last digit, an error of rounding or copying"
        yield Finding("Misprint in the last digit", about, "contradicts", f"{text}.")


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


# Overall accuracy and trends


def _overall(source: GroupMeans, reading_error: float) -> Iterator[Finding]:
    """Whether the overall accuracy of a figure is pooled or the mean over groups."""
    if not source.overall:
        return
    numbers = list(source.overall.values())
    values = [source.values(key, reading_error) for key in source.overall]
    widened = [
        GroupValues(v.recall, v.error + max(n.half, reading_error) / 100, v.sizes)
        for n, v in zip(numbers, values, strict=True)
    ]
    readings = forensics.mean_fits(numbers, widened)
    rows, known = count(len(numbers), "row"), _sizes_words(source)
    best = [reading for reading in readings if reading.rank == readings[0].rank]
    fits = "; ".join(f"{_mean_words(r.definition)} {r.fitting}" for r in readings)
    if 2 * best[0].fitting <= len(numbers):
        result: Result = "contradicts"
        text = f"Neither definition gives most of the {rows} of 'overall': {fits} ({known})."
    elif len(best) > 1 or len(readings) == 1:
        result = "cannot tell"
        text = f"Rows of 'overall' that fit, of {len(numbers)}: {fits} ({known})."
    else:
        result = "fits"
        text = (
            f"'overall' is the {_mean_words(best[0].definition)} in {best[0].fitting} of {rows} "
            f"({known}); {_mean_words(readings[1].definition)} in {readings[1].fitting}."
        )
    yield Finding("Overall accuracy", source.title, result, text)


def _series(keys: Sequence[Key], title: str) -> Iterator[tuple[list[Key], str]]:
    """Series of arms with one name, by decreasing alpha, after the arm without resampling."""
    plain = [key for key in keys if key.alpha == math.inf]
    words = dict.fromkeys(key.word for key in keys if key.resamples)
    for word in words:
        own = [key for key in keys if key.word == word and key.resamples]
        series = sorted(own, key=lambda key: -key.matched[1])
        series = [*(plain if len(plain) == 1 else []), *series]
        if len(series) > 2:
            yield series, f"{title}: {word}" if len(words) > 1 else title


def _trend(
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
