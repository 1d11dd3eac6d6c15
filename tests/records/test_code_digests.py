"""Code is known by what it says."""

import pytest
from architecture import PACKAGE, package_of, repro_imports

from repro.records import code_digests
from repro.study import methods

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
    return code_digests.meaning(path)


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


def test_every_module_that_computes_has_its_digest_in_records():
    """Whatever training, methods and their data import, less words, files and bookkeeping."""
    bookkeeping = {"errors", "argument_checks", "study", "records", "data.synthetic", "plugins"}
    others = {"system.atomic_files", "system.checksum", "system.regular_file", "losses"}
    others |= {"system.count_progress", "system.screen", "data.duplicates"}
    others |= {"system.printing", "system.private", "system.input_file", "system.machine"}
    others |= {"training.provenance", "training.state_files", "training.kernels.library_cache"}
    sources = {f"repro.data.sources.{path.stem}" for path in PACKAGE.glob("data/sources/[!_]*.py")}
    named = {one.make.split(":")[0] for one in methods.BUILT_IN if one.make}
    executed = {"repro.training.single_run", "repro.training.stacked_runs"}
    seen, new = set(), {*executed, "repro.data.sources", *sources, *named}
    while new:
        seen |= new
        new = {one for name in new for one in repro_imports(source_of(name))} - seen
    computing = {name.removeprefix("repro.") for name in seen}
    computing = {one for one in computing - others if package_of(f"repro.{one}") not in bookkeeping}

    listed = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in code_digests.MODULES
        if name.endswith(".py")
    }
    assert computing - {"training.objectives", "training.rules"} == listed


def source_of(name):
    """The file of a module or package of ours."""
    path = PACKAGE.joinpath(*name.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_every_module_that_is_named_is_there():
    """Digests of files, of the whole list."""
    assert set(code_digests.code()) == set(code_digests.MODULES)
    assert all((PACKAGE / name).is_file() for name in code_digests.MODULES)
