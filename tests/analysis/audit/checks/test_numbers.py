"""Numbers that cannot be: each check of one table on tables built by hand."""

import numpy as np
import pytest
from published_tables import table

from repro.analysis.audit.checks import (
    copies,
    grim,
    grimmer,
    group_sizes,
    overall,
    rounding,
    swapped_digits,
    units,
    variance_definition,
)

PPB = {"darker_male": 318, "darker_female": 271, "lighter_male": 386, "lighter_female": 295}
GENDER_SHADES = {
    "darker_female": 271,
    "darker_male": 318,
    "lighter_female": 296,
    "lighter_male": 385,
}
SHADES = [  # error rates, Table 4: groups in the order above, then all
    ("Microsoft", "20.8 6.0 1.7 0.0", "6.3", "10.7 2.6 12.9 0.7"),
    ("Face++", "34.5 0.7 9.8 0.8", "10.0", "21.3 0.7 16.5 4.7"),
    ("IBM", "34.7 12.0 7.1 0.3", "12.1", "20.3 5.6 22.4 3.2"),
]
ALL = (
    units.findings,
    grim.findings,
    grimmer.findings,
    overall.findings,
    variance_definition.findings,
    copies.findings,
    swapped_digits.findings,
    rounding.findings,
    group_sizes.findings,
)
ACCUSING = {"impossible", "contradicts", "more than chance"}


def only(check, shown):
    """The one finding of a check."""
    (finding,) = check(shown)
    return finding


def shades():
    """Gender Shades, Table 4."""
    from dataclasses import replace

    from published_tables import cell

    rows = [
        (name, dict(zip(GENDER_SHADES, cells.split(), strict=True)), {"overall": every})
        for name, cells, every, _ in SHADES
    ]
    shown = table(rows, groups=GENDER_SHADES, replicates=1, measure="error")
    margins = [
        {name: cell(text) for name, text in zip(MARGINS, texts.split(), strict=True)}
        for *_, texts in SHADES
    ]
    return replace(
        shown,
        rows=tuple(replace(r, margins=m) for r, m in zip(shown.rows, margins, strict=True)),
    )


MARGINS = ("female", "male", "darker", "lighter")


def counted(counts, *, runs=1, ddof=0, digits=2, **more):
    """A table of six arms over PPB with these counts, its overall values pooled.

    Args:
        counts: Right portraits over all runs, shape (arms, 4).
        runs: Runs behind each mean.
        ddof: Of the printed variances.
        digits: Decimals.
        more: For `table`.
    """
    sizes = runs * np.array(list(PPB.values()))
    rows = []
    for arm, own in enumerate(np.asarray(counts)):
        shares = 100 * own / sizes
        cells = {g: f"{x:.{digits}f}" for g, x in zip(PPB, shares, strict=True)}
        every = f"{100 * own.sum() / sizes.sum():.{digits}f}"
        spread = f"{shares.var(ddof=ddof):.{digits}f}"
        rows.append([f"arm {arm}", cells, {"overall": every, "variance": spread}])
    return rows, {"groups": PPB, "replicates": runs, **more}


def drawn(seed=1, runs=1, **more):
    """Six honest arms."""
    generator = np.random.default_rng(seed)
    level = generator.uniform(0.75, 0.97, size=4)
    sizes = np.array(list(PPB.values()))
    return counted(generator.binomial(runs * sizes, level, size=(6, 4)), runs=runs, **more)


# GRIM


def test_four_cells_of_gender_shades_are_no_shares():
    """20.8, 34.5, .7 and 12.0; that eight are is evidence, too. Nobody is accused."""
    finding = only(grim.findings, shades())

    assert finding.result == "impossible"
    assert finding.text.startswith("4 of 12 shares are no shares of the stated portraits")
    for text in ("20.8 % in Microsoft", "34.5 % in Face++", "0.7 % in Face++", "12.0 % in IBM"):
        assert text in finding.text
    assert "8 are; of as many random numbers 3.8 would be. Other denominators?" in finding.text
    assert "made up" not in finding.text + finding.settle


def test_a_share_of_five_that_one_run_cannot_have():
    """16.8 % may be a mean over 25 runs, or of probabilities."""
    finding = only(
        grim.findings, table([(("a", "1"), {"x": "16.8", "y": "40.0"})], groups={"x": 5, "y": 5})
    )

    assert finding.result == "impossible"
    assert "A mean over 25 runs would be (16.8 % as 21 of 125)" in finding.text
    assert "a mean of probabilities, or over how many runs?" in finding.text


