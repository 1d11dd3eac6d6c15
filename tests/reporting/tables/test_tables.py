"""The reproduction's own counts, as records, must give the reproduction's own Table 3."""

import dataclasses

import pandas as pd
import pytest
from builders import study_index
from places import FILES

from repro.analysis import study_data
from repro.metrics import Count
from repro.records.records import Record
from repro.reporting.tables import output_formats, rendering, tables
from repro.reporting.tables.presentation import Presentation

RUNS = pd.read_csv(FILES / "dehaan2020_sum_runs.csv")
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
    """The outcomes of a study that wants these records."""
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
    return study_data.of_study(index, by_key, None)


def paper(found, **options):
    """The table of the paper's columns."""
    return tables.parts(found, style="paper", **options)[0].table


def whole(found, name="results", **options):
    """A table of the full style."""
    return tables.part(found, name, **options)


def text(found, *, form, style):
    """What the command prints."""
    return rendering.render(tables.parts(found, style=style), form=form, label=found.label)


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
    table = paper(study(published_records()))

    assert table.loc[arm].tolist() == [recall, variance]


@pytest.mark.parametrize(
    ("arm", "recall", "variance"),
    [
        ("No debias", "92.30", "61.60"),
        ("alpha = 0.1", "91.60", "48.52"),
        ("alpha = 0.05", "90.65", "43.10"),
        ("alpha = 0.01", "90.48", "29.33"),
        ("alpha = 0.001", "85.19", "29.90"),
    ],
)
def test_the_published_counts_can_be_restated_on_the_original_papers_scale(arm, recall, variance):
    """Mean over groups and sample variance, a third larger with four groups."""
    table = paper(study(published_records()), definition="amini2019")

    assert table.loc[arm].tolist() == [recall, variance]


def test_the_latex_table_has_the_papers_columns():
    """Booktabs rules, the paper's two columns, one line per arm."""
    printed = text(study(published_records()), form="latex", style="paper")

    assert r"& $E[A]$: Recall & $\mathrm{Var}[A]$: Measure of Bias \\" in printed
    assert r"No debias & 92.39 & 46.20 \\" in printed
    assert r"$\alpha$ = 0.001 & 85.22 & 22.43 \\" in printed
    assert all(rule in printed for rule in (r"\toprule", r"\midrule", r"\bottomrule"))


def test_the_csv_is_exact():
    """Names with units, numbers with every digit, and nothing else."""
    found = study(published_records())
    printed = output_formats.text(found, Presentation(form="csv", style="paper"))

    head, first, *_ = printed.splitlines()
    arm, *numbers = first.split(",")
    assert head == "arm,recall_percent,variance_percent_squared"
    assert (arm, [round(float(one), 2) for one in numbers]) == ("No debias", [92.39, 46.2])


def test_the_best_runs_are_kept_by_recall():
    """Keeping 1 of 3 leaves the run with the largest pooled recall."""
    arm = study(published_records(), keep=1).arms[0]

    assert [arm.seeds[i] for i in arm.kept(1)] == [1]  # 93.78 of 93.78, 91.65, 91.73


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
    part = whole(with_failures(1))

    row = part.table.loc["No debias"]
    assert (row["E[A]: Recall"], row["Runs with results"]) == ("—", "2/3 [20.77, 93.85]")
    assert "No debias: 1 of 3 runs (6 to 79 %) failed (resampling weights: underflow)." in (
        part.remarks
    )


def test_a_study_without_a_single_finished_run_still_prints():
    """Nothing to average is no reason for a traceback."""
    found = with_failures(3)
    only = dataclasses.replace(found, arms=found.arms[:1])

    assert [part.name for part in tables.parts(only, style="full")] == ["results"]
    printed = text(only, form="markdown", style="full")
    assert "| No debias | — | — | — | — | — | 0/3 [0.00, 56.15] |" in printed


