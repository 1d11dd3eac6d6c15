"""The drawn tables that the audit is tried on: honest ones are honest, an error is one error."""

import csv
import io
from fractions import Fraction

import numpy as np
import pytest
import yaml
from printed_tables.designs import any_design, usual
from printed_tables.errors import KINDS, equal_runs_by_chance, plant
from printed_tables.files import Look, any_look, text, write
from printed_tables.oracles import can_be_sd, is_share, overall_fits, variance_fits
from printed_tables.tables import BEHIND, OVERALL, VARIANCE, Design, draw, number_text, printed

TWO = Design(arms=1, sizes=(10, 30), runs=2, spread="sd", ddof=1)
COUNTS = np.array([[[8, 15], [9, 18]]])


def drawn(kind, count=12):
    """Tables with this error."""
    return [plant(kind, np.random.default_rng([5, at])) for at in range(count)]


def honest(count=60):
    """Tables of all sorts."""
    for at in range(count):
        generator = np.random.default_rng([6, at])
        yield draw(any_design(generator), generator)


def test_a_table_worked_by_hand():
    """Two runs of two groups: .8 and .9 of ten, .5 and .6 of thirty."""
    (row,) = printed(TWO, COUNTS).rows

    assert row.texts == {
        "male": "85.00",
        "male ±": "7.07",  # of 80 and 90
        "female": "55.00",
        "female ±": "7.07",
        OVERALL: "62.50",  # 23 and 27 of 40
        VARIANCE: "450.00",  # of 85 and 55, over 1
    }


@pytest.mark.parametrize(
    ("change", "column", "text"),
    [
        ({"overall": "groups"}, OVERALL, "70.00"),
        ({"keep": 1, "spread": None}, "male", "90.00"),
        ({"ddof": 0}, VARIANCE, "225.00"),
        ({"spread": "sem"}, "male" + BEHIND, "5.00"),
        ({"unit": "fraction"}, "male", "0.8500"),
        ({"unit": "fraction"}, VARIANCE, "0.045000"),
        ({"unit": "fraction"}, "male" + BEHIND, "0.0707"),
        ({"decimals": 0}, OVERALL, "63"),
        ({"decimals": 0, "rounding": "half even"}, OVERALL, "62"),
        ({"decimals": 0, "rounding": "truncated"}, OVERALL, "62"),
        ({"zeros": False}, OVERALL, "62.5"),
        ({"decimals": None, "spread": None}, OVERALL, "62.5"),
        ({"average": "median", "keep": None}, "male", "85.00"),
        ({"variance_of": "runs"}, VARIANCE, "450.00"),  # of each run (30 points)
    ],
)
def test_each_choice_changes_what_is_printed(change, column, text):
    """By hand, from the same counts."""
    (row,) = printed(Design(**{**vars(TWO), **change}), COUNTS).rows

    assert row.texts[column] == text


def test_a_median_over_runs_is_no_mean():
    """Of three runs the middle one."""
    design = Design(arms=1, sizes=(10, 30), runs=3, average="median", ddof=None)
    counts = np.array([[[8, 15], [9, 18], [2, 17]]])
    (row,) = printed(design, counts).rows

    assert (row.texts["male"], row.texts["female"]) == ("80.00", "56.67")
    assert row.texts[OVERALL] == "57.50"  # of 23, 27 and 19 of 40


@pytest.mark.parametrize(
    ("mode", "text"), [("half up", "98.11"), ("half even", "98.10"), ("truncated", "98.10")]
)
def test_a_tie_is_rounded_as_said(mode, text):
    """98.105 lies in the middle."""
    assert number_text(Fraction("98.105"), 2, mode) == text


def test_every_share_of_an_honest_table_is_one():
    """In every unit, with any decimals; a median is a share of twice the runs."""
    for table in honest():
        design = table.design
        median_of = 1 if design.averaged % 2 else 2
        runs = design.averaged if design.average == "mean" else median_of
        if design.cells == "shares":
            for row in table.rows:
                for group, n in zip(table.groups, design.sizes, strict=True):
                    assert is_share(row.texts[group], n * runs, design.unit)


def test_every_overall_and_variance_of_an_honest_table_is_of_its_groups():
    """Of means; what is averaged otherwise need not be."""
    tried = 0
    for table in honest():
        design = table.design
        if design.average == "median":
            continue
        for row in table.rows:
            if design.overall:
                assert overall_fits(design, row, table.groups, design.overall)
            if design.ddof is not None and design.variance_of == "averages":
                assert variance_fits(design, row, table.groups, design.ddof)
                tried += 1
    assert tried > 50


