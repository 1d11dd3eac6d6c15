"""What the text of a cell says, and what it could be mistaken for."""

from decimal import Decimal

import pytest

from repro.analysis.audit.reading.cell_text import (
    CellText,
    NotANumber,
    has_value,
    is_number,
    marks_of,
    read_cell,
)

WITH_ERROR = [
    "84.1 +/- 0.4",
    "84.1 +- 0.4",
    "84.1±0.4",
    "84.1 ± 0.4 %",
    "84.1% ± 0.4%",
    "84.1 (0.4)",
    "84.1 (±0.4)",
    r"$84.1 \pm 0.4$",
    r"84.1\pm0.4",
    "84.1_{0.4}",
    r"$84.1_{\pm 0.4}$",
    r"\textbf{84.1}{\scriptsize $\pm$0.4}",
    r"{\bf 84.1} \textcolor{gray}{(0.4)}",
    "**84.1** ± 0.4",
    "**84.1 ± 0.4**",
    "84.1<sub>0.4</sub>",
    "84.1 &plusmn; 0.4",
    "84.1\u00a0±\u20090.4",
    "84.1 ± 0.4*",
    "84.1 ± 0.4†",
]
NUMBERS = {
    "92.39": "92.39",
    "92.390": "92.390",
    ".7": "0.7",
    "84.": "84",
    "0": "0",
    "1e-3": "0.001",
    "-3": "-3",
    "−3": "-3",
    "+0.5": "0.5",
    "±0.4": "0.4",
    "**84.1**": "84.1",
    "__84.1__": "84.1",
    "`84.1`": "84.1",
    r"\underline{84.1}": "84.1",
    r"\textbf{\underline{84.1}}": "84.1",
    r"\phantom{0}3.5": "3.5",
    "84.1^{*}": "84.1",
    "84.1 ↑": "84.1",
    "1,270.5": "1270.5",
    "1,234,567": "1234567",
}
NO_NUMBER = [
    "words",
    "84.1 0.4",
    r"84.1{\tiny 0.4}",
    "84.1^{2}",
    r"2.5\times10^{-3}",
    "0.2.0",
    "2020-10-06",
    "٩٢",
    "84.1 ± ",
    "12 of 20",
    "84.1 ± 0.4 ± 0.2",
    "1 000",
    "99.17 98.50 98.33",
]


@pytest.mark.parametrize("text", WITH_ERROR)
def test_a_number_and_what_follows_its_sign(text):
    """However a paper sets it."""
    found = read_cell(text)

    assert (found.state, found.value, found.error) == ("number", Decimal("84.1"), Decimal("0.4"))


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_a_number_keeps_its_decimals(text, value):
    """They are the evidence; marks around it are not."""
    found = read_cell(text)

    assert (found.state, str(found.value), found.error) == ("number", value, None)


@pytest.mark.parametrize("text", NO_NUMBER)
def test_other_texts_are_refused(text):
    """With the text in the message; no part of it is taken."""
    with pytest.raises(NotANumber, match="is not a number"):
        read_cell(text)
    assert not is_number(text)


@pytest.mark.parametrize("text", ["", "X", "x", "-", "–", "—", "--", "n/a", "NA", "**-**", "none"])
def test_no_result(text):
    """An empty cell, or a mark where a table has none."""
    assert read_cell(text) == CellText("missing")


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-inf", "failed", "Diverged", "OOM"])
def test_a_failed_run(text):
    """A run that has no number stays one."""
    assert read_cell(text) == CellText("failed")


@pytest.mark.parametrize(
    ("text", "bound", "value"),
    [
        ("<0.1", "<", "0.1"),
        ("< .1", "<", "0.1"),
        ("≤0.1", "<=", "0.1"),
        ("> 99.9%", ">", "99.9"),
        ("&lt;0.1", "<", "0.1"),
        (r"$<$0.1", "<", "0.1"),
        (r"$\geq$ 99", ">=", "99"),
    ],
)
def test_a_bound_is_no_number(text, bound, value):
    """It has its sign and its value."""
    found = read_cell(text)

    assert (found.state, found.bound, str(found.value)) == ("bound", bound, value)


