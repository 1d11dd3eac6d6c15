"""Which modules of ours import which."""

import ast
from pathlib import Path

import repro

PACKAGE = Path(repro.__file__).parent


def package_of(dotted):
    """The package of a module, or the module itself at the top; without ``repro.``."""
    parts = dotted.split(".")
    path = PACKAGE.joinpath(*parts[1:])
    if not path.is_dir() and len(parts) > 2:
        parts.pop()
    return ".".join(parts[1:])


def modules():
    """Every file of ours, and its module's name."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("repro", *path.relative_to(PACKAGE).with_suffix("").parts)
        yield path, ".".join(parts).removesuffix(".__init__")


def repro_imports(path):
    """Modules and packages of ours that a file imports, at the top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "repro":
            for alias in node.names:
                whole = PACKAGE.joinpath(*f"{node.module}.{alias.name}".split(".")[1:])
                module = whole.with_suffix(".py").is_file() or whole.is_dir()
                yield f"{node.module}.{alias.name}" if module else node.module
