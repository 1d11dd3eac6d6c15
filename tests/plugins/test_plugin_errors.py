"""An exception of a plug-in is one sentence with its own file and line."""

import pytest

from repro.errors import RunFailed
from repro.plugins import calls, plugin_module, plugin_text
from repro.plugins.plugin_errors import PluginError

FAILING = """\
import json
from repro.plugins import rule

class Own(Exception):
    def __str__(self):
        return 1 / 0

@rule("mine")
def mine(latents, context):
    {body}
"""


@pytest.fixture
def rule_that(tmp_path):
    """Makes a rule with this body, on line 10."""

    def made(body):
        (tmp_path / "mine.py").write_text(FAILING.format(body=body))
        (one,) = plugin_module.plugins_of(plugin_text.read(tmp_path / "mine.py"))
        return one

    return made


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 1 / 0", "mine.py:10: rule mine: ZeroDivisionError: division by zero"),
        ("json.loads('{')", "mine.py:10: rule mine: JSONDecodeError: Expecting property name"),
        ("raise Own", "mine.py:10: rule mine: Own"),
        ("exit(3)", "mine.py:10: rule mine: it asks Python to exit: raise an exception instead"),
        ("raise ValueError('two\\nlines')", "mine.py:10: rule mine: ValueError: two lines"),
    ],
)
def test_the_last_line_of_its_own_is_named(rule_that, body, said):
    """Not the line of a library that it called."""
    with pytest.raises(PluginError) as error:
        calls.call(rule_that(body), None, None)

    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "stays", [MemoryError(), RunFailed(epoch=1, term="resampling weights", reason="NaN")]
)
def test_what_is_no_mistake_of_its_own_is_left_alone(rule_that, stays):
    """A lack of memory, and a run that failed."""
    with pytest.raises(type(stays)):
        calls.call(rule_that("raise context"), None, stays)
