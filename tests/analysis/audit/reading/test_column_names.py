"""What names of columns say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.analysis.audit.reading import column_names
from repro.analysis.audit.reading.column_names import NAMES, group_of, read_name

LISTED = [(name, role) for role, names in NAMES.items() for name in names]
GROUPS = [
    *("darker_male", "dark male", "DarkerFemale", "lighter women", "female", "group_0", "g3"),
    *("African", "East Asian", "middle_eastern", "20-29", "0-2", "70+", "more than 70"),
    *("Skin type IV", "Fitzpatrick VI", "Monk 10", "df", "latino_hispanic"),
]
NEVER_GROUPS = [
    *("seed", "n_images", "var", "precision", "Avg", "Worst", "AUROC", "Mean", "Max", "Min"),
    *("STDEV", "MaxDiff", "ECE", "WorstF1", "acc_worst_group", "eo_gap", "hp_lr", "epochs"),
    *("E[A]: Recall", "Var[A]: Measure of Bias", "overall", "A", "P", "+90%", "batch_size"),
]


@given(
    st.sampled_from(LISTED),
    st.sampled_from(["_", " ", "-", "  "]),
    st.sampled_from([str.lower, str.upper, str.title]),
    st.sampled_from(["", " ↑", " ↓"]),
)
def test_a_listed_name_has_its_role_however_it_is_written(listed, between, style, arrow):
    """Case, underscores, hyphens and arrows make no difference."""
    name, role = listed

    assert read_name(style(name).replace(" ", between) + arrow).role == role


def test_a_name_is_on_one_list():
    """Else its role would depend on the order of the lists."""
    names = [name for name, _ in LISTED]

    assert len(names) == len(set(names))
    assert not set(names) & column_names.IGNORED


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("around", ["{}", "acc_{}", "{}_acc", "recall of {}", "{} (%)", "TPR {}"])
def test_a_group_is_known_with_a_measure_and_a_unit_around_it(name, around):
    """The group is the same."""
    read = read_name(around.format(name))

    assert read.role == "share"
    assert group_of(around.format(name)) == group_of(name)


@pytest.mark.parametrize("name", NEVER_GROUPS)
def test_what_is_no_group_is_none(name):
    """These were taken for groups once."""
    assert read_name(name).role != "share"


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_any_text_is_read_without_an_error(text):
    """A header may hold anything."""
    assert read_name(text).role is None or read_name(text).role in {
        *NAMES,
        *("share", "error", "ignored"),
    }


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("accuracy (%)", "percent"),
        ("Accuracy [in percent]", "percent"),
        ("recall_fraction", "fraction"),
        ("variance (percent squared)", "percent"),
        ("dark male %", "percent"),
        ("recall", None),
    ],
)
def test_a_name_may_say_the_unit(name, unit):
    """In brackets, as a last word or as a sign."""
    assert read_name(name).unit == unit


@pytest.mark.parametrize(
    ("name", "of", "spread"),
    [
        ("std", "", "sd"),
        ("SEM", "", "sem"),
        ("recall_std", "recall", "sd"),
        ("acc_darker_male_sem", "acc darker male", "sem"),
        ("Avg ±", "avg", None),
        ("ci95", "", None),
    ],
)
def test_an_error_says_whose_it_is_and_what(name, of, spread):
    """A standard deviation of the column before it, if it names none."""
    read = read_name(name)

    assert (read.role, read.of, read.spread) == ("error", of, spread)


@pytest.mark.parametrize(
    ("name", "measure"),
    [("darker_female_error", "error"), ("FNR of men", "error"), ("acc_men", "recall")],
)
def test_a_name_may_say_whether_answers_are_right(name, measure):
    """An error rate is of wrong ones."""
    assert read_name(name).measure == measure


def test_a_name_may_give_the_portraits_of_a_group():
    """As many tables do, below the group."""
    read = read_name("Female (n = 1,271)")

    assert (read.role, read.group, read.n) == ("share", "Female", 1271)


def test_a_count_may_be_of_a_group():
    """A column of sizes for each group."""
    read = read_name("n_darker_male")

    assert (read.role, read.group) == ("n", "darker_male")


@pytest.mark.parametrize(
    "name",
    [
        *("recall_percent_low", "darker_male_percent_high", "median_least_percent"),
        *("recall_all_runs_percent", "recall_all_runs_percent_low", "recall_seed_3_percent"),
        *("runs_with_numbers_wanted", "variance_without_noise_percent_squared_high"),
    ],
)
def test_bounds_and_other_columns_of_our_own_tables_are_ignored(name):
    """They are of no group, and no mean."""
    assert read_name(name).role == "ignored"


def test_the_error_of_a_column_with_a_unit_is_known():
    """As our own tables name it."""
    read = read_name("darker_male_percent_sd")

    assert (read.role, read.of, read.spread) == ("error", "darker male", "sd")


@pytest.mark.parametrize(
    ("header", "groups"),
    [
        (["Method", "I", "II", "III", "IV", "V", "VI"], ["I", "II", "III", "IV", "V", "VI"]),
        (["m", "acc_I (%)", "acc_II (%)", "acc_III (%)", "acc_I_std"], ["I", "II", "III", ""]),
        (["method", "AF", "AM", "BF", "Avg."], ["AF", "AM", "BF", ""]),
        (["method", "V", "I", "R"], ["", "", ""]),
        (["method", "F", "M"], ["F", "M"]),
        (["method", "male mean", "male std"], ["male", ""]),
        (["method", "test/acc_group_0", "test/acc_avg"], ["group_0", ""]),
    ],
)
def test_some_names_are_groups_by_the_company_they_keep(header, groups):
    """Skin types, initials, pandas' columns of two lines; volts and amperes are none."""
    together = column_names.groups_together(header)
    found = [column_names.read_name(name, together).group for name in header[1:]]

    assert found == groups
