"""Claims of a study file: what can be written, and where a mistake stands."""

import pytest
import yaml

from repro.errors import StudyError
from repro.study import study
from repro.study.claims import Claim, Declared

HEAD = """\
name: toy
question: Does it?
base: {preset: dehaan2020}
arms:
  - {name: No debias, resampling: {combine: none}}
  - sweep: {resampling.alpha: [0.1, 0.01, 0.001]}
reference: No debias
replicates: 3
select: {keep: 2, by: recall, split: test}
profiles:
  embedded: {data: synthetic, epochs: 2}
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
FIRST = len(HEAD.splitlines()) + 2  # line of the claim's name


@pytest.fixture
def load(tmp_path):
    """Load a study whose claim has these lines replaced."""

    def load(changes=(), text=CLAIM):
        for old, new in dict(changes).items():
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "toy.yaml"
        path.write_text(HEAD + text)
        return study.load(path)

    return load


def problems(load, changes=(), **options):
    """Each problem without the folder."""
    with pytest.raises(StudyError) as error:
        load(changes, **options)
    return [str(one).rpartition("/toy.yaml")[2] for one in error.value.problems]


def test_a_claim_is_read_as_it_is_written(load):
    """With its arms, the one that is subtracted first."""
    (found,) = load().claims

    assert found.arms == ("No debias", "alpha = 0.01")
    assert found.claim.primary
    assert found.claim.smallest_effect.ratio == 0.75


def test_a_study_without_claims_asks_nothing(load):
    """Claims are no duty."""
    assert load(text="").claims == ()


def test_a_trend_names_all_its_arms_from_the_reference_on(load):
    """No resampling is an endless alpha."""
    (found,) = load({"arm: alpha = 0.01, less: No debias": "trend: alpha"}).claims

    assert found.arms == ("No debias", "alpha = 0.1", "alpha = 0.01", "alpha = 0.001")


@pytest.mark.parametrize(
    ("changes", "line", "message"),
    [
        ({"quantity: variance": "quantity: varianse"}, 1, "'varianse' is not one of recall, "),
        ({"expect: lower": "expect: less"}, 4, "'less' is not one of lower, higher, kept, largest"),
        ({"primary: true": "primary: true\n    expects: x"}, 7, "did you mean 'expect'?"),
        ({"    read_at: {logit: 0}\n": ""}, 0, "variance needs read_at"),
        ({"{logit: 0}": "{logit: 1}"}, 2, "0 is the only logit at which runs are read"),
        ({"{logit: 0}": "{}"}, 2, "give one threshold"),
        ({"{logit: 0}": "{logit: 0, false_positive_rate: 0.1}"}, 2, "give one threshold"),
        ({"{logit: 0}": "{false_positive_rate: 10}"}, 2, "less than 1"),
        ({"{logit: 0}": "0"}, 2, "give a threshold, such as {logit: 0}"),
        ({", less: No debias": ""}, 3, "write {arm: ONE, less: ANOTHER}, or {trend: KEY}"),
        ({"less: No debias": "trend: alpha"}, 3, "write {arm: ONE, less: ANOTHER}"),
        (
            {"less: No debias": "less: alpha = 0.01"},
            3,
            "an arm cannot be compared with itself",
        ),
        ({"{ratio: 0.75}": "{}"}, 5, "write {absolute: 2.0} or {ratio: 0.75}"),
        ({"{ratio: 0.75}": "{absolute: 2, ratio: 0.5}"}, 5, "write {absolute: 2.0}"),
        ({"{ratio: 0.75}": "{absolute: 0}"}, 5, "greater than 0"),
        ({"{ratio: 0.75}": "{ratio: 1.5}"}, 0, "a ratio lies below 1 for lower"),
        ({"expect: lower": "expect: higher"}, 0, "above 1 for higher"),
        ({"expect: lower": "expect: kept"}, 0, "here the smallest effect is absolute"),
        ({"expect: lower": "expect: largest"}, 0, "expect: largest needs quantity: group_recall"),
        (
            {"quantity: variance": "quantity: group_recall"},
            0,
            "group_recall needs a group, such as",
        ),
        (
            {"quantity: variance": "quantity: variance\n    group: darker_male"},
            0,
            "variance is of all groups: remove group",
        ),
        (
            {"variance": "failed_share", "ratio: 0.75": "ratio: 0.5"},
            0,
            "here the smallest effect is absolute",
        ),
        (
            {"variance": "auc_variance", "logit: 0": "false_positive_rate: 0.1"},
            0,
            "auc_variance has no threshold to choose: remove read_at",
        ),
        (
            {
                "arm: alpha = 0.01, less: No debias": "trend: alpha",
                "logit: 0": "matched_to: reference",
            },
            0,
            "matched_to compares two arms: give contrast arm and less",
        ),
        (
            {
                "arm: alpha = 0.01, less: No debias": "trend: alpha",
                "    read_at: {logit: 0}\n": "",
                "variance": "collapsed_share",
                "ratio: 0.75": "absolute: 20",
            },
            0,
            "collapsed_share compares two arms: give contrast arm and less",
        ),
        ({"primary: true": "primary: false"}, 0, "0 claims are primary: mark one"),
        (
            {
                "resampling makes": '"resampling\\nmakes',
                "equal\n": 'equal"\n',
            },
            0,
            "name",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(load, changes, line, message):
    """File, line and column, and what would be right."""
    found = problems(load, changes)

    assert len(found) == 1
    assert found[0].startswith(f":{FIRST + line}:")
    assert message in found[0]


def test_an_unknown_arm_is_told_with_a_suggestion(load):
    """At the place where it is named; where no arm has a similar name, with all arms."""
    (near,) = problems(load, {"alpha = 0.01, less": "alpha = .01, less"})
    (far,) = problems(load, {"alpha = 0.01, less": "product, less"})

    place = f":{FIRST + 3}:21: no arm is called"
    assert near == f"{place} 'alpha = .01'; did you mean 'alpha = 0.01'?"
    assert far == (
        f"{place} 'product'; the arms are: No debias, alpha = 0.1, alpha = 0.01, alpha = 0.001"
    )


def test_claims_have_different_names(load):
    """So that an answer says which one it is."""
    second = CLAIM.removeprefix("claims:\n").replace("primary: true", "primary: false")
    (found,) = problems(load, text=CLAIM + second)

    assert "two claims are called 'resampling makes the groups more equal': rename one" in found


def test_one_claim_is_primary(load):
    """The others share one level."""
    second = CLAIM.removeprefix("claims:\n").replace("equal", "alike")
    (found,) = problems(load, text=CLAIM + second)

    assert "2 claims are primary: mark one with primary: true" in found


def written(**changes):
    """A claim as values of YAML."""
    return yaml.safe_load(CLAIM)["claims"][0] | changes


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"read_at": {"matched_to": "reference"}},
        {"read_at": {"false_positive_rate": 0.1}},
        {"quantity": "group_recall", "group": "a", "expect": "largest"}
        | {"smallest_effect": {"absolute": 1}},
        {"quantity": "auc_variance", "read_at": None},
        {"quantity": "failed_share", "read_at": None, "smallest_effect": {"absolute": 20}},
        {"contrast": {"trend": "resampling.alpha"}},
    ],
)
def test_a_claim_is_read_back_from_the_index_of_its_study(changes):
    """As plain values of JSON, also where it has no threshold."""
    claim = Claim.model_validate(written(**changes))

    assert Claim.model_validate(claim.model_dump(mode="json")) == claim
    assert hash(Declared(claim, ("a", "b"))) == hash(Declared(claim.model_copy(), ("a", "b")))