@pytest.mark.parametrize(
    "text", ["84.9%", "84.9 %", r"84.9\%", "84.9 percent", "84.9 (0.4%)", "+84.9%"]
)
def test_a_percent_sign_is_kept(text):
    """It says the unit."""
    assert read_cell(text).percent
    assert read_cell(text).value == Decimal("84.9")


@pytest.mark.parametrize(
    "text",
    ["84.1 [83.2, 85.0]", "84.1 (83.2-85.0)", "84.1 (83.2–85.0)", "84.1 (95% CI: 83.2 to 85.0)"],
)
def test_an_interval_is_no_error(text):
    """Its ends are kept apart from what follows ±."""
    found = read_cell(text)

    assert (found.value, found.error) == (Decimal("84.1"), None)
    assert found.interval == (Decimal("83.2"), Decimal("85.0"))


@pytest.mark.parametrize("text", ["84.1 ± nan", "84.1 +/- -", "84.1 (nan)", "84.1 ± N/A"])
def test_one_run_has_no_error(text):
    """Programs print NaN as the standard deviation of a single number."""
    found = read_cell(text)

    assert (found.value, found.error) == (Decimal("84.1"), None)


def test_a_failed_run_may_have_a_failed_error():
    """Both are printed by the same format string."""
    assert read_cell("nan +/- nan") == CellText("failed")


def test_an_error_may_have_an_exponent():
    """As its number may."""
    assert read_cell("1.2e-3 ± 1e-4").error == Decimal("0.0001")


def test_two_numbers_are_asked_for_apart():
    """Nothing is divided here."""
    with pytest.raises(NotANumber, match="'7/10' is two numbers: give each a column of its own"):
        read_cell("7/10")


@pytest.mark.parametrize(
    ("text", "mark", "value"),
    [
        ("84,9", ",", "84.9"),
        ("84,9 ± 0,4", ",", "84.9"),
        ("1.270", ",", "1270"),
        ("1.270,5", ",", "1270.5"),
        ("1,270", ",", "1.270"),
        ("1,270", ".", "1270"),
        ("1.270", ".", "1.270"),
        ("1.270", None, "1.270"),
    ],
)
def test_the_file_says_what_a_comma_is(text, mark, value):
    """By its other numbers."""
    assert str(read_cell(text, mark).value) == value


@pytest.mark.parametrize(
    ("text", "mark", "problem"),
    [
        ("1,270", None, "'1,270' may be 1270 or 1.270: write one of these"),
        ("84,9", ".", "'84,9' is not a number: write a decimal point, not a comma"),
        ("84.9", ",", "'84.9' is not a number: the other numbers of this file have decimal commas"),
        ("84.9 (see text)", ".", "'84.9 (see text)' is a number with something else in brackets"),
    ],
)
def test_what_could_be_two_numbers_is_refused(text, mark, problem):
    """With what to write."""
    with pytest.raises(NotANumber) as caught:
        read_cell(text, mark)
    assert str(caught.value).startswith(problem)


def test_more_decimals_than_a_float_has_are_refused():
    """So that exact arithmetic stays small."""
    with pytest.raises(NotANumber, match="has more than 25 decimals"):
        read_cell(f"0.{'1' * 26}")


@pytest.mark.parametrize(
    ("texts", "marks"),
    [
        (["84,9"], {","}),
        (["0,957"], {","}),
        (["84.9 ± 0.4"], {"."}),
        (["1,270"], set()),
        (["1,270.5"], {"."}),
        (["84.9", "84,9"], {".", ","}),
        (["a,b", "v1.2.3", ""], set()),
    ],
)
def test_decimal_marks_that_are_sure(texts, marks):
    """A mark before three digits may be one of thousands."""
    assert marks_of(texts) == marks


def test_a_cell_without_a_number_may_have_a_value():
    """`X` says something of a result; an empty cell and a name do not."""
    assert [has_value(text) for text in ("X", "<0.1", "84.1", "nan", "", "ERM")] == [
        *[True] * 4,
        *[False] * 2,
    ]
