"""The figure of the claims: each effect over the smallest one that matters."""

import crowds
import pytest

from repro.analysis import claims
from repro.analysis.claim_findings import Finding
from repro.reporting.figures import claims as drawing
from repro.stats.intervals import NOWHERE, Interval
from repro.study.claims import Claim, Declared

ARMS = tuple(crowds.SWEEP)


def finding(*, expect="lower", primary=True, **changes):
    """A variance that fell by 8, where 4 matters; 95 % interval of the fall: 2 to 14."""
    claim = Claim.model_validate(
        {
            "name": "the variance falls",
            "quantity": "variance",
            "read_at": {"logit": 0},
            "contrast": {"arm": ARMS[1], "less": ARMS[0]},
            "expect": expect,
            "smallest_effect": {"absolute": 4.0},
            "primary": primary,
        }
    )
    plain = {
        "word": "holds",
        "effect": -8.0,
        "interval": Interval(-14.0, -2.0),
        "smallest": 4.0,
        "first": 20.0,
        "last": 12.0,
    }
    return Finding(declared=Declared(claim, ARMS), **(plain | changes))


@pytest.fixture
def drawn(monkeypatch):
    """Draws these answers of a study."""

    def draw(*found):
        monkeypatch.setattr(claims, "findings", lambda _: list(found))
        return drawing.effects(crowds.view(crowds.SWEEP, ("a", "b")))

    return draw


def marks(drawn):
    """Ends of lines and places of marks along the axis, without the line at 0."""
    return [list(line.get_xdata()) for line in drawn.figure.axes[0].get_lines()[:-1]]


def texts(drawn):
    """All texts, line breaks as spaces."""
    found = [text for axes in drawn.figure.axes for text in axes.texts]
    return [text.get_text().replace("\n", " ") for text in found]


def shaded(drawn):
    """The ends of the effects that are too small to matter, a pair for each claim."""
    return [(one.get_x(), one.get_x() + one.get_width()) for one in drawn.figure.axes[0].patches]


def test_the_expected_direction_is_to_the_right_in_smallest_effects(drawn):
    """A fall by 8 [2, 14] over 4 is 2 [0.5, 3.5]."""
    assert marks(drawn(finding())) == [[0.5, 3.5], [2.0]]


def test_an_effect_too_small_to_matter_is_shaded(drawn):
    """From 0 to the smallest effect; where no change is expected on both sides."""
    assert shaded(drawn(finding(), finding(expect="kept", primary=False))) == [(0, 1), (-1, 1)]


def test_the_word_stands_at_the_right_with_the_effect_in_its_own_unit(drawn):
    """With its own sign."""
    assert texts(drawn(finding())) == [
        "the variance falls",
        "holds",
        "-8.0 [-14.0, -2.0] %²; matters: a fall by 4",
    ]


def test_a_long_interval_ends_in_an_arrow_and_the_caption_says_so(drawn):
    """From -40 to 24, which is -6 to 10 smallest effects: the axis shows 4."""
    found = drawn(finding(effect=4.0, interval=Interval(-40.0, 24.0), word="cannot tell yet"))

    assert marks(found) == [[-4.0, 4.0], [-4.0], [4.0], [-1.0]]
    assert "Arrows: the interval goes on beyond 4." in found.caption


def test_a_short_interval_needs_no_arrow(drawn):
    """The axis reaches as far as the interval."""
    assert "Arrows" not in drawn(finding()).caption


def test_a_claim_without_numbers_says_why(drawn):
    """Its row holds no mark."""
    reason = "x has no run with results"
    nan = float("nan")
    found = drawn(
        finding(effect=nan, interval=NOWHERE, smallest=nan, reason=reason, word="cannot tell yet")
    )

    assert marks(found) == []
    assert texts(found) == ["the variance falls", "no effect is known", "cannot tell yet", reason]


def test_a_claim_whose_smallest_effect_is_0_has_no_mark(drawn):
    """A share of a variance that is 0, as where every face is detected."""
    found = drawn(finding(smallest=0.0, word="cannot tell yet"))

    assert marks(found) == []
    assert "the smallest effect that matters is 0" in texts(found)


def test_an_effect_without_an_interval_is_a_mark(drawn):
    """All pairs differ by the same."""
    assert marks(drawn(finding(interval=NOWHERE, word="cannot tell yet"))) == [[2.0]]


def test_an_effect_beyond_the_axis_is_an_arrow(drawn):
    """A fall by 40, ten smallest effects."""
    found = drawn(finding(effect=-40.0, interval=NOWHERE, word="cannot tell yet"))

    assert marks(found) == [[4.0]]
    assert [line.get_marker() for line in found.figure.axes[0].get_lines()[:-1]] == [">"]


def test_the_caption_names_both_levels(drawn):
    """The others share one error."""
    caption = drawn(finding(), finding(primary=False, level=0.975)).caption

    assert "(95 % for the primary claim, in bold, 97.5 % for each other one)" in caption


def test_the_caption_says_where_the_primary_claim_has_no_interval(drawn):
    """At a look that nobody planned fewer than five pairs tell nothing: no level is of 100 %."""
    caption = drawn(finding(interval=NOWHERE, level=1.0), finding(primary=False)).caption

    assert "(no interval for the primary claim, in bold, 95 % for each other one)" in caption


def test_the_alternative_text_tells_every_claim(drawn):
    """For readers who cannot see it."""
    assert drawn(finding()).alt == (
        "Intervals of 1 effects. the variance falls: holds, -8.0 [-14.0, -2.0] %²; "
        "matters: a fall by 4."
    )


def test_a_study_without_claims_has_no_such_figure():
    """It asks nothing that could be drawn."""
    assert drawing.effects(crowds.view(crowds.SWEEP, ("a", "b"))) is None


def test_a_study_with_claims_is_drawn_from_its_runs():
    """One row for its only claim."""
    declared = finding().declared
    plain = declared.claim.model_dump(mode="json") | {"arms": list(ARMS)}
    view = crowds.view(crowds.SWEEP, ("a", "b"), claims=[plain])

    assert texts(drawing.effects(view))[0] == "the variance falls"
