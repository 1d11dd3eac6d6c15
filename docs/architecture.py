"""Draws docs/architecture.svg, the packages and their imports: `make architecture`.

A package stands above all that it imports. A line goes from a package to one that it imports; one
that follows from two others is left out.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "repro"
PICTURE = ROOT / "docs" / "architecture.svg"
TOP = "repro"  # the package itself, with what other programs import
Imports = dict[str, set[str]]

WIDTH, HEIGHT, GAP, FLOOR = 128, 30, 14, 74  # pixels: of a box, and from one to the next
COLOURS = {  # the part of the program that a package belongs to
    "mathematics": "#dbe9f6",
    "records and data": "#e5f0da",
    "runs": "#fbe8cf",
    "results": "#eadff2",
    "interface": "#e6e6e6",
}
PARTS = {
    "mathematics": {"losses", "metrics", "models", "resampling", "stats", "training.kernels"},
    "records and data": {
        *("study", "records", "records.mlflow"),
        *("data", "data.pictures", "data.sources", "data.synthetic"),
    },
    "runs": {"training", "detectors", "execution", "execution.executors"},
    "results": {"analysis", "analysis.audit", "reporting"},
}


def package_of(dotted: str) -> str:
    """The package of a module, or the module itself at the top; without ``repro.``."""
    parts = dotted.split(".")
    path = PACKAGE.joinpath(*parts[1:])
    if not path.is_dir() and len(parts) > 2:
        parts.pop()
    return ".".join(parts[1:])


def modules() -> Iterator[tuple[Path, str]]:
    """Every file of ours, and its module's name."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("repro", *path.relative_to(PACKAGE).with_suffix("").parts)
        yield path, ".".join(parts).removesuffix(".__init__")


def repro_imports(path: Path) -> Iterator[str]:
    """Modules and packages of ours that a file imports, at the top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "repro":
            for alias in node.names:
                whole = PACKAGE.joinpath(*f"{node.module}.{alias.name}".split(".")[1:])
                module = whole.with_suffix(".py").is_file() or whole.is_dir()
                yield f"{node.module}.{alias.name}" if module else str(node.module)


def imports_of_packages() -> Imports:
    """For each package the others that its modules import; ``""`` is the package at the top."""
    found: Imports = defaultdict(set)
    for path, name in modules():
        others = {package_of(one) for one in repro_imports(path) if one != "repro"}
        found[package_of(name)] |= others - {package_of(name)}
    used = sorted(set().union(*found.values()))
    return {**{package: set() for package in used}, **found}


def floors(imports: Mapping[str, set[str]]) -> dict[str, int]:
    """The floor of each package: 1 imports nothing, all others stand above what they import."""
    floor: dict[str, int] = {}
    for package in TopologicalSorter(imports).static_order():
        floor[package] = 1 + max((floor[one] for one in imports[package]), default=0)
    return floor


def direct(imports: Imports) -> Iterator[tuple[str, str]]:
    """The imports that do not follow from others."""
    below: Imports = {}
    for package in TopologicalSorter(imports).static_order():
        below[package] = imports[package].union(*(below[one] for one in imports[package]))
    for package, others in imports.items():
        implied = set().union(*(below[one] for one in others)) if others else set()
        yield from ((package, one) for one in sorted(others - implied))


def places(imports: Imports) -> dict[str, tuple[float, float]]:
    """The middle of each box; a package stands near the middle of those that import it."""
    floor = floors(imports)
    rows = [sorted(p for p in floor if floor[p] == n) for n in range(max(floor.values()), 0, -1)]
    width = max(map(len, rows)) * (WIDTH + GAP)
    at: dict[str, tuple[float, float]] = {}
    for number, row in enumerate(rows):
        users = {p: [at[q][0] for q in at if p in imports[q]] or [width / 2] for p in row}
        row.sort(key=lambda p: (sum(users[p]) / len(users[p]), p))
        left = (width - len(row) * (WIDTH + GAP)) / 2
        for k, package in enumerate(row):
            at[package] = (left + (k + 0.5) * (WIDTH + GAP), GAP + HEIGHT / 2 + number * FLOOR)
    return at


def colour(package: str) -> str:
    """Of the part that it belongs to; what is in no part is what all others use."""
    if package in ("", "api", "cli"):
        return COLOURS["interface"]
    names = (package, package.split(".")[0])
    return next((COLOURS[part] for part, all_ in PARTS.items() if {*names} & all_), "#ffffff")


def drawing() -> str:
    """The picture as SVG."""
    imports = imports_of_packages()
    at = places(imports)
    width = max(x for x, _ in at.values()) + WIDTH / 2 + GAP
    height = max(y for _, y in at.values()) + HEIGHT / 2 + GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="12">',
        "<title>The packages of repro, each above those that it imports</title>",
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for above, below in direct(imports):
        (x, y), (x2, y2) = at[above], at[below]
        lines.append(
            f'<path d="M{x:.0f} {y + HEIGHT / 2:.0f} C{x:.0f} {y + FLOOR / 2:.0f} '
            f'{x2:.0f} {y2 - FLOOR / 2:.0f} {x2:.0f} {y2 - HEIGHT / 2:.0f}" '
            'fill="none" stroke="#999"/>'
        )
    for package, (x, y) in at.items():
        lines.append(
            f'<rect x="{x - WIDTH / 2:.0f}" y="{y - HEIGHT / 2:.0f}" width="{WIDTH}" '
            f'height="{HEIGHT}" rx="4" fill="{colour(package)}" stroke="#555"/>'
            f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle">'
            f"{escape(package or TOP)}</text>"
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(drawing(), encoding="utf-8")
