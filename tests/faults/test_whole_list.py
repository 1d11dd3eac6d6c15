"""What only the whole list did would rot: each of its tests has a draw in `make test`."""

import ast
import multiprocessing
import os
from pathlib import Path

import pytest

from faults.conftest import part

HERE = Path(__file__).parent
MODULES = sorted(HERE.glob("test_*.py"))
DRAWS = ["size: large", "size: larger", "shape: round", "size: largest", "shape: flat"]


class Names:
    """Remembers which tests pytest finds."""

    def __init__(self):
        """None yet."""
        self.found = []

    def pytest_collection_finish(self, session):
        """All of them, in the end."""
        self.found = [item.nodeid for item in session.items]


def collect(options, pipe):
    """In a process of its own: the names of the tests with these options."""
    os.environ["PYTEST_XDIST_WORKER"] = "a fork"  # the machine is neutral already
    output = os.open(os.devnull, os.O_WRONLY)
    os.dup2(output, 1)
    names = Names()
    quiet = ["--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    pytest.main([*quiet, *options, str(HERE)], plugins=[names])
    pipe.send(names.found)


def collected(*options):
    """The names of the fault tests with these options."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=collect, args=[options, theirs])
    process.start()
    theirs.close()
    found = ours.recv()
    process.join()
    return found


def test_every_test_of_the_whole_list_has_a_draw_in_the_quick_part():
    """The same functions; what the quick part tries is tried by the whole list, too."""
    quick, whole = collected(), collected("--whole")
    functions = [{name.partition("[")[0] for name in names} for names in (quick, whole)]

    assert len(quick) > 100
    assert set(quick) < set(whole)
    assert functions[0] == functions[1]


def calls(module, name):
    """Calls of a fixture in a module: the first argument, and where."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield f"{module.name}:{node.lineno}", node.args[0]


def test_no_quick_part_is_empty():
    """`amount` is never asked for nothing, and never for another list than the whole one."""
    wrong = [
        place
        for module in MODULES
        for place, quick in calls(module, "amount")
        if isinstance(quick, ast.List | ast.Tuple | ast.Set)
        or (isinstance(quick, ast.Constant) and not quick.value)
    ]

    assert wrong == []


def test_nobody_else_asks_whether_it_is_the_whole_list():
    """One place says what the quick part is."""
    asking = [m.name for m in MODULES if "getopt" + "ion(" in m.read_text()]

    assert asking == []


@pytest.mark.parametrize(
    ("quick", "taken"),
    [
        (1, DRAWS[:1]),
        (3, DRAWS[:3]),
        (DRAWS[3:4], DRAWS[3:4]),
        (5, DRAWS),
    ],
)
def test_a_part_is_of_the_list(quick, taken):
    """In its order."""
    assert part(DRAWS, quick) == taken


def test_a_part_has_each_kind():
    """The first of each, beside those that are asked for."""
    assert part(DRAWS, [DRAWS[3]], lambda name: name[:5]) == [DRAWS[0], DRAWS[2], DRAWS[3]]


@pytest.mark.parametrize("quick", [0, [], ["size: small"]])
def test_nothing_and_what_is_not_in_the_list_is_no_part(quick):
    """Also in the whole run, so that it is found there, too."""
    with pytest.raises(ValueError, match="not a part of the whole list"):
        part(DRAWS, quick)
