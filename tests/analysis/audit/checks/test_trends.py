"""Trends over alpha: a published figure by hand, single runs, no spread, honest tables."""

import math
from dataclasses import replace

import numpy as np
import pytest
from published_tables import table

from repro.analysis.audit.checks import trends
from repro.analysis.audit.reading.arm_keys import Key

ALPHAS = (math.inf, 0.1, 0.05, 0.01, 0.001)
GROUPS = ("darker_male", "darker_female", "lighter_male", "lighter_female")
# Amini et al. 2019, Fig. 5B: means and standard errors over five runs.
FIGURE = (
    ("87.54 ± 1.21", "95.19 ± 0.62", "99.47 ± 0.18", "98.29 ± 0.53"),
    ("88.72 ± 1.26", "95.78 ± 0.25", "99.78 ± 0.10", "99.03 ± 0.45"),
    ("90.62 ± 0.58", "96.01 ± 0.54", "99.83 ± 0.06", "99.38 ± 0.19"),
    ("92.82 ± 0.72", "96.96 ± 0.29", "99.57 ± 0.17", "99.11 ± 0.35"),
    ("92.45 ± 0.62", "97.04 ± 0.58", "99.47 ± 0.27", "99.58 ± 0.25"),
)
TABLE_3 = (
    ("92.39", "46.20"),
    ("91.78", "36.39"),
    ("90.76", "32.33"),
    ("90.52", "22.00"),
    ("85.22", "22.42"),
)


def swept(rows, alphas=ALPHAS, word="max", **description):
    """A table whose rows are arms over alpha."""
    made = table(rows, **description)
    keys = [Key("none" if alpha == math.inf else word, alpha) for alpha in alphas]
    arms = [replace(row, arm=key) for row, key in zip(made.rows, keys, strict=True)]
    return replace(made, rows=tuple(arms))


def figure(**description):
    """The published figure."""
    rows = [("x", dict(zip(GROUPS, texts, strict=True))) for texts in FIGURE]
    return swept(rows, **description)


def found_in(made):
    """The findings, by the words after "the"."""
    return {one.text.split(" as alpha")[0]: one for one in trends.findings(made)}


def aggregates(variances):
    """Arms with a variance each."""
    return [("x", {}, {"overall": "90.00", "variance": text}) for text in variances]


def test_the_darker_men_of_a_published_figure_rise():
    """Contrast 13.92, t 4.52, df 9.2, p .0014, though the last step goes down."""
    found = found_in(figure(replicates=5, spread="sem"))
    men = found["The share of darker_male rises"]

    assert (men.check, men.result) == ("Trend", "more than chance")
    assert men.text == (
        "The share of darker_male rises as alpha falls: 87.54, 88.72, 90.62, 92.82, 92.45 (1 of 4 "
        "steps down, 3 up); linear contrast 13.92 [6.97, 20.9], t 4.52, df 9.2, p = 0.0014."
    )


def test_the_variance_of_that_figure_falls():
    """From the groups and their errors, with the last step up from 9.49 to 11.13."""
    found = found_in(figure(replicates=5, spread="sem"))
    variance = found["The variance (ddof 1) of the groups' averages falls"]

    assert variance.result == "fits"
    assert "28.81, 25.47, 18.06, 9.49, 11.13 (3 of 4 steps down, 1 up)" in variance.text


def test_a_trend_whose_interval_holds_0_cannot_be_told():
    """The lighter men of that figure."""
    found = found_in(figure(replicates=5, spread="sem"))
    men = found["Whether the share of lighter_male rises or falls"]

    assert (men.result, men.settle) == ("cannot tell", "more runs of each arm")
    assert "[-1.77, 1.35]" in men.text


@pytest.mark.parametrize(
    ("spread", "error"),
    [("sem", 3.0816), ("sd", 1.3781), ("ci95_t", 1.1099), ("ci95_normal", 1.5723)],
)
def test_what_the_spread_is_changes_the_error(spread, error):
    """SEM; over the root of 5; over 2.776; over 1.960."""
    found = found_in(figure(replicates=5, spread=spread))

    assert f"t {13.92 / error:.2f}," in found["The share of darker_male rises"].text


def test_a_spread_of_unknown_kind_counts_as_the_largest():
    """As a standard error; where that does not suffice, it is asked for."""
    found = found_in(figure(replicates=5))

    assert found["The share of darker_male rises"].result == "more than chance"
    assert found["Whether the share of lighter_male rises or falls"].settle == (
        "what ± is: --spread sd, sem, ci95_t or ci95_normal"
    )


def test_a_spread_over_an_unknown_number_of_runs_asks_for_it():
    """It gives no degrees of freedom."""
    (found,) = trends.findings(figure(spread="sem"))

    assert (found.result, found.settle) == (
        "cannot tell",
        "the number of runs behind each mean: --runs N",
    )


