"""The reproduction's own counts, as records, must give the reproduction's own Table 3."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
from conftest import study_index

from repro import tables
from repro.metrics import Count
from repro.records import Record

RUNS = pd.read_csv(Path(__file__).parent / "data" / "dehaan2020_sum_runs.csv")
NAMES = {
    "no_debias": "No debias",
    0.1: "alpha = 0.1",
    0.05: "alpha = 0.05",
    0.01: "alpha = 0.01",
    0.001: "alpha = 0.001",
}


def published_records():
    """A record per published run, by arm."""
    runs = RUNS[RUNS.arm != "basic"]
    found = {name: [] for name in NAMES.values()}
    for (arm, alpha, run), rows in runs.groupby(["arm", "alpha", "run"], dropna=False):
        name = NAMES["no_debias" if arm == "no_debias" else alpha]
        counts = {row.group: Count(row.n, row.detected) for row in rows.itertuples()}
        key = f"{name}-{run}"
        found[name].append(Record(key=key, seed=run, configuration={}, data={}, groups=counts))
    return found


def study(records, *, keep=3, synthetic=False, published=None, **changes):
    """A study that wants the records, and the records by key."""
    index = study_index(
        {name: [record.key for record in rs] for name, rs in records.items()},
        variant="paper",
        profile="paper",
        synthetic=synthetic,
        select={"keep": keep, "by": "recall", "split": "test"},
        published=published,
        **changes,
    )
    by_key = {record.key: record for rs in records.values() for record in rs}
    return index, by_key


@pytest.mark.parametrize(
    ("arm", "recall", "variance"),
    [
        ("No debias", "92.39", "46.20"),
        ("alpha = 0.1", "91.78", "36.39"),
        ("alpha = 0.05", "90.76", "32.33"),
        ("alpha = 0.01", "90.52", "22.00"),
        ("alpha = 0.001", "85.22", "22.43"),  # the paper prints 22.42
    ],
)
def test_the_published_counts_give_table_3_to_the_digit(arm, recall, variance):
    """Pooled recall and population variance of run-averaged groups are the paper's definitions."""
    table = tables.frame(*study(published_records()), style="paper")

    assert table.loc[arm].tolist() == [recall, variance]


def test_the_latex_table_has_the_papers_columns():
    """Booktabs rules, the paper's two columns, one line per arm."""
    text = tables.render(*study(published_records()), form="latex", style="paper")

    assert r"& $E[A]$: Recall & $\mathrm{Var}[A]$: Measure of Bias \\" in text
    assert r"No debias & 92.39 & 46.20 \\" in text
    assert r"$\alpha$ = 0.001 & 85.22 & 22.43 \\" in text
    assert all(rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule"))


def test_the_csv_is_exact():
    """Plain cells and nothing else."""
    text = tables.render(*study(published_records()), form="csv", style="paper")

    assert text.splitlines()[:2] == [
        "Arm,E[A]: Recall,Var[A]: Measure of Bias",
        "No debias,92.39,46.20",
    ]


def test_the_best_runs_are_kept_by_recall():
    """Keeping 1 of 3 leaves the run with the largest pooled recall."""
    index, records = study(published_records(), keep=1)

    kept = tables.arm_result(index.arms[0], records, keep=1, by="recall").kept

    assert [record.seed for record in kept] == [1]  # 93.78 of 93.78, 91.65, 91.73


def with_failures(count):
    records = published_records()
    reason = {"epoch": 2, "term": "resampling weights", "reason": "underflow"}
    broken = [
        Record(key=f"f{i}", seed=9 + i, configuration={}, data={}, failure=reason)
        for i in range(count)
    ]
    records["No debias"] = records["No debias"][: 3 - count] + broken
    return study(records)


def test_an_arm_with_too_few_finished_runs_has_a_dash_and_the_reason():
    """A failed run stays in the denominator and is never ranked."""
    text = tables.render(*with_failures(1), form="markdown", style="full")

    assert "| No debias | — | — | 2/3 |" in text
    assert "No debias: 1 of 3 runs failed (resampling weights: underflow)." in text


def test_missing_runs_are_listed():
    """A table over an unfinished study says so."""
    index, records = study(published_records())
    del records["No debias-2"]

    assert "No debias: 1 of 3 runs have no record yet." in tables.notes(index, records)


def test_overrides_stand_in_the_caption():
    """Whoever reads the table sees what the command line changed."""
    index, _ = study(published_records(), overrides=["epochs=2"])

    assert "changed: epochs=2." in tables.caption(index)


PUBLISHED = {
    "source": "de Haan et al. (2020)",
    "printed": "Table 3",
    "rows": [{"arm": "No debias", "recall": 92.39, "variance": 46.20}],
}


def test_published_numbers_stand_beside_results_on_real_data():
    """The full table shows what was printed, where it was printed for the arm."""
    table = tables.frame(*study(published_records(), published=PUBLISHED), style="full")

    assert table["Published variance"].tolist() == ["46.20", "—", "—", "—", "—"]


def test_published_numbers_are_not_compared_with_synthetic_data():
    """Numbers from other data are no answer."""
    index, records = study(published_records(), published=PUBLISHED, synthetic=True)

    assert "Published variance" not in tables.frame(index, records, style="full")
    assert any("Not comparable" in note for note in tables.notes(index, records))


def test_group_names_are_whatever_the_data_says():
    """Groups are columns of the data, never names in the code."""
    counts = {"a": Count(10, 8), "b": Count(30, 30), "c": Count(10, 9)}
    record = Record(key="k", seed=0, configuration={}, data={}, groups=counts)
    table = tables.frame(*study({"x": [record]}, keep=1), style="full")

    assert table.loc["x", ["E[A]: Recall", "a", "b", "c", "Gap"]].tolist() == [
        "94.00",
        "80.00",
        "100.00",
        "90.00",
        "20.00",
    ]


def test_latex_escapes_what_it_must():
    """Names with special characters cannot break the document."""
    record = dataclasses.replace(published_records()["No debias"][0], key="k")
    text = tables.render(*study({r"50 % & a_b {x}": [record]}, keep=1), form="latex", style="paper")

    assert r"50 \% \& a\_b \{x\} & " in text


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (3, "are of all 3 runs."),
        (2, "are of the best 2 of 3 runs by recall on the test data, which flatters them."),
    ],
)
def test_the_selection_is_told(keep, words):
    """The footer says which runs stand behind the numbers."""
    assert words in tables.notes(*study(published_records(), keep=keep))[0]
