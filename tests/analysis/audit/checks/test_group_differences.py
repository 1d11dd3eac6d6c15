"""Whether the groups of an arm differ: one evaluation, single runs, averages, unknown numbers."""

import numpy as np
import pytest
from published_tables import table

from repro.analysis.audit.checks import group_differences

SIZES = {"darker_female": 271, "darker_male": 318, "lighter_female": 296, "lighter_male": 385}
SHADES = {
    "Microsoft": ("20.8", "6.0", "1.7", "0.0"),
    "Face++": ("34.5", "0.7", "9.8", "0.8"),
    "IBM": ("34.7", "12.0", "7.1", "0.3"),
}


def shares(texts):
    """Of the four groups."""
    return dict(zip(SIZES, texts, strict=True))


def one(rows, **description):
    """The one finding of a table."""
    (found,) = group_differences.findings(table(rows, **description))
    return found


def test_three_services_differ_between_groups():
    """Gender Shades: chi-squared 131, 246 and 187 on 3 degrees of freedom."""
    rows = [(name, shares(texts)) for name, texts in SHADES.items()]
    found = one(rows, groups=SIZES, replicates=1, measure="error")

    assert (found.check, found.result) == ("Groups differ", "more than chance")
    for start in (
        "Microsoft (gap 20.8 points; chi-squared 132",
        "Face++ (gap 33.8 points; chi-squared 246",
        "IBM (gap 34.4 points; chi-squared 187",
    ):
        assert start in found.text
    assert "df 3, p < 0.001" in found.text


@pytest.mark.parametrize(
    ("low", "result"), [("92.0", "chance"), ("88.5", "cannot tell"), ("84.0", "more than chance")]
)
def test_an_average_over_runs_counts_for_one_run_at_least(low, result):
    """Five runs with the same misses are one, with independent ones five."""
    found = one([("a", shares((low, "92.4", "92.4", "92.4")))], groups=SIZES, replicates=5)

    assert found.result == result
    assert "Ranges are over runs that miss the same portraits and independent ones." in found.text


def test_an_unknown_number_of_runs_is_asked_for():
    """Unless one run alone would show it."""
    rows = [("a", shares(("88.5", "92.4", "92.4", "92.4")))]
    found = one(rows, groups=SIZES)

    assert (found.result, found.settle) == (
        "cannot tell",
        "the number of runs behind each share: --runs N",
    )
    assert one([("a", shares(("80", "92", "92", "92")))], groups=SIZES).result == "more than chance"


def test_single_runs_are_averaged_and_tested_alone():
    """Three runs of counts: at both ends, and how many reject alone."""
    runs = [
        ("240/271", "300/318", "280/296", "370/385"),
        ("235/271", "301/318", "282/296", "372/385"),
    ]
    rows = [(("a", str(at)), shares(counts)) for at, counts in enumerate([*runs, runs[0]])]
    found = one(rows)

    assert found.result == "more than chance"
    assert "alone, 3 of 3 runs at p up to 0.05" in found.text


def test_a_failed_run_is_left_out():
    """Of three runs, two have numbers."""
    counts = shares(("240/271", "300/318", "280/296", "370/385"))
    failed = dict.fromkeys(SIZES, "nan")
    rows = [(("a", "1"), counts), (("a", "2"), counts), (("a", "3"), failed)]

    assert "alone, 2 of 2 runs" in one(rows, groups=SIZES).text


def test_groups_by_gender_and_groups_by_tone_are_tested_apart():
    """A face is in one group of each division."""
    rows = [("a", {"male": "99", "female": "80", "lighter": "90", "darker": "89"})]
    sizes = {"male": 300, "female": 300, "lighter": 300, "darker": 300}
    found = list(group_differences.findings(table(rows, groups=sizes, replicates=1)))

    assert [one.result for one in found] == ["more than chance", "chance"]
    assert "(male and female)" in found[0].text
    assert "(lighter and darker)" in found[1].text


def test_unknown_sizes_are_asked_for():
    """Shares alone are no counts."""
    found = one([("a", shares(("80", "92", "92", "92")))], replicates=1)

    assert (found.result, found.settle) == (
        "cannot tell",
        "the portraits of each group: --group NAME=N, once for each",
    )


@pytest.mark.parametrize("recall", [0.924, 0.99])
def test_equal_groups_are_seldom_told_apart(request, recall):
    """At most 5 % of honest tables of six arms, whatever the correlation of their runs."""
    tables = 2_000 if request.config.getoption("--whole") else 100
    generator, n = np.random.default_rng(0), np.array([*SIZES.values()])
    told = 0
    for _ in range(tables):
        rows = []
        for arm in range(6):
            same = generator.binomial(n // 2, recall)
            for run in range(3):
                counts = same + generator.binomial(n - n // 2, recall)
                texts = (f"{k}/{size}" for k, size in zip(counts, n, strict=True))
                rows.append(((f"m{arm}", str(run)), shares(texts)))
        results = {one.result for one in group_differences.findings(table(rows))}
        told += "more than chance" in results

    assert told <= 0.05 * tables
