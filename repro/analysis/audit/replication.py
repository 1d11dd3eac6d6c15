"""Two studies of the same effect, theirs and ours: what one says of the other.

An effect is the recall or the variance of one arm, or what it has more than another arm. It comes
from single runs (a study, counts, predictions), from printed means with ± and a number of runs, or
is given. The standard error is that of new seeds; the same portraits are not drawn again.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from repro.analysis import arm_parts, operating_points
from repro.analysis.audit.reading.description import Description, Spread
from repro.analysis.audit.reading.published_table import PublishedTable, Row
from repro.analysis.outcomes import Arm, Outcomes
from repro.analysis.wording import count
from repro.errors import DataError
from repro.stats import intervals, replication, rounding
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import Interval
from repro.stats.replication import Effect
from repro.system.printing import one_line

Quantity = Literal["recall", "variance"]
SCALE = {"recall": 1e2, "variance": 1e4}  # to points, and percent squared
UNIT = {"recall": "points", "variance": "percent squared"}
SIGNIFICANT = 0.025  # one-sided, of the sceptical p-value
ONE_SIDED = 0.95
SEEN = 1.96  # z-value of theirs, below which it does not convince alone


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a source.

    Attributes:
        quantity: ``recall`` or ``variance``.
        arm: Its name there.
        less: The arm that is taken from it; None for the arm alone.
        definition: Of the mean and the variance, for single runs.
        error: Standard error of the effect, where the source does not give one.
        side: ``their`` or ``our``, for messages.
    """

    quantity: Quantity
    arm: str | None
    less: str | None
    definition: Definition
    error: float | None = None
    side: Literal["their", "our"] = "our"

    def __post_init__(self) -> None:
        """Two arms are two."""
        if self.arm is not None and self.arm == self.less:
            raise DataError(f"'{one_line(self.arm)}' less itself is no effect: name two arms")

    @property
    def lacking(self) -> str:
        """How to give a standard error that a source lacks."""
        return f"give the standard error of the effect: --{self.side}-se SE"

    @property
    def words(self) -> str:
        """The effect in words."""
        what = f"{self.quantity} of {self.arm}"
        return what if self.less is None else f"{what} less that of {self.less}"

    def name_in(self, source: str, names: Sequence[str], *, less: bool = False) -> str:
        """The arm as a source calls it; case and underscores make no difference.

        Raises:
            DataError: It is not named, or not there.
        """
        wanted = self.less if less else self.arm
        option = f"--{'their-' if self.side == 'their' else ''}{'less' if less else 'arm'}"
        if wanted is None:
            raise DataError(f"{source}: which arm? Name it, {option} ARM: {_listed(names)}")
        found = [name for name in names if name == wanted] or [
            name for name in names if _plain(name) == _plain(wanted)
        ]
        if len(found) != 1:
            raise DataError(
                f"{source}: no arm '{one_line(wanted)}' with results: name one, {option} ARM: "
                f"{_listed(names)}"
            )
        return found[0]


@dataclass(frozen=True, slots=True)
class Printed:
    """Printed means of a source."""

    name: str
    tables: tuple[PublishedTable, ...]


Source = Outcomes | Printed


@dataclass(frozen=True, slots=True)
class Side:
    """One study's effect.

    Attributes:
        source: Its name.
        what: The effect in words.
        effect: In points or percent squared.
        basis: What the standard error is made of.
    """

    source: str
    what: str
    effect: Effect
    basis: str

    @property
    def interval(self) -> Interval:
        """95 % interval of the effect."""
        return replication.interval(self.effect)


# The effect of a source


def definition_of(name: str | None, theirs: Source | None, ours: Source | None) -> Definition:
    """As named, else that of our study, else of theirs."""
    if name is not None:
        return DEFINITIONS[name]
    for one in (ours, theirs):
        if isinstance(one, Outcomes):
            return one.definition
    return DEFINITIONS["dehaan2020"]


def has_runs(source: Source | None) -> bool:
    """Whether its effect is computed from single runs."""
    return isinstance(source, Outcomes)


