"""Help of commands where Python has dropped it: ``python -OO`` keeps no docstrings."""

import ast
import inspect
from pathlib import Path
from typing import Any

import click


def with_help(command: click.Command) -> click.Command:
    """The command, with the docstring of its function as help, which click could not see."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            with_help(one)
    if command.help is None and command.callback is not None:
        command.help = _docstring(inspect.unwrap(command.callback))
    return command


def _docstring(function: Any) -> str | None:
    """The docstring as the source has it; None without the source."""
    try:
        module = ast.parse(Path(inspect.getfile(function)).read_text(encoding="utf-8"))
    except (OSError, TypeError, ValueError):
        return None
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
            return ast.get_docstring(node)
    return None
