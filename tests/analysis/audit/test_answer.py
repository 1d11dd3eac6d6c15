"""The answer of an audit says what the findings say, and no more."""

import itertools

from repro.analysis.audit import answer
from repro.analysis.audit.checks.finding import Finding

SOUND = Finding("GRIM", "a.csv", "fits", "All are possible.")
BEYOND = Finding("Groups differ", "a.csv", "more than chance", "They differ.")
LUCK = Finding("Chance", "a.csv", "chance", "No more than chance gives.")
OPEN = Finding("Spread (what ± is)", "a.csv", "cannot tell", "?", settle="what ± is: --spread.")
WRONG = Finding("GRIM", "b.csv: Face++", "impossible", "20.8 is no share of 271. Others are.", "?")
CLASH = Finding("Overall", "b.csv: IBM", "contradicts", "Printed 97.36, computed 97.14.", "?")


def test_each_kind_of_result_has_its_sentence():
    """What is sound, what cannot be, what cannot be told; the worst by name."""
    said = answer.of([SOUND, OPEN, CLASH, LUCK, WRONG, BEYOND, SOUND])

    assert said.sentences == (
        "2 of 7 checks agree with what is stated (GRIM x 2); 1 difference is more than chance "
        "gives (Groups differ).",
        "1 check finds numbers that are impossible as stated (GRIM) and 1 check finds a "
        "contradiction (Overall); first, GRIM of b.csv: Face++: 20.8 is no share of 271.",
        "1 difference is no more than chance gives (Chance); 1 check cannot tell (Spread (what ± "
        "is)). It would take what ± is: --spread.",
    )


def test_a_sound_table_is_not_accused():
    """Nothing was found, and nothing is left open."""
    assert answer.of([SOUND]).sentences == (
        "The only check agrees with what is stated (GRIM).",
        "Nothing was found that cannot be.",
        "Nothing is left undecided.",
    )


def test_an_audit_without_checks_says_so():
    """No word of what is sound."""
    assert answer.of([]).text == (
        "There was nothing to check. Nothing was found that cannot be. Nothing is left undecided."
    )


def test_an_audit_in_which_nothing_holds_says_so():
    """A check that cannot tell confirms nothing."""
    assert answer.of([OPEN]).sentences[0] == "Nothing could be confirmed."


def test_what_has_to_be_asked_comes_first():
    """Whatever the order of the checks."""
    orders = itertools.permutations([SOUND, OPEN, CLASH, LUCK, WRONG])
    results = {tuple(one.result for one in answer.ordered(findings)) for findings in orders}

    assert results == {("impossible", "contradicts", "cannot tell", "chance", "fits")}


def test_checks_of_one_result_stay_in_their_order():
    """The order of the files and of the checks."""
    some = [Finding(name, "a.csv", "fits", "") for name in "CAB"]

    assert [one.check for one in answer.ordered(some)] == ["C", "A", "B"]


def test_a_long_finding_is_named_and_not_repeated():
    """An answer has three sentences, not a page."""
    long = Finding("GRIM", "b.csv", "impossible", f"{'many numbers ' * 30}cannot be.")

    assert answer.of([long]).sentences[1].endswith("as stated (GRIM), GRIM of b.csv.")


def test_many_kinds_of_checks_are_counted():
    """Five are named."""
    some = [Finding(name, "a.csv", "fits", "") for name in "ABCDEFG"]

    assert "(A, B, C, D, E and 2 more)" in answer.of(some).sentences[0]


def test_an_arm_is_named_once():
    """Where the finding begins with its arm, the place is the file."""
    wrong = Finding("Overall", "b.csv: IBM", "contradicts", "IBM (line 4): printed 97.36.", "?")

    assert "; first" not in answer.of([wrong]).sentences[1]
    assert (
        answer.of([wrong]).sentences[1].endswith("Overall of b.csv: IBM (line 4): printed 97.36.")
    )
