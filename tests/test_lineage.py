"""Code is known by what it says."""

import ast
from pathlib import Path

import pytest
from test_floor_plan import PACKAGE, repro_imports

from repro import lineage

SOURCE = '''"""A module."""
# a remark
def twice(x):
    """Double."""
    return 2 * x
'''
C_SOURCE = "int twice(int x) { /* a remark */\n  return 2 * x; // another\n}\n"


def meaning(folder, text, name="m.py"):
    path = folder / name
    path.write_text(text)
    return lineage.meaning(path)


@pytest.mark.parametrize(
    "edited",
    [
        SOURCE.replace("# a remark\n", ""),
        SOURCE.replace("Double.", "Two of them."),
        SOURCE.replace('"""A module."""\n', "\n\n"),
        SOURCE.replace("2 * x", "(2  *  x)"),
    ],
    ids=["comment", "docstring", "module docstring", "layout"],
)
def test_what_people_alone_read_is_no_part_of_the_meaning(tmp_path, edited):
    """The same program, written otherwise."""
    assert meaning(tmp_path, SOURCE) == meaning(tmp_path, edited)


@pytest.mark.parametrize(
    "edited",
    [
        SOURCE.replace("2 * x", "3 * x"),
        SOURCE.replace("2 * x", "2 + x"),
        SOURCE.replace("2 * x", "x * 2"),
        SOURCE.replace("2 * x", "2.0 * x"),
        SOURCE.replace("return 2", "x = 1\n    return 2"),
        SOURCE.replace("def twice(x)", "def twice(x=1)"),
    ],
    ids=["constant", "operator", "order", "type", "statement", "default"],
)
def test_what_the_machine_does_is_the_meaning(tmp_path, edited):
    """Any of these may change a number."""
    assert meaning(tmp_path, SOURCE) != meaning(tmp_path, edited)


def test_nesting_is_part_of_the_meaning(tmp_path):
    """The same words in another tree."""
    flat, deep = "if a:\n    b()\nc()\n", "if a:\n    b()\n    c()\n"

    assert meaning(tmp_path, flat) != meaning(tmp_path, deep)


def test_comments_of_c_are_no_part_of_its_meaning(tmp_path):
    """As for Python."""
    bare = "int twice(int x) {\n  return   2 * x;\n}\n"

    assert meaning(tmp_path, C_SOURCE, "m.c") == meaning(tmp_path, bare, "m.c")
    assert meaning(tmp_path, C_SOURCE, "m.c") != meaning(tmp_path, bare.replace("2", "3"), "m.c")


def test_every_module_that_computes_is_part_of_a_runs_name():
    """Whatever training, evaluation and their data import, less words, files and bookkeeping."""
    bookkeeping = {
        *("checks", "operands", "errors", "configuration", "study", "study_files", "published"),
        *("layers", "yamlfile", "data.likeness"),
        *("sections", "datasets", "presets", "header", "resources"),
        *("records", "writing", "sealed", "locks", "unfinished", "checkpoints"),
        *("provenance", "lineage", "tasks"),
    }
    seen, new = set(), {"execution", "data.sources"}
    while new:
        seen |= new
        paths = [PACKAGE / f"{name.replace('.', '/')}.py" for name in new]
        new = {name for path in paths for name in repro_imports(path)} - seen
    computing = {f"{name.replace('.', '/')}.py" for name in seen - bookkeeping}
    generator = {f"data/{name}.py" for name in _sources_of_the_embedded_data()}

    assert computing - generator == set(lineage.MODULES) - {"kernels/blocked.c"}


def _sources_of_the_embedded_data():
    """They are part of the data's name."""
    tree = ast.parse((PACKAGE / "data" / "synthetic.py").read_text())
    (listed,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_SOURCES"
    ]
    return ast.literal_eval(listed)


def test_every_module_that_is_named_is_there():
    """Digests of files, of the whole list."""
    assert set(lineage.code()) == set(lineage.MODULES)
    assert all((Path(lineage.__file__).parent / name).is_file() for name in lineage.MODULES)