def of(source: Source, asked: Asked) -> Side:
    """The effect of a source: of single runs, or as printed.

    Raises:
        DataError: As for `of_outcomes` and `of_tables`.
    """
    if isinstance(source, Outcomes):
        return of_outcomes(source, asked)
    return of_tables(source.tables, source.name, asked)


def given(value: float, error: float, runs: int | None, name: str) -> Side:
    """An effect that a user states.

    Args:
        value: The effect, in points or percent squared.
        error: Its standard error.
        runs: Of each arm; None for the normal distribution.
        name: Of the source.

    Raises:
        DataError: The standard error is not above 0.
    """
    if not (math.isfinite(value) and math.isfinite(error) and error > 0):
        raise DataError(f"{name}: write an effect, and its standard error above 0")
    if runs is not None and runs < 2:
        raise DataError(f"{name}: a standard error takes at least 2 runs")
    degrees = math.inf if runs is None else 2.0 * (runs - 1)
    basis = "normal distribution" if runs is None else f"{runs} runs of each of two arms"
    return Side(name, "as given", Effect(value, error, degrees), basis)


def of_outcomes(outcomes: Outcomes, asked: Asked) -> Side:
    """The effect of single runs; of pairs where the arms share seeds.

    Raises:
        DataError: An arm is unknown, or its runs give no standard error.
    """
    name, known = outcomes.name, {one.name: one for one in outcomes.arms if one.runs}
    ours = known[asked.name_in(name, list(known))]
    if asked.less is None:
        words = replace(asked, arm=ours.name).words
        effect = _of_runs(name, words, [(ours, 1)], asked)
        return Side(name, words, effect, count(ours.runs, "run"))
    theirs = known[asked.name_in(name, list(known), less=True)]
    words = replace(asked, arm=ours.name, less=theirs.name).words
    if outcomes.paired and set(ours.seeds) & set(theirs.seeds):
        a, b = operating_points.paired(ours, theirs)
        effect = _of_runs(name, words, [(a, 1), (b, -1)], asked)
        return Side(name, words, effect, count(a.runs, "pair") + " of runs")
    one, other = (_of_runs(name, each.name, [(each, 1)], asked) for each in (ours, theirs))
    basis = f"{ours.runs} and {theirs.runs} runs, unpaired"
    return Side(name, words, replication.difference(other, one), basis)


def _of_runs(source: str, what: str, signed: Sequence[tuple[Arm, int]], asked: Asked) -> Effect:
    """The sum of arms' values with their signs, run by run.

    The spread of the runs' pseudo-values is that of the effect (Tukey's jackknife).
    """
    value, scale = 0.0, SCALE[asked.quantity]
    parts = []
    for arm, sign in signed:
        if asked.quantity == "variance" and not arm.can_differ:
            raise DataError(f"{source}: {arm.name} has a single group, so no variance")
        quantity = arm_parts.quantity_of(arm, asked.quantity, asked.definition)
        value += sign * float(quantity.value(arm.recall))
        parts.append(sign * quantity.pseudo_values(arm.recall))
    runs = len(parts[0])
    if asked.error is not None:
        return Effect(scale * value, asked.error, max(runs - 1, 1))
    if runs < 2:
        raise DataError(f"{source}: {what} is of a single run: {asked.lacking}")
    values = parts[0] if len(parts) == 1 else rounding.differences(parts[0], -parts[1])
    error = intervals.sd(values) / math.sqrt(runs)
    if not error > 0:
        raise DataError(f"{source}: {what} is the same in all runs: {asked.lacking}")
    return Effect(scale * value, scale * error, runs - 1)