def test_a_table_without_a_spread_is_no_evidence_of_a_trend():
    """De Haan et al. 2020, Table 3: 22.00 to 22.42 contradicts nothing."""
    rows = [("x", {}, {"overall": one, "variance": other}) for one, other in TABLE_3]
    (found,) = trends.findings(swept(rows))

    assert (found.result, found.settle) == (
        "cannot tell",
        "single runs of each arm, or the spread of its mean over runs (a column, or ±)",
    )
    assert found.text == (
        "No trend over alpha can be judged without its spread over runs: variance between groups "
        "46.20, 36.39, 32.33, 22.00, 22.42 (3 of 4 steps down, 1 up); overall share 92.39, 91.78, "
        "90.76, 90.52, 85.22 (4 of 4 steps down, 0 up)."
    )


def test_a_variance_that_rises_clearly_contradicts():
    """By thirty of its standard errors."""
    rows = aggregates(["10.0 ± 1.0", "20.0 ± 1.0", "30.0 ± 1.0", "40.0 ± 1.0", "50.0 ± 1.0"])
    (found, _) = trends.findings(swept(rows, replicates=5, spread="sem"))

    assert found.result == "contradicts"
    assert found.text.startswith(
        "A smaller alpha is claimed to lower the variance between groups, but it rises: 10.0, "
    )


def test_a_variance_that_rises_a_little_contradicts_nothing():
    """At p .03 one honest table of seventy does."""
    rows = aggregates(["10.0 ± 1.0", "10.5 ± 1.0", "11.1 ± 1.0", "11.7 ± 1.0", "12.0 ± 1.0"])
    (variance, _) = trends.findings(swept(rows, replicates=5, spread="sem"))

    assert variance.result == "cannot tell"
    assert "t 1.64" in variance.text


def test_single_runs_give_their_own_spread():
    """Three runs of each of three arms."""
    rows = [
        (("x", str(run)), {}, {"variance": str(base + step)})
        for base in (30, 20, 10)
        for run, step in enumerate((-1, 0, 1))
    ]
    alphas = [alpha for alpha in (math.inf, 0.1, 0.01) for _ in range(3)]
    (found,) = trends.findings(swept(rows, alphas))

    assert found.result == "fits"
    # The mean of three values one apart has the error 1 / sqrt 3: -20 over the root of 2/3.
    assert "30.00, 20.00, 10.00" in found.text
    assert f"t {-20 / math.sqrt(2 / 3):.2f}, df 4.0" in found.text


def test_runs_that_are_all_equal_say_nothing():
    """They show no spread."""
    rows = [(("x", str(run)), {}, {"variance": str(v)}) for v in (30, 20, 10) for run in (1, 2)]
    alphas = [alpha for alpha in (math.inf, 0.1, 0.01) for _ in range(2)]
    (found,) = trends.findings(swept(rows, alphas))

    assert (found.result, "the runs show no spread" in found.text) == ("cannot tell", True)


def test_each_rule_has_its_own_trend():
    """Arms of two words are two series over the same smoothings."""
    keys = [Key("none", math.inf), *(Key(w, a) for w in ("max", "max5") for a in (0.1, 0.01))]
    made = table(aggregates(["9", "6", "4", "6", "4"]))
    arms = tuple(replace(row, arm=key) for row, key in zip(made.rows, keys, strict=True))
    found = trends.findings(replace(made, rows=arms))

    assert [one.about for one in found] == ["table.csv: max", "table.csv: max5"]


def test_arms_without_smoothings_have_no_trend():
    """Two architectures are in no order."""
    rows = [(name, {}, {"variance": v}) for name, v in (("a", "9"), ("b", "8"), ("c", "7"))]

    assert not list(trends.findings(table(rows)))


# Honest tables


def honest(generator, *, runs, groups, step):
    """Arms of alike runs (step 0), or with a variance that falls."""
    sizes, rows = np.array([318, 271, 386, 295]), []
    for arm in range(5):
        recall = np.array([0.92 - groups + step * arm, 0.94, 0.95, 0.95])
        for run in range(runs):
            own = np.clip(recall + generator.normal(0, 0.01, 4), 0, 1)
            counts = generator.binomial(sizes, own)
            texts = [f"{k}/{n}" for k, n in zip(counts, sizes, strict=True)]
            rows.append((("x", str(run)), dict(zip(GROUPS, texts, strict=True))))
    return swept(rows, [alpha for alpha in ALPHAS for _ in range(runs)])


@pytest.mark.parametrize("groups", [0.0, 0.1])
@pytest.mark.parametrize("runs", [2, 3, 5])
@pytest.mark.parametrize("step", [0.0, 0.005])
def test_honest_tables_are_seldom_said_to_contradict(request, runs, groups, step):
    """At most 2.5 % of them; the true variance is level, or falls."""
    tables = 1_000 if request.config.getoption("--whole") else 40
    generator = np.random.default_rng([runs, round(1000 * groups), round(1000 * step)])
    made = (honest(generator, runs=runs, groups=groups, step=step) for _ in range(tables))
    wrong = sum(any(f.result == "contradicts" for f in trends.findings(one)) for one in made)

    assert wrong <= 0.025 * tables


def test_a_variance_that_falls_is_found():
    """From 10 points below the other groups to 2: four of five tables at five runs."""
    generator = np.random.default_rng(1)
    made = [honest(generator, runs=5, groups=0.1, step=0.02) for _ in range(20)]
    fits = sum(any(f.result == "fits" for f in trends.findings(one)) for one in made)

    assert fits >= 16
