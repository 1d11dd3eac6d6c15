"""Text that fits its place: in LaTeX, in an address, in a column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.reporting import escaping
from repro.reporting.tables import column_widths


@pytest.mark.parametrize(
    ("plain", "typeset"),
    [
        ("a_b & 50 % {x} \\ #1", r"a\_b \& 50 \% \{x\} \textbackslash{} \#1"),
        ("1 < 2 > 0 | $", r"1 $<$ 2 $>$ 0 $|$ $\mathdollar$"),
        ("± × ≥ ≤ → ∞ ²", r"$\pm$ $\times$ $\ge$ $\le$ $\rightarrow$ $\infty$ $^{2}$"),
        ("α Γ Α ς", r"$\alpha$ $\Gamma$ A $\varsigma$"),
        ("“a” – ‘b’ — …", "``a'' -- `b' -- \\dots{}"),
        ("é ü ß ø ç", "é ü ß ø ç"),  # inputenc knows them
        ("ą ễ ﬁ ½ ①", "a e fi 1/2 1"),  # and not these
        ("e\u0301", "é"),
        ("日本 x 😀", "[U+65E5 U+672C] x [U+1F600]"),
        ("a\nb\tc\u00a0d", "a b c d"),
        ("a\u200db\ufeff", "ab"),
        ("a\u200bb", r"a\allowbreak{}b"),
    ],
)
def test_every_character_is_typeset_or_named(plain, typeset):
    """Commands are written out, signs are mathematics, what has no shape is called by its code."""
    assert escaping.latex(plain) == typeset


@given(st.text())
def test_latex_is_of_letters_that_inputenc_knows(text):
    """Whatever the text: ASCII, and letters of Latin-1 and Latin Extended-A."""
    assert all(
        " " <= one <= "~" or "\xc0" <= one <= "\u017f" or one == "ȷ" for one in escaping.latex(text)
    )


def test_typed_text_keeps_the_signs_of_a_keyboard():
    """A quote in a command is no apostrophe."""
    assert escaping.typed("--set 'a=_'") == r"--set {\char39}a={\char95}{\char39}"


@given(st.lists(st.text()))
def test_an_anchor_is_of_letters_digits_and_lines(words):
    """So that it stands in an address, in HTML and in LaTeX as it is."""
    assert all(one.isascii() and (one.isalnum() or one in "-_") for one in escaping.anchor(*words))


def test_columns_that_fit_take_what_they_need():
    """Nothing is stretched."""
    assert column_widths.widths([["ab", "abc"], ["a"]], 10) == [3, 1]


def test_columns_that_do_not_fit_share_what_there_is():
    """The longer one gets more; short ones and longest words stay whole."""
    found = column_widths.widths(
        [["word " * 40], ["word " * 10], ["brief"], ["incomprehensibilities x"]], 80
    )

    assert sum(found) == pytest.approx(80, abs=0.01)
    assert found[0] > found[1] > found[2] == 5
    assert found[3] >= len("incomprehensibilities")


def test_columns_too_narrow_for_their_words_are_scaled():
    """The page is no wider for it."""
    assert column_widths.widths([["a" * 30], ["a" * 10]], 20) == [15, 5]


def test_long_words_can_be_broken():
    """After their signs, and where there is none every ten letters; short ones stay whole."""
    gap = column_widths.BREAK

    assert (
        column_widths.breakable("resampling.first_epoch 0.12")
        == f"resampling.{gap}first_{gap}epoch 0.12"
    )
    assert column_widths.breakable("x" * 30, at="letters") == gap.join(["x" * 10] * 3)
    assert (
        column_widths.breakable("resampling.first_epoch", at="letters") == "resampling.first_epoch"
    )


@given(st.text(), st.sampled_from(["signs", "letters"]))
def test_breaking_a_word_loses_nothing(text, at):
    """What can be seen is the same."""
    plain = text.replace(column_widths.BREAK, "")

    assert column_widths.breakable(plain, at=at).replace(column_widths.BREAK, "") == plain
