"""The shipped published values agree with the counts behind them."""

from fractions import Fraction

import pytest
from places import ROOT

from repro.errors import StudyError
from repro.stats.disparity import DEFINITIONS
from repro.study import published
from repro.study.study_files import known_published

FOLDER = ROOT / "studies/published"
FILES = {name: published.read(FOLDER / f"{name}.yaml") for name in known_published(FOLDER)}
PRINTED = {22.43: 22.42}  # 22.4278 in the counts; Table 3 cuts it off


def counts(row, source):
    """Detected portraits of each group over the kept runs; None if the groups are no such counts.

    Two decimals of percent tell every count of fewer than 5,000 portraits; one decimal does not.
    """
    found = {}
    for group, percent in (row.groups or {}).items():
        trials = source.keep * source.protocol.groups[group]
        found[group] = Fraction(round(percent / 100 * trials), trials)
        decimals = max(2, len(str(percent).partition(".")[2]))
        if round(float(100 * found[group]), decimals) != percent:
            return None
    return found if set(found) == set(source.protocol.groups) else None


COUNTED = [
    pytest.param(row, source, id=f"{name}: {row.arm}")
    for name, source in FILES.items()
    for row in source.rows
    if counts(row, source) and (row.recall or row.variance)
]


def test_the_files_with_counts_are_known():
    """Values that were read off a figure, or have one decimal, are no counts."""
    named = {param.id.partition(":")[0] for param in COUNTED}

    assert named == {
        *(
            f"dehaan2020_{name}"
            for name in ("all", "choices", "reductions", "resampling", "table3")
        ),
        "fijen2020_results",
    }
    assert len(COUNTED) == 11 + 4 + 4 + 2 + 5 + 9


@pytest.mark.parametrize(("row", "source"), COUNTED)
def test_a_published_recall_is_that_of_the_counts(row, source):
    """Detected portraits over all portraits of the kept runs, rounded as printed."""
    sizes = source.protocol.groups
    found = counts(row, source)
    recall = sum(found[group] * n for group, n in sizes.items()) / sum(sizes.values())

    assert DEFINITIONS[source.definition].mean == "pooled"
    assert row.recall == round(float(100 * recall), source.decimals)


@pytest.mark.parametrize(
    ("row", "source"),
    [one for one in COUNTED if DEFINITIONS[one.values[1].definition].runs == "first"],
)
def test_a_published_variance_is_that_of_the_counts(row, source):
    """Of the groups' averages over the kept runs."""
    shares = list(counts(row, source).values())
    mean = sum(shares) / len(shares)
    ddof = DEFINITIONS[source.definition].ddof
    variance = sum((share - mean) ** 2 for share in shares) / (len(shares) - ddof)
    rounded = round(float(10_000 * variance), source.decimals)

    assert row.variance == PRINTED.get(rounded, rounded)


@pytest.mark.parametrize(
    ("name", "source"), [(name, source) for name, source in FILES.items() if source.part_of]
)
def test_a_file_for_one_study_has_the_numbers_of_the_whole_one(name, source):
    """An audit reads them once."""
    numbers = [(row.recall, row.variance, row.groups) for row in FILES[source.part_of].rows]

    assert all((row.recall, row.variance, row.groups) in numbers for row in source.rows)


def test_a_description_of_a_table_is_no_source_of_a_study():
    """It has no protocol that could be the same."""
    with pytest.raises(StudyError, match="describes a table for repro audit"):
        published.read(FOLDER / "gendershades2018_table4.yaml")


def test_an_index_stores_no_word_that_only_audits_read():
    """So that what earlier releases wrote and read stays as it is."""
    stored = FILES["amini2019_table1"].compared

    assert set(stored) == {
        *("source", "printed", "definition", "replicates", "keep", "decimals", "protocol", "rows"),
    }
