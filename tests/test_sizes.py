"""A function does one thing and a module has one job, so both are short."""

import ast

from places import ROOT

MOST_OF_A_FUNCTION, MOST_OF_A_MODULE = 45, 450  # lines; docstrings of functions are not counted
LONGER = {  # and why
    "models.py": "the networks of the literature, which one reads beside each other",
}


def sizes():
    """Lines of every module, and of every function without its docstring."""
    for path in sorted((ROOT / "repro").rglob("*.py")):
        name, text = path.relative_to(ROOT / "repro").as_posix(), path.read_text()
        yield name, len(text.splitlines()), MOST_OF_A_MODULE
        for one in ast.walk(ast.parse(text)):
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                told = one.body[0] if ast.get_docstring(one) is not None else None
                said = told.end_lineno - told.lineno + 1 if told else 0
                lines = one.end_lineno - one.lineno + 1 - said
                yield f"{name}: {one.name}", lines, MOST_OF_A_FUNCTION


def test_functions_and_modules_are_short():
    """But for those that say why they are not; what has become short is taken off that list."""
    long = {name: lines for name, lines, most in sizes() if lines > most}

    assert long.keys() == LONGER.keys(), {n: long.get(n) for n in long.keys() ^ LONGER.keys()}