def test_without_the_number_of_runs_nothing_is_impossible():
    """The same table of means asks for the runs."""
    finding = only(
        grim.findings, table([("a", {"x": "16.8", "y": "40.0"})], groups={"x": 5, "y": 5})
    )

    assert finding.result == "cannot tell"
    assert finding.settle == "the number of runs behind each share: --runs N"


def test_without_sizes_nothing_is_possible_or_not():
    """They are asked for."""
    finding = only(grim.findings, table([("a", {"x": "16.8", "y": "40.0"})], replicates=1))

    assert (finding.result, finding.settle) == (
        "cannot tell",
        "the portraits of each group: --group NAME=N",
    )


def test_the_least_number_of_runs_that_fits_is_found():
    """Three, with the chance of all that were tried."""
    rows, said = drawn(runs=3)
    finding = only(grim.findings, table(rows, groups=said["groups"]))

    assert finding.result == "fits"
    assert "for 3 runs" in finding.text


def test_a_median_of_runs_is_no_mean():
    """17.5 % of 20 portraits is no median of three runs, but one of four: the middle of two."""
    texts = {"x": "17.50", "y": "50.00"}
    three, four = (
        only(
            grim.findings,
            table([("a", texts)], groups={"x": 20, "y": 20}, replicates=runs, average="median"),
        )
        for runs in (3, 4)
    )

    assert (three.result, four.result) == ("impossible", "fits")


def test_what_was_read_off_a_figure_is_not_judged():
    """An error of reading is larger than a portrait."""
    rows, said = drawn()
    rows[0][1]["darker_male"] = "91.20"
    finding = only(grim.findings, table(rows, **said, reading_error=0.3))

    assert finding.result == "cannot tell"


def test_a_mean_of_the_arms_is_no_share():
    """81.89 is the mean of shares of 6,000 in the rows above."""
    rows = [("a", {"x": "81.88"}), ("b", {"x": "81.90"}), ("Mean", {"x": "81.89"})]
    finding = only(grim.findings, table(rows, groups={"x": 6000}, replicates=1))

    assert finding.text.startswith("All 2 shares are possible")


def test_a_share_beside_another_count_contradicts_it():
    """270 of 318 are 84.9 %."""
    from dataclasses import replace

    shown = table([(("a", "1"), {"x": "85.2 of 318", "y": "50.0 of 10"})])
    groups = {
        name: replace(share, detected=n)
        for (name, share), n in zip(shown.rows[0].groups.items(), (270, 5), strict=True)
    }
    shown = replace(shown, rows=(replace(shown.rows[0], groups=groups),))
    found = [f for f in grim.findings(shown) if f.result == "contradicts"]

    assert "85.2 % in a, run 1, x (line 2), but 270 of 318 are 84.91 %" in found[0].text


# Overall values and margins


def test_margins_of_gender_shades_that_no_rounding_mends():
    """Microsoft's female and male, Face++'s female and darker; none of IBM's."""
    found = [f for f in overall.findings(shades()) if f.result == "contradicts"]

    assert len(found) == 1
    assert found[0].text.startswith("4 of 12 margins do not follow from their parts")
    for text in (
        "female 10.7 in Microsoft (line 2), whose parts give 10.78 to 10.88",
        "male 2.6 in Microsoft",
        "female 21.3 in Face++ (line 3), whose parts give 21.56 to 21.66",
        "darker 16.5 in Face++ (line 3), whose parts give 16.20 to 16.30",
    ):
        assert text in found[0].text


def test_exchanged_overall_values_are_one_finding():
    """Both rows are named."""
    rows, said = drawn()
    rows[1][2]["overall"], rows[4][2]["overall"] = rows[4][2]["overall"], rows[1][2]["overall"]
    found = [f for f in overall.findings(table(rows, **said)) if f.result == "contradicts"]

    assert len(found) == 1
    assert found[0].about == "table.csv: arm 1 and arm 4"
    assert "exchanged" in found[0].text


def test_a_mean_over_groups_among_pooled_values_is_named():
    """In its row alone."""
    rows, said = drawn()
    mean = np.mean([float(text) for text in rows[2][1].values()])
    rows[2][2]["overall"] = f"{mean:.2f}"
    found = [f for f in overall.findings(table(rows, **said)) if f.result == "contradicts"]

    assert [f.about for f in found] == ["table.csv: arm 2"]
    assert "It is the mean over groups, other than in the rest of the table." in found[0].text


def test_an_overall_value_that_is_none_is_no_contradiction():
    """A score on other data need not be of these groups."""
    rows, said = drawn()
    for row in rows:
        row[2]["overall"] = "50.00"
    finding = only(overall.findings, table(rows, **said))

    assert finding.result == "cannot tell"


