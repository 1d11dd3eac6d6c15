"""What authors declare, and what they can get wrong."""

import pytest
from pydantic import BaseModel, ValidationError

from repro.plugins import Parameters, metric, model, objective, rule, source
from repro.plugins.declared import Plugin, declared_by


class Power(Parameters):
    """A parameter with a default and one without."""

    power: float = 0.5
    of: str


def test_a_decorator_leaves_a_function_as_it_is():
    """And notes what it was declared to be."""

    def plain(latents, context): ...

    assert rule("mine", paper="Root 1900")(plain) is plain
    (one,) = declared_by(plain)
    assert (one.kind, one.name, one.paper, one.needs) == ("rule", "mine", "Root 1900", ("latents",))


def test_an_objective_says_whether_it_trains_and_what_it_fits_on():
    """So that plans and forecasts need not make it."""

    @objective("fitted", needs=("groups", "source"), trains=False, held_out=4)
    class Fitted: ...

    (one,) = declared_by(Fitted)
    assert (one.trains, one.held_out) == (False, 4)


def test_one_function_can_be_several():
    """A source of two roles, for example."""

    @source("mine_train", role="train")
    @source("mine_test", role="test")
    def images(parameters): ...

    assert [(one.name, one.role) for one in declared_by(images)] == [
        ("mine_test", "test"),
        ("mine_train", "train"),
    ]


def test_a_subclass_is_not_what_its_base_was_declared():
    """It has to be declared itself."""

    @objective("mine")
    class Base: ...

    class Other(Base): ...

    assert declared_by(Base)
    assert not declared_by(Other)


def test_defaults_are_filled_in_and_types_are_kept():
    """Plain values go into a run's name, and typed ones to the function."""
    one = Plugin(kind="rule", name="mine", make="a:b", parameters=Power)

    assert one.filled({"of": "groups"}) == {"power": 0.5, "of": "groups"}
    assert one.typed({"power": 1, "of": "bins"}) == Power(power=1.0, of="bins")
    for wrong in ({}, {"of": 1}, {"of": "groups", "other": 1}):
        with pytest.raises(ValidationError):
            one.filled(wrong)


def test_a_default_is_checked_as_a_given_value_is():
    """NaN is refused before a run gets its name from it."""

    class Broken(Parameters):
        power: float = float("nan")

    with pytest.raises(ValidationError, match="finite number"):
        Plugin(kind="rule", name="mine", make="a:b", parameters=Broken).filled({})


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: rule("Mine"), "'Mine' is no name of a rule"),
        (lambda: model("a" * 61), "is no name of a model"),
        (lambda: metric("", unit="points"), "'' is no name of a metric"),
        (lambda: rule("mine", needs=("labels",)), "'labels' is none of latents, groups"),
        (lambda: rule("mine", needs="groups"), r"write a tuple, \('groups',\)"),
        (lambda: rule("mine", scope="weights"), "'weights' is none of draw, loss"),
        (lambda: metric("mine", unit="", better="more"), "'more' is none of higher, lower"),
        (lambda: source("mine", role="training"), "'training' is none of train"),
        (lambda: rule("mine")(3), "the rule mine: put the decorator on a function or a class"),
        (lambda: rule("mine", parameters=BaseModel), "give a subclass of repro.plugins.Parameters"),
        (lambda: rule("mine", parameters=dict), "give a subclass of repro.plugins.Parameters"),
    ],
)
def test_a_wrong_declaration_says_what_is_expected(declare, said):
    """At once, before the function is seen."""
    with pytest.raises(ValueError, match=said):
        declare()


def test_code_that_is_only_named_is_imported_when_it_is_used():
    """As that of everything built in."""
    assert Plugin(kind="rule", name="mine", make="math:sqrt").function(4.0) == 2.0
