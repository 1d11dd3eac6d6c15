"""What a printed overall value is of its groups."""

from collections.abc import Iterator

from repro.analysis.audit.checks.finding import Finding, Result, mean_words, sizes_words
from repro.analysis.audit.reading.mean_files import GroupMeans
from repro.analysis.wording import count
from repro.stats import forensics
from repro.stats.forensics import GroupValues


def overall(source: GroupMeans, reading_error: float) -> Iterator[Finding]:
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
    rows, known = count(len(numbers), "row"), sizes_words(source)
    best = [reading for reading in readings if reading.rank == readings[0].rank]
    fits = "; ".join(f"{mean_words(r.definition)} {r.fitting}" for r in readings)
    if 2 * best[0].fitting <= len(numbers):
        result: Result = "contradicts"
        text = f"Neither definition gives most of the {rows} of 'overall': {fits} ({known})."
    elif len(best) > 1 or len(readings) == 1:
        result = "cannot tell"
        text = f"Rows of 'overall' that fit, of {len(numbers)}: {fits} ({known})."
    else:
        result = "fits"
        text = (
            f"'overall' is the {mean_words(best[0].definition)} in {best[0].fitting} of {rows} "
            f"({known}); {mean_words(readings[1].definition)} in {readings[1].fitting}."
        )
    yield Finding("Overall accuracy", source.title, result, text)
