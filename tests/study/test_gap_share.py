"""The key `gap_share` of a study file: what can be written, and where a mistake stands."""

import pytest

from repro.errors import StudyError
from repro.study import study

HEAD = """\
name: toy
question: Does it?
base: {preset: dehaan2020}
arms:
  - {name: No debias, resampling: {combine: none}}
  - sweep: {resampling.alpha: [0.1, 0.01]}
  - name: even faces
    data: {train: {darker_share: 0.5}}
reference: No debias
replicates: 3
select: {keep: 2, by: recall, split: test}
profiles:
  embedded: {data: synthetic, epochs: 2}
  other: {data: synthetic, epochs: 3}
"""
CLAIM = """\
claims:
  - name: resampling makes the groups more equal
    quantity: variance
    read_at: {logit: 0}
    contrast: {arm: alpha = 0.01, less: No debias}
    expect: lower
    smallest_effect: {ratio: 0.75}
    primary: true
"""
LINE = len((HEAD + CLAIM).splitlines()) + 1  # of the key


@pytest.fixture
def load(tmp_path):
    """Load a study with this key; other text of the file replaced."""

    def load(written, replaced=(), **options):
        text = HEAD + CLAIM
        for old, new in dict(replaced).items():
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "toy.yaml"
        path.write_text(f"{text}gap_share: {written}\n")
        return study.load(path, **options)

    return load


def test_the_studys_reference_and_all_other_arms_are_meant_unless_others_are_named(load):
    """A ceiling has a share of another one's gap."""
    found = load("{ceilings: [even faces, alpha = 0.01]}").gap_share

    assert found.reference == "No debias"
    assert found.arms == ["alpha = 0.1", "alpha = 0.01", "even faces"]
    assert list(found.pairs()) == [
        ("alpha = 0.1", "even faces"),
        ("alpha = 0.01", "even faces"),
        ("alpha = 0.1", "alpha = 0.01"),
        ("even faces", "alpha = 0.01"),
    ]


def test_reference_and_arms_can_be_named(load):
    """Each gap has its own reference."""
    written = "{reference: alpha = 0.1, ceilings: [even faces], arms: [alpha = 0.01]}"
    found = load(written).gap_share

    assert found.reference == "alpha = 0.1"
    assert list(found.pairs()) == [("alpha = 0.01", "even faces")]


def test_a_profile_can_ask_otherwise(load):
    """As it can have claims of its own."""
    own = {"epochs: 3}": "epochs: 3, gap_share: {ceilings: [alpha = 0.1]}}"}
    found = load("{ceilings: [even faces]}", own, profile="other").gap_share

    assert found.ceilings == ["alpha = 0.1"]


def test_a_study_need_not_ask(load, tmp_path):
    """Then there is no such table."""
    (tmp_path / "toy.yaml").write_text(HEAD)

    assert study.load(tmp_path / "toy.yaml").gap_share is None


@pytest.mark.parametrize(
    ("written", "replaced", "message"),
    [
        ("{}", {}, "ceilings is missing"),
        ("{ceilings: []}", {}, "at least 1"),
        ("{ceilings: [even]}", {}, "no arm is called 'even'; the arms are: No debias, "),
        ("{ceilings: [even face]}", {}, "'even face'; did you mean 'even faces'?"),
        ("{ceilings: [even faces], arms: [alpha]}", {}, "no arm is called 'alpha'"),
        ("{ceilings: [even faces], reference: none}", {}, "no arm is called 'none'"),
        ("{ceilings: [even faces, even faces]}", {}, "arm 'even faces' is named twice"),
        ("{ceilings: [No debias]}", {}, "'No debias' is the reference, which closes nothing"),
        ("{ceilings: [even faces], arms: [even faces]}", {}, "no arm is left to compare"),
        ("{ceilings: [even faces], roof: 1}", {}, "roof"),
        ("{ceilings: [even faces]}", {CLAIM: ""}, "the study has none: declare claims"),
        (
            "{ceilings: [even faces]}",
            {"{logit: 0}": "{matched_to: reference}"},
            "matched_to gives the reference a threshold for each arm",
        ),
        (
            "{ceilings: [even faces]}",
            {"quantity: variance": "quantity: failed_share", "ratio: 0.75": "absolute: 9"}
            | {"expect: lower": "expect: higher", "    read_at: {logit: 0}\n": ""},
            "failed_share has no gap to close: a claim on variance, gap, ",
        ),
    ],
)
def test_a_mistake_is_told_at_its_place(load, written, replaced, message):
    """Line and column of the key, or of the name in it."""
    with pytest.raises(StudyError) as error:
        load(written, replaced)
    (problem,) = error.value.problems

    changed = sum((new.count("\n") - old.count("\n")) for old, new in replaced.items())
    assert message in problem.message
    assert problem.line == LINE + changed