# Variance


@pytest.mark.parametrize("ddof", [0, 1])
def test_the_variance_of_a_table_is_told(ddof):
    """And a row that divides by another number is named."""
    rows, said = drawn(ddof=ddof)
    sample = float(rows[3][2]["variance"]) * (4 / 3 if ddof == 0 else 3 / 4)
    rows[3][2]["variance"] = f"{sample:.2f}"
    first, second = variance_definition.findings(table(rows, **said))

    assert (first.result, f"(ddof {ddof}) of the printed shares in 5 of 6 rows" in first.text) == (
        "fits",
        True,
    )
    assert (second.result, second.about) == ("contradicts", "table.csv: arm 3")
    assert f"(ddof {1 - ddof}), other than in the rest of the table" in second.text


def test_a_mean_of_single_runs_variances_is_no_contradiction():
    """It lies above the variance of the averages."""
    rows, said = drawn(runs=3)
    for row in rows:
        row[2]["variance"] = f"{1.1 * float(row[2]['variance']) + 1:.2f}"
    finding = only(variance_definition.findings, table(rows, **said))

    assert finding.result == "cannot tell"
    assert "means of single runs' variances" in finding.text


def test_ten_equal_groups_tell_which_variance_was_printed():
    """By the whole numbers behind a mean and a variance, without any group."""
    means = ["99.82", "99.80", "99.70", "99.77", "99.75"]
    variances = ["0.0875", "0.1083", "0.1217", "0.0950", "0.1275"]
    rows = [
        (f"arm {at}", {}, {"overall": mean, "variance": spread})
        for at, (mean, spread) in enumerate(zip(means, variances, strict=True))
    ]
    shown = table(rows, groups={f"group_{k}": 200 for k in range(10)}, replicates=3)
    finding = only(variance_definition.findings, shown)

    assert finding.result == "fits"
    assert "one reading in every row: the mean over runs of single runs' variances with ddof 0" in (
        finding.text
    )
    assert "0 as the variance of run-averaged groups with ddof 0" in finding.text


# Others


def test_swapped_digits_are_the_likely_cause():
    """One exchange mends overall value, variance and GRIM."""
    rows, said = drawn()
    text = rows[1][1]["darker_male"]
    assert text[1] != text[3]
    rows[1][1]["darker_male"] = text[0] + text[3] + "." + text[1] + text[4]
    finding = only(swapped_digits.findings, table(rows, **said))

    assert (finding.result, finding.about) == ("contradicts", "table.csv: arm 1")
    assert f"{text} for {rows[1][1]['darker_male']} in darker_male would mend all" in finding.text


def test_copied_runs_are_more_than_chance_gives():
    """Of five runs one stands twice."""
    generator = np.random.default_rng(2)
    counts = generator.binomial(list(PPB.values()), 0.9, size=(5, 4))
    counts[3] = counts[1]
    rows = [
        (("a", str(run)), {g: f"{k}/{n}" for (g, n), k in zip(PPB.items(), own, strict=True)})
        for run, own in enumerate(counts)
    ]
    finding = only(copies.findings, table(rows))

    assert finding.result == "more than chance"
    assert "a, run 1 (line 3) and a, run 3 (line 5)" in finding.text


def test_equal_runs_near_100_percent_are_chance():
    """Where nearly all is right, runs are often equal."""
    generator = np.random.default_rng(2)
    counts = generator.binomial(40, 0.99, size=(8, 2))
    rows = [
        (("a", str(run)), {"x": f"{own[0]}/40", "y": f"{own[1]}/40"})
        for run, own in enumerate(counts)
    ]

    assert only(copies.findings, table(rows)).result == "chance"


def test_truncated_shares_are_named_and_not_called_impossible():
    """All are shares, cut instead of rounded."""
    rows, said = drawn(digits=6)
    for row in rows:
        for group, text in row[1].items():
            row[1][group] = text[: text.index(".") + 3]
    shown = table(rows, **said)

    assert only(rounding.findings, shown).result == "contradicts"
    assert "are truncated" in only(rounding.findings, shown).text
    assert only(grim.findings, shown).result == "fits"
    assert not list(group_sizes.findings(shown))


def test_a_wrong_size_is_named_with_the_one_that_fits():
    """Five more are said than there were."""
    rows, said = drawn()
    said["groups"] = {**PPB, "lighter_male": 391}
    finding = only(group_sizes.findings, table(rows, **said))

    assert (finding.result, finding.about) == ("impossible", "table.csv: lighter_male")
    assert "for 386 all would be possible" in finding.text


