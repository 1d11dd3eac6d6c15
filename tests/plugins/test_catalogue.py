"""What a study can name: nothing is replaced, whoever came first."""

import pytest

from repro.plugins.catalogue import Catalogue, NameTaken
from repro.plugins.declared import Origin, Plugin

BUILT_IN = Plugin(kind="rule", name="mine", make="a:b")
FIRST = Plugin(
    kind="rule", name="mine", make=print, origin=Origin("a.py", "0" * 32, root="a.py", shown="a.py")
)
SECOND = Plugin(
    kind="rule", name="mine", make=print, origin=Origin("b.py", "1" * 32, root="b.py", shown="b.py")
)
MODEL = Plugin(kind="model", name="mine", make=print)


@pytest.mark.parametrize(
    ("both", "said"),
    [
        ((BUILT_IN, FIRST), "a.py: there is a rule called 'mine' already, a built-in one"),
        ((FIRST, SECOND), "b.py: there is a rule called 'mine' already, that of a.py"),
        ((SECOND, FIRST), "a.py: there is a rule called 'mine' already, that of b.py"),
    ],
)
def test_a_name_that_is_taken_is_an_error(both, said):
    """It says who has it."""
    with pytest.raises(NameTaken, match=said):
        Catalogue().with_plugins(both)


def test_names_are_of_a_kind():
    """A rule and a model may have the same."""
    both = Catalogue().with_plugins([FIRST, MODEL])

    assert (both.find("rule", "mine"), both.find("model", "mine")) == (FIRST, MODEL)
    assert both.find("metric", "mine") is None
    assert both.names("rule") == ("mine",)


def test_a_catalogue_is_not_changed():
    """Another study has its own."""
    empty = Catalogue()
    empty.with_plugins([FIRST])

    assert not list(empty)
