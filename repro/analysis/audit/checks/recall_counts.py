"""Whether printed means over all portraits can be of whole portraits, for some number of runs."""

from collections.abc import Sequence

from repro.analysis.audit.checks.comparison import Comparison
from repro.analysis.audit.checks.finding import CHANCE, Finding, percent
from repro.analysis.audit.reading.mean_files import PPB, PPB_NAME, Table
from repro.analysis.audit.reading.run_files import Runs
from repro.analysis.wording import count, joined
from repro.stats import grim as grim_test


def grim(table: Table, best: Sequence[Comparison], images: int | None) -> Finding:
    """Whether some number of runs can produce the published recalls."""
    portraits, known = _portraits(best, images)
    shares = [(recall, portraits) for recall in table.recall.values()]
    tried = grim_test.grim(shares)
    found = next((one for one in tried if one.all), None)
    chance = grim_test.chance_up_to(shares, found.runs) if found else 1.0
    rows = len(table.keys)
    if found and chance <= CHANCE:
        up_to = "" if found.runs == 1 else f" (for {found.runs} runs or fewer)"
        recalls = f"All {rows} published recalls are" if rows > 1 else "The published recall is"
        text = (
            f"{recalls} possible for {count(found.runs, 'run')} of "
            f"{count(portraits, 'portrait')}{known}, pooled; the probability of this for random "
            f"numbers{up_to} is {percent(chance)}. {_other_runs(tried, found, rows)}"
        )
        return Finding("GRIM", table.title, "fits", text)
    groups = any(c.settled(c.means) and c.means[0].definition.mean == "groups" for c in best)
    text = (
        f"For no number of runs of {count(portraits, 'portrait')}{known}, pooled, are all "
        f"published recalls possible, unless random numbers would be possible, too. "
        f"{_other_runs(tried, None, rows)} GRIM does not test means over groups"
    )
    text += ", which these are." if groups else ", which these may be."
    settle = "the portraits and runs behind each recall: --images N, --runs N"
    return Finding("GRIM", table.title, "cannot tell", text, settle)


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


def _other_runs(tried: Sequence[grim_test.Grim], found: grim_test.Grim | None, rows: int) -> str:
    """The results for the other numbers of runs, in a sentence."""
    short = [one for one in tried if not one.all]
    every = [one for one in tried if one.all and one is not found]
    some = ", ".join(f"{sum(one.fitting)} for {one.runs}" for one in short)
    said = [f"possible rows of {rows} for other numbers of runs: {some}"] if some else []
    if every:
        each = [percent(one.chance) for one in every]
        chances = joined(each if len(set(each)) > 1 else each[:1])
        runs = joined([str(one.runs) for one in every])
        said.append(f"all for {runs} runs, with probability {chances} for random numbers")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""