def test_every_sd_of_an_honest_table_is_possible():
    """Of so many counts."""
    design = usual(np.random.default_rng(1), spread="sd", runs=3)
    table = draw(design, np.random.default_rng(2))

    assert all(
        can_be_sd(row.texts[group], row.texts[group + BEHIND], n, 3, "percent")
        for row in table.rows
        for group, n in zip(table.groups, design.sizes, strict=True)
    )


def test_the_oracles_agree_with_published_examples():
    """GRIM: Gender Shades, Table 4. GRIMMER: means of whole numbers, here of hundred portraits."""
    assert not is_share("20.8", 271, "percent")
    assert not is_share("12.0", 318, "percent")
    assert is_share("34.7", 271, "percent")
    assert is_share("16.8", 5 * 25, "percent")
    assert not is_share("16.8", 5, "percent")
    assert not can_be_sd("5.23", "2.55", 100, 35, "percent")  # the sum and its squares: parity
    assert can_be_sd("4.74", "6.55", 100, 31, "percent")


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_table_differs_from_its_twin_in_one_thing(kind):
    """What is printed or what is said, never both; and the error is there."""
    for planted in drawn(kind):
        table, twin = planted.table, planted.twin
        changed = table.changed(twin)
        said = [
            getattr(table, name) != getattr(twin, name)
            for name in ("stated", "stated_unit", "stated_spread")
        ]
        rows, columns = {at for at, _ in changed}, {column for _, column in changed}
        groups = set(table.groups)
        expected = {
            "swapped digits": len(changed) == 1 and columns <= groups,
            "wrong ddof": len(changed) <= 1 and columns <= {VARIANCE},
            "copied run": len(rows) == 1 and columns <= groups,
            "wrong n": not changed and said == [True, False, False],
            "mean over groups for pooled": len(changed) <= 1 and columns <= {OVERALL},
            "truncated for rounded": len(rows) > 1,
            "misplaced overall": len(changed) in (0, 2) and columns <= {OVERALL},
            "percent for fraction": len(rows) == 1 or len(rows) == len(table.rows),
            "SEM printed as sd": all(c.endswith(BEHIND) for c in columns) and len(changed) > 12,
            "impossible share": len(changed) == 1 and columns <= groups,
        }
        assert expected[kind]
        assert kind == "wrong n" or not any(said[:1])


def test_swapped_digits_are_the_same_digits():
    """In another order."""
    for planted in drawn("swapped digits"):
        ((at, column),) = planted.table.changed(planted.twin)
        texts = [one.rows[at].texts[column] for one in (planted.table, planted.twin)]

        assert sorted(texts[0]) == sorted(texts[1])
        assert texts[0].index(".") == texts[1].index(".")


def test_what_nobody_can_see_is_not_asked_for():
    """An overall that is printed alike; equal runs that chance gives."""
    macro = [p for p in drawn("mean over groups for pooled", 60) if not p.table.changed(p.twin)]
    alike = [p for p in drawn("misplaced overall", 300) if not p.table.changed(p.twin)]
    high = draw(Design(runs=5, level="high", sizes=(50,) * 4, shared=0.9), np.random.default_rng(3))

    assert macro
    assert not any(planted.detectable for planted in [*macro, *alike])
    assert equal_runs_by_chance(high) > 0.001


@pytest.mark.parametrize("kind", KINDS)
def test_most_planted_errors_can_be_seen(kind):
    """Otherwise a rate of found ones says nothing."""
    assert sum(planted.detectable for planted in drawn(kind, 40)) >= 25


def test_a_file_holds_what_the_table_does(tmp_path):
    """Text for text, and beside it what is said."""
    design = Design(arms=2, sizes=(10, 30), runs=3, keep=2, spread="sem", series=True)
    table = draw(design, np.random.default_rng(4))
    path = write(table, tmp_path, Look(inline=False))
    header, *rows = csv.reader(io.StringIO(path.read_text()))

    assert header == [
        *("arm", "alpha", "male", "male_sem", "female", "female_sem", "overall", "variance")
    ]
    assert [row[2:] for row in rows] == [list(row.texts.values()) for row in table.rows]
    assert [row[:2] for row in rows] == [["No debias", ""], ["resampled", "0.1"]]
    assert yaml.safe_load(path.with_suffix(".yaml").read_text()) == {
        "unit": "percent",
        "replicates": 3,
        "keep": 2,
        "spread": "sem",
        "groups": {"male": 10, "female": 30},
    }


def test_each_form_shows_all_numbers():
    """Under any look."""
    for at in range(40):
        generator = np.random.default_rng([7, at])
        design = any_design(generator)
        table, look = draw(design, generator), any_look(design, generator)
        shown = text(table, look)
        for row in table.rows:
            for number in row.texts.values():
                assert number.replace(".", "," if look.form == "semicolons" else ".") in shown


def test_the_same_seed_draws_the_same_table():
    """Text for text."""
    one, two = (next(honest(1)) for _ in range(2))

    assert one == two