@pytest.mark.parametrize(
    ("share", "result"), [("0.9120", "contradicts"), ("9120", "impossible"), ("1.2", None)]
)
def test_a_share_in_another_unit(share, result):
    """A fraction among percent, percent among fractions; a low share is only low."""
    rows, said = drawn()
    rows[0][1]["darker_male"] = share

    assert [f.result for f in units.findings(table(rows, **said))] == ([result] if result else [])


def test_low_error_rates_are_no_fractions():
    """Gender Shades has .7 and .0 beside 34.5."""
    assert not list(units.findings(shades()))


def spread_table(kind, stated):
    """Means over three runs with ±."""
    generator = np.random.default_rng(4)
    rows = []
    for arm in range(6):
        cells = {}
        for group, n in PPB.items():
            shares = 100 * generator.binomial(n, 0.9, size=3) / n
            error = shares.std(ddof=1) / (3**0.5 if kind == "sem" else 1)
            cells[group] = f"{shares.mean():.2f} ± {error:.2f}"
        rows.append((f"arm {arm}", cells))
    return table(rows, groups=PPB, replicates=3, spread=stated)


def test_a_standard_error_stated_as_deviation_is_found():
    """Counts allow only one of the two."""
    finding = only(grimmer.findings, spread_table("sem", "sd"))

    assert (finding.check, finding.result) == ("Spread", "contradicts")
    assert "the standard error of the mean" in finding.text


@pytest.mark.parametrize("kind", ["sd", "sem"])
def test_a_true_statement_fits(kind):
    """GRIMMER in every cell."""
    finding = only(grimmer.findings, spread_table(kind, kind))

    assert (finding.check, finding.result) == ("GRIMMER", "fits")


def test_what_plus_minus_is_may_be_told_or_asked():
    """Of three runs a deviation is told by the counts."""
    finding = only(grimmer.findings, spread_table("sd", None))

    assert finding.result == "fits"
    assert finding.text.startswith("± is the standard deviation over runs.")


@pytest.mark.parametrize("runs", [1, 3, 5])
@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("digits", [0, 1, 2])
def test_an_honest_table_is_never_impossible_under_its_own_definition(runs, ddof, digits):
    """With any digits, any ddof, any number of runs; stated or not."""
    for seed in range(8):
        rows, said = drawn(seed, runs=runs, ddof=ddof, digits=digits)
        for more in (said, {"groups": PPB}, {"replicates": runs}, {}):
            shown = table(rows, **more)
            found = [f for check in ALL for f in check(shown) if f.result in ACCUSING]

            assert not found


POOLED = [  # over 318, 271, 386 and 295, which nobody says
    ("a", {"p": "84.9", "q": "95.6", "r": "98.4", "s": "99.3"}, {"overall": "94.6"}),
    ("b", {"p": "85.8", "q": "97.0", "r": "97.2", "s": "99.3"}, {"overall": "94.8"}),
    ("c", {"p": "81.1", "q": "94.1", "r": "90.7", "s": "94.2"}, {"overall": "89.8"}),
    ("d", {"p": "89.3", "q": "95.6", "r": "99.0", "s": "100.0"}, {"overall": "96.1"}),
    ("e", {"p": "90.3", "q": "97.8", "r": "99.0", "s": "99.7"}, {"overall": "96.7"}),
    ("f", {"p": "88.7", "q": "94.8", "r": "97.7", "s": "100.0"}, {"overall": "95.4"}),
]


def test_rows_that_some_sizes_would_explain_are_not_accused():
    """Four of six are near the mean over groups, too."""
    shown = table(POOLED)
    (finding,) = overall.findings(shown)

    assert finding.result == "cannot tell"
    assert "the mean over groups in 4" in finding.text
    assert not list(swapped_digits.findings(shown))


def test_a_variance_that_coarse_shares_cannot_tell_from_a_mean_over_runs_is_not_accused():
    """Equal averages, and runs that differ: 10.44, beside rows whose rounding hides as much."""
    numbers = [("75", "92", "155.62"), ("91", "91", "10.44"), ("82", "92", "47.60")]
    numbers += [("78", "84", "23.70"), ("85", "91", "18.97"), ("75", "88", "87.75")]
    rows = [(f"a{i}", {"x": x, "y": y}, {"variance": v}) for i, (x, y, v) in enumerate(numbers)]
    found = [one.result for one in variance_definition.findings(table(rows))]

    assert "contradicts" not in found
    assert found