def of_tables(tables: Sequence[PublishedTable], source: str, asked: Asked) -> Side:
    """The effect of printed means with ± and a number of runs.

    Raises:
        DataError: An arm is unknown; the table prints no such mean, no ± or does not say what it
            is or of how many runs.
    """
    rows = {
        row.arm.name: (row, table.description)
        for table in tables
        for row in table.rows
        if row.run is None
    }
    arm = asked.name_in(source, list(rows))
    basis, printed = _printed_runs(rows[arm][1]), asked
    if asked.error is not None and asked.less is not None:
        printed = replace(asked, error=asked.error / math.sqrt(2))  # of each, so that both have it
    one = _printed(source, arm, *rows[arm], printed)
    if asked.less is None:
        return Side(source, replace(asked, arm=arm).words, one, f"printed mean {basis}")
    less = asked.name_in(source, list(rows), less=True)
    other = _printed(source, less, *rows[less], printed)
    words = replace(asked, arm=arm, less=less).words
    effect = replication.difference(other, one)
    return Side(source, words, effect, f"printed means {basis}, unpaired")


def _printed_runs(said: Description) -> str:
    if said.averaged is None:
        return "of runs whose number is not said"
    if said.keep and said.replicates and said.keep < said.replicates:
        return f"of the best {said.keep} of {count(said.replicates, 'run')}"
    return f"of {count(said.averaged, 'run')}"


def _printed(source: str, arm: str, row: Row, said: Description, asked: Asked) -> Effect:
    cell = row.overall if asked.quantity == "recall" else row.variance
    if cell is None or cell.value is None:
        raise DataError(f"{source}: prints no {asked.quantity} of {arm} over all groups")
    value = float(cell.value)
    if asked.quantity == "recall" and said.measure == "error":
        value = 100 - value
    runs = said.averaged
    if asked.error is not None:
        return Effect(value, asked.error, runs - 1 if runs and runs > 1 else math.inf)
    if cell.error is None:
        raise DataError(
            f"{source}: prints no ± beside the {asked.quantity} of {arm}: {asked.lacking}"
        )
    if said.spread is None:
        raise DataError(f"{source}: does not say what ± is: --plus-minus sd, sem, ci95_t, ...")
    if runs is None:
        raise DataError(f"{source}: does not say of how many runs its means are: --runs N")
    error = float(cell.error) / _divisor(said.spread, runs)
    if runs < 2 or not error > 0:
        raise DataError(
            f"{source}: ± {cell.error} of {count(runs, 'run')} beside the {asked.quantity} of "
            f"{arm} is no standard error: {asked.lacking}"
        )
    return Effect(value, error, runs - 1)


def _divisor(spread: Spread, runs: int) -> float:
    """What is printed after ±, over the standard error."""
    divisors = {
        "sd": math.sqrt(runs),
        "sem": 1.0,
        "ci95_t": intervals.t_quantile(max(runs - 1, 1)),
        "ci95_normal": intervals.t_quantile(math.inf),
    }
    return divisors[spread]


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())


def _listed(names: Sequence[str]) -> str:
    return "; ".join(map(one_line, names)) or "no arm with results"


# What one says of the other


@dataclass(frozen=True, slots=True)
class Statement:
    """One measure of agreement.

    Attributes:
        value: NaN for an interval alone.
        interval: `NOWHERE` where there is none.
        text: One sentence that says what it means, with the size of the effect.
    """

    name: str
    value: float
    interval: Interval
    text: str