def test_a_collapsed_run_is_counted_and_never_ranked():
    """A detector that says yes to everything has perfect recall and has learned nothing."""
    everything = {"a": Count(10, 10), "b": Count(10, 10)}
    records = [
        Record(
            key="k0", seed=0, configuration={}, data={}, groups=everything, nonfaces=Count(9, 9)
        ),
        Record(
            key="k1",
            seed=1,
            configuration={},
            data={},
            groups={"a": Count(10, 9), "b": Count(10, 8)},
            nonfaces=Count(9, 1),
        ),
    ]
    part = whole(study({"x": records}, keep=1))

    assert part.table.loc["x", "E[A]: Recall"] == "85.00"
    assert part.table.loc["x", "Runs with results"] == "1/2 [9.45, 90.55]"
    assert any("1 of 2 runs (9 to 91 %) collapsed" in remark for remark in part.remarks)


def test_missing_runs_are_listed():
    """A table over an unfinished study says so."""
    records = published_records()
    found = study(records)
    fewer = dataclasses.replace(found.arms[0].only((1, 3)), wanted=3)
    partial = dataclasses.replace(found, arms=(fewer, *found.arms[1:]))

    assert "No debias: 1 of 3 runs have no record yet." in whole(partial).remarks


def test_overrides_stand_in_the_caption():
    """Whoever reads the table sees what the command line changed."""
    part = tables.parts(study(published_records(), overrides=["epochs=2"]), style="paper")[0]

    assert "changed: epochs=2." in part.title


PUBLISHED = {
    "source": "de Haan et al. (2020)",
    "printed": "Table 3",
    "definition": "dehaan2020",
    "replicates": 5,
    "keep": 3,
    "protocol": {
        "groups": {
            "darker_female": 271,
            "darker_male": 318,
            "lighter_female": 295,
            "lighter_male": 386,
        },
        "configuration": {},
    },
    "rows": [{"arm": "No debias", "recall": 92.39, "variance": 46.20}],
    "margin": {"recall": 1.0, "variance": 10.0},
}


def test_published_numbers_stand_beside_results_on_real_data():
    """The full table shows what was printed, where it was printed for the arm."""
    table = whole(study(published_records(), published=PUBLISHED)).table

    assert table["Published variance"].tolist() == ["46.20", "—", "—", "—", "—"]


def test_published_numbers_are_restated_with_the_table():
    """On another definition's scale the variance is a third larger and recall is unknown."""
    found = study(published_records(), published=PUBLISHED)
    part = whole(found, definition="amini2019")

    row = part.table.loc["No debias"]
    assert (row["Published recall"], row["Published variance"]) == ("—", "61.60")
    assert any("from the definition dehaan2020 to amini2019" in remark for remark in part.remarks)


def test_published_numbers_are_not_compared_with_synthetic_data():
    """Numbers from other data are no answer."""
    found = study(published_records(), published=PUBLISHED, synthetic=True)
    part = whole(found)

    assert "Published variance" not in part.table
    assert any("Not comparable" in remark for remark in part.remarks)
    assert whole(found, "verdict").remarks == ["No verdict: the data are synthetic."]


def test_the_full_style_follows_the_order_of_trust():
    """Paper's column first, then what it leaves out."""
    columns = [
        list(whole(study(published_records()), name).table.columns)
        for name in ("results", "groups")
    ]

    assert columns == [
        [
            "E[A]: Recall",
            "Var[A]: Measure of Bias",
            "Recall, all runs",
            "Median [range]",
            "Recall of each run",
            "Runs with results",
        ],
        [
            "darker_male",
            "darker_female",
            "lighter_male",
            "lighter_female",
            "Variance",
            "Variance without noise",
            "Gap",
            "Worst group",
            "False positives",
        ],
    ]


def test_every_run_stands_in_the_table():
    """Three runs, in the order of their seeds, beside their mean and interval."""
    row = whole(study(published_records())).table.loc["No debias"]

    assert row["Recall of each run"] == "93.78 91.65 91.73"
    assert row["Recall, all runs"] == "92.39 [89.77, 95.01]"


