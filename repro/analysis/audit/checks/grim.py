"""Whether printed shares are shares of whole portraits, per group and per run (GRIM)."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from repro.analysis.audit.checks.finding import CHANCE, Finding, percent
from repro.analysis.audit.checks.printed_shares import (
    RUNS,
    SIZES,
    PrintedShare,
    is_number,
    listed,
    place,
    reading_error,
    runs_behind,
    shares_of,
)
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.wording import count, joined
from repro.stats import grim as test
from repro.stats.forensics import Printed, Rounding
from repro.stats.rounding_modes import MODES, shortening

WORDS: dict[Rounding, str] = {"truncated": "truncated", "ceiling": "rounded up"}
LEAST = 5  # shares with known counts, to name how they were shortened
DENOMINATORS = (
    "the portraits behind each of these shares (some may have been left out), and whether they are "
    "shares at all or means of probabilities"
)


def findings(table: PublishedTable) -> Iterator[Finding]:
    """GRIM on the shares of groups, or on those of all portraits where no groups are printed."""
    yield from _counts_and_shares(table)
    shares = [*shares_of(table), *_overall(table)]
    sized = [share for share in shares if share.n is not None]
    if shares and not sized:
        text = "Which shares are possible depends on the portraits of each group."
        yield Finding("GRIM", table.title, "cannot tell", text, SIZES)
    known = [share for share in sized if share.runs is not None]
    if known:
        yield _known(table, known)
    unknown = [share for share in sized if share.runs is None]
    if unknown:
        yield _unknown(table, unknown)


def _overall(table: PublishedTable) -> list[PrintedShare]:
    """Shares over all portraits, pooled, where the printed groups are not all of them."""
    if any(row.variance is not None for row in table.rows):
        return []  # printed means and variances are set against the runs of other files
    known = sum(table.description.groups.values())
    every = table.description.images or known or None
    if table.groups and not (every and 0 < known < every):
        return []  # the groups tell what the overall value is, or nothing does
    more = ("overall",) if table.groups else ()
    return [
        PrintedShare(
            row, "", place(row, *more), row.overall.value, row.n or every, runs_behind(table, row)
        )
        for row in table.rows
        if row.overall is not None and is_number(row.overall) and row.overall.value is not None
    ]


def trials(table: PublishedTable, share: PrintedShare) -> int:
    """Portraits over all runs of a share whose n and runs are known."""
    assert share.n is not None
    assert share.runs is not None
    return test.trials(share.n, share.runs, median=table.description.average == "median")


# The number of runs is known


def _known(table: PublishedTable, shares: Sequence[PrintedShare]) -> Finding:
    """Each share against its n; what is truncated is left to the check of rounding."""
    error = reading_error(table)
    sized = [(share.printed, trials(table, share)) for share in shares]
    fits = [bool(test.whole_counts(printed, n, error=error)) for printed, n in sized]
    found = shortening(sized)
    for mode in MODES[1:]:
        if not all(fits) and not error and found.all(mode) and found.cells >= LEAST:
            return _possible(
                table, shares, sized, f", {mode if mode == 'truncated' else 'rounded up'}"
            )
    if all(fits):
        return _possible(table, shares, sized, "", error=error)
    return _impossible(table, shares, sized, fits)


def _possible(
    table: PublishedTable,
    shares: Sequence[PrintedShare],
    sized: Sequence[tuple[Printed, int]],
    how: str,
    error: Fraction = Fraction(0),
) -> Finding:
    """All are shares; whether that says something."""
    kinds = [(n, printed.decimals) for printed, n in sized]
    tried = len(MODES) if how else 1
    chance = 1.0 if error else min(1.0, tried * test.chance_of_shares(kinds))
    text = (
        f"{_every(len(shares))} of the stated portraits{_over(table, shares)}{how}; "
        f"the probability of this for random numbers is {percent(chance)}."
    )
    if chance <= CHANCE:
        return Finding("GRIM", table.title, "fits", text)
    text += " With so many portraits and so few digits nearly every number is possible."
    settle = "the shares with more decimals, or the counts"
    return Finding("GRIM", table.title, "cannot tell", text, settle)


def _every(number: int) -> str:
    return f"All {number:,} shares are possible" if number > 1 else "The share is possible"


def _over(table: PublishedTable, shares: Sequence[PrintedShare]) -> str:
    """The average that the shares are, in words."""
    runs = sorted({share.runs for share in shares if share.runs is not None})
    if runs == [1]:
        return " in one run"
    kind = "medians" if table.description.average == "median" else "means"
    return f" as {kind} over {joined([str(r) for r in runs], 'or')} runs"


def _impossible(
    table: PublishedTable,
    shares: Sequence[PrintedShare],
    sized: Sequence[tuple[Printed, int]],
    fits: Sequence[bool],
) -> Finding:
    """Name the shares that no count gives."""
    chances = [test.chance_of_shares([(n, printed.decimals)]) for printed, n in sized]
    wrong = [at for at, fit in enumerate(fits) if not fit]
    named = [
        f"{shares[at].printed} % in {shares[at].where} ({_neighbours(*sized[at])})" for at in wrong
    ]
    are = "is no share" if len(wrong) == 1 else "are no shares"
    text = (
        f"{len(wrong):,} of {count(len(shares), 'share')} {are} of the stated portraits"
        f"{_over(table, shares)}: {listed(named)}."
    )
    if sum(fits) > 1:
        text += f" {sum(fits):,} are; of as many random numbers {sum(chances):.1f} would be."
    text += f" {_question([shares[at] for at in wrong])}"
    settle = f"{DENOMINATORS}; {RUNS}"
    return Finding("GRIM", table.title, "impossible", text, settle)


def _neighbours(printed: Printed, n: int) -> str:
    """The counts next to a share that is none, and how their shares are printed."""
    below = int(Fraction(printed.value) * n / 100)
    counts = [k for k in (below, below + 1) if k <= n]
    shares = [f"{float(Fraction(100 * k, n)):.{printed.decimals}f}" for k in counts]
    shown = [f"{k:,} print as {share}" for k, share in zip(counts, shares, strict=True)]
    return f"of {n:,} portraits {joined(shown)}"


def _question(wrong: Sequence[PrintedShare]) -> str:
    """What else they may be."""
    if any(share.runs is not None and share.row.run is None for share in wrong):
        return "Other denominators?"
    runs, share = _runs_for(wrong), wrong[0]
    if runs is None or share.n is None:
        return "Other denominators? Or means of probabilities, or over how many runs?"
    every = runs * share.n
    (k, *_) = test.whole_counts(share.printed, every)
    return (
        f"A mean over {runs} runs would be ({share.printed} % as {k:,} of {every:,}): a mean of "
        "probabilities, or over how many runs? Other denominators?"
    )


def _runs_for(wrong: Sequence[PrintedShare], most: int = 100) -> int | None:
    """A number of runs that would make all possible; of one share the one that gives it exactly."""
    sized = [(share.printed, share.n) for share in wrong if share.n is not None]
    if len(sized) == 1:
        printed, n = sized[0]
        exact = (Fraction(printed.value) * n / 100).denominator
        if exact <= most:
            return exact
    for runs in range(2, most + 1):
        if any(runs * n >= 100 * 10**printed.decimals for printed, n in sized):
            return None  # nearly every number would be possible
        if all(test.whole_counts(printed, runs * n) for printed, n in sized):
            return runs
    return None


# The number of runs is unknown


def _unknown(table: PublishedTable, shares: Sequence[PrintedShare]) -> Finding:
    """The least number of runs that makes all possible."""
    sized = [(share.printed, share.n) for share in shares if share.n is not None]
    median = table.description.average == "median"
    numbers = [1, 2] if median else range(1, test.MOST_RUNS + 1)
    tried = test.grim(sized, numbers)
    found = next((one for one in tried if one.all), None)
    chance = test.chance_up_to(sized, found.runs) if found else 1.0
    short = [one for one in tried if not one.all]
    others = f"{joined([f'{sum(one.fitting):,}' for one in short])} for {_numbers(short)}"
    if found and chance <= CHANCE and not reading_error(table):
        runs = count(found.runs, "run") if not median else "medians of runs"
        less = f" Of other numbers: {others}." if short else ""
        text = (
            f"{_every(len(shares))} of the stated portraits for {runs}; the probability of this "
            f"for random numbers, all numbers of runs up to it tried, is {percent(chance)}.{less}"
        )
        return Finding("GRIM", table.title, "fits", text)
    text = (
        f"Which shares are possible depends on the number of runs. Of {len(shares):,}, possible are"
    )
    text = f"{text} {others}." if others else f"{text} all, for any number."
    wrong = [share for share, fit in zip(shares, tried[0].fitting, strict=True) if not fit]
    if 0 < len(wrong) <= 5 and not median:
        named = [f"{share.printed} % of {share.n:,} in {share.where}" for share in wrong]
        text += f" No shares in one run: {listed(named)}. {_question(wrong)}"
    return Finding("GRIM", table.title, "cannot tell", text, RUNS)


def _numbers(tried: Sequence[test.Grim]) -> str:
    """Numbers of runs in words."""
    numbers = [str(one.runs) for one in tried]
    return f"{joined(numbers)} {'run' if numbers == ['1'] else 'runs'}"


# Counts beside shares


def _counts_and_shares(table: PublishedTable) -> Iterator[Finding]:
    """A share that is printed beside its own count."""
    wrong, pairs = [], 0
    for row in table.rows:
        for group, share in row.groups.items():
            cell, detected = share.cell, share.detected
            if cell is None or cell.value is None or detected is None or not share.n:
                continue
            pairs += 1
            low, high = cell.value.interval(error=reading_error(table))
            exact = Fraction(100 * detected, share.n)
            if not low <= exact <= high:
                wrong.append(
                    f"{cell.value} % in {place(row, group)}, but {detected:,} of {share.n:,} are "
                    f"{float(exact):.{cell.value.decimals + 1}f} %"
                )
    if wrong:
        text = (
            f"{len(wrong):,} of {count(pairs, 'share')} contradict their counts: {listed(wrong)}."
        )
        settle = "which of the two is right: the share or the count"
        yield Finding("GRIM", table.title, "contradicts", text, settle)