@dataclass(frozen=True, slots=True)
class Replication:
    """Theirs and ours.

    Attributes:
        quantity: Of the effect.
        is_effect: Whether it is a difference of arms, so that 0 is no effect.
        margin: Largest difference that does not matter; None if none was declared.
        definition: Of the mean and the variance of single runs; None if there are none.
    """

    quantity: Quantity
    is_effect: bool
    margin: float | None
    definition: Definition | None
    theirs: Side
    ours: Side

    @property
    def apart(self) -> Effect:
        """Ours less theirs."""
        return replication.difference(self.theirs.effect, self.ours.effect)

    def statements(self) -> Iterator[Statement]:
        """The measures, in the order in which they are told."""
        yield self._prediction()
        yield self._equivalence()
        if self.is_effect:
            yield self._sceptical()
            yield self._telescope()
            yield self._bayes()

    @property
    def _sizes(self) -> str:
        return f"theirs {self._number(self.theirs.effect.value)}, ours {self.size}"

    @property
    def size(self) -> str:
        """Our effect with its unit."""
        return f"{self._number(self.ours.effect.value)} {UNIT[self.quantity]}"

    def _number(self, value: float) -> str:
        return f"{value:+.2f}" if self.is_effect else f"{value:.2f}"

    def within(self, found: Interval) -> Interval:
        """The interval; of one arm only what a recall or a variance can be."""
        if self.is_effect:
            return found
        most = 100.0 if self.quantity == "recall" else math.inf
        return Interval(max(found.low, 0.0), min(found.high, most))

    def _ends(self, found: Interval) -> str:
        return f"[{self._number(found.low)}, {self._number(found.high)}]"

    def _prediction(self) -> Statement:
        found = self.within(replication.prediction_interval(self.theirs.effect, self.ours.effect))
        inside = self.ours.effect.value in found
        text = (
            f"Ours is {'' if inside else 'not '}what one would expect from theirs, the noise of "
            f"both included: {self.size} lies {'inside' if inside else 'outside'} "
            f"{self._ends(found)}."
        )
        return Statement("Prediction interval", self.theirs.effect.value, found, text)

    def _equivalence(self) -> Statement:
        apart, unit = self.apart, UNIT[self.quantity]
        ends = replication.interval(apart)
        told = f"Ours less theirs is {apart.value:+.2f} [{ends.low:+.2f}, {ends.high:+.2f}] {unit}"
        if self.margin is None:
            text = f"{told}; no margin was declared (--margin), so no word on equivalence."
            return Statement("Difference", apart.value, ends, text)
        word = replication.equivalent(self.theirs.effect, self.ours.effect, self.margin)
        said = {
            True: f"the two are equivalent: the interval lies within ±{self.margin:g}",
            False: f"the two differ by {self.margin:g} or more",
            None: f"cannot tell whether the two differ by less than {self.margin:g}",
        }[word]
        return Statement("Equivalence", apart.value, ends, f"{told}: {said}.")

    def sceptical_p(self, scale: replication.Scale = "golden") -> float:
        """One-sided, in the direction of theirs."""
        theirs, ours = self.theirs.effect, self.ours.effect
        ratio = (theirs.error / ours.error) ** 2
        return replication.sceptical_p(theirs.z, ours.z, ratio, scale=scale)

    def _sceptical(self) -> Statement:
        p = self.sceptical_p()
        if p <= SIGNIFICANT:
            said = (
                "replicated: the prior that would be needed to doubt the original is itself at "
                "odds with the replication"
            )
        elif self.theirs.effect.value * self.ours.effect.value < 0:
            said = "not shown to be replicated: our estimate is in the other direction"
        elif abs(self.theirs.effect.z) < SEEN:
            said = "not shown to be replicated: theirs alone is no more than noise may give"
        else:
            said = (
                "not shown to be replicated: a prior that makes the original doubtful is not at "
                "odds with the replication"
            )
        text = f"p = {p:.4g}, one-sided, {said} ({self._sizes})."
        return Statement("Sceptical p (golden)", p, intervals.NOWHERE, text)

    def _telescope(self) -> Statement:
        theirs, ours = self.theirs.effect, self.ours.effect
        seen = replication.smallest_seen(theirs)
        bound = replication.upper_bound(theirs, ours, level=ONE_SIDED)
        below = bound < seen
        text = (
            f"Theirs had a power of one third at an effect of {seen:.2f}; ours is at most "
            f"{bound:+.2f} in the direction of theirs (one-sided 95 %), so it is "
            f"{'too small' if below else 'not shown to be too small'} for their study to have "
            f"seen ({self._sizes})."
        )
        return Statement("Small telescopes", seen, intervals.NOWHERE, text)

    def _bayes(self) -> Statement:
        found = replication.bayes_factor(self.theirs.effect, self.ours.effect)
        for_theirs = found < 1
        times = 1 / found if for_theirs else found
        what = "their effect than for none" if for_theirs else "no effect than for theirs"
        text = f"Our data speak {_times(times)} times more for {what} ({self._sizes})."
        return Statement("Replication Bayes factor", found, intervals.NOWHERE, text)


def _times(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.3g}"