def many(arms, runs, *, failed=0):
    """Arms of two groups of a hundred portraits; of each the first runs failed."""
    records = {}
    for arm in range(arms):
        ended = []
        for seed in range(runs):
            detected = 50 + (7 * seed + arm) % 50
            groups = {"a": Count(100, detected), "b": Count(100, detected)}
            failure = {"epoch": 1, "term": "loss", "reason": "nan"} if seed < failed else None
            ended.append(
                Record(
                    key=f"{arm}-{seed}",
                    seed=seed,
                    configuration={},
                    data={},
                    groups={} if failure else groups,
                    failure=failure,
                )
            )
        records[f"arm {arm}"] = ended
    return study(records, keep=1)


def test_very_many_runs_are_told_by_their_quartiles():
    """Recalls 50 to 99 %, each once: a line in place of as many numbers as there are runs."""
    cells = whole(many(1, 51)).table["Recall of each run"].tolist()

    assert cells == ["50.00 to 99.00, quartiles 61.50 74.00 86.50"]


@pytest.mark.parametrize(("arms", "told"), [(50, 50), (60, 11)])
def test_of_very_many_arms_the_first_are_told_and_the_others_counted(arms, told):
    """Each arm lacks a run; below a table nobody reads sixty sentences that say the same."""
    remarks = [r for r in whole(many(arms, 3, failed=1)).remarks if "failed" in r]

    assert len(remarks) == told
    assert remarks[-1] == (
        "50 more remarks of this kind; of all runs 60 failed, 0 collapsed, 0 have a collapsed "
        "posterior, 0 have no record yet."
        if arms == 60
        else "arm 49: 1 of 3 runs (6 to 79 %) failed (loss: nan)."
    )


def test_no_sentence_below_the_tables_names_sixty_arms():
    """Flattery, comparisons that pass, gains: the first ten and a number."""
    parts = tables.parts(many(60, 6), style="full")
    remarks = [remark for part in parts for remark in part.remarks]

    assert max(map(len, remarks)) < 1500
    assert any("arm 9 +" in remark and "and 50 more arms" in remark for remark in remarks)


def test_group_names_are_whatever_the_data_says():
    """Groups are columns of the data, never names in the code; one run has no interval."""
    counts = {"a": Count(10, 8), "b": Count(30, 30), "c": Count(10, 9)}
    record = Record(key="k", seed=0, configuration={}, data={}, groups=counts)
    table = whole(study({"x": [record]}, keep=1), "groups").table

    assert table.loc["x", ["a", "b", "c", "Gap", "Worst group"]].tolist() == [
        "80.00",
        "100.00",
        "90.00",
        "20.00",
        "a",
    ]


def test_arms_with_different_groups_share_a_table():
    """A group that an arm lacks is a dash there."""
    records = {
        name: [Record(key=name, seed=0, configuration={}, data={}, groups=groups)]
        for name, groups in (
            ("x", {"a": Count(10, 8), "b": Count(10, 9)}),
            ("y", {"a": Count(10, 8), "c": Count(10, 9)}),
        )
    }
    table = whole(study(records, keep=1), "groups").table

    assert (table.loc["y", "b"], table.loc["x", "c"]) == ("—", "—")


def test_latex_escapes_what_it_must():
    """Names with special characters cannot break the document."""
    record = dataclasses.replace(published_records()["No debias"][0], key="k")
    printed = text(study({r"50 % & a_b {x}": [record]}, keep=1), form="latex", style="paper")

    assert r"50 \% \& a\_b \{x\} & " in printed


def test_a_page_escapes_what_it_must():
    """Names with special characters cannot break the page, which needs no other file."""
    record = dataclasses.replace(published_records()["No debias"][0], key="k")
    page = text(study({"<script>&": [record]}, keep=1), form="html", style="full")

    assert "&lt;script&gt;&amp;" in page
    assert "<script" not in page
    assert "http" not in page


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (3, "are of all 3 runs,"),
        (
            2,
            "are of the best 2 of 3 runs by recall on the test data, a selection that biases them,",
        ),
    ],
)
def test_the_selection_is_told(keep, words):
    """The footer says which runs stand behind the numbers."""
    assert words in whole(study(published_records(), keep=keep)).remarks[0]


def test_the_same_outcomes_give_the_same_bytes():
    """What is simulated is simulated from fixed seeds."""
    once, twice = (text(study(published_records()), form="html", style="full") for _ in range(2))

    assert once == twice
