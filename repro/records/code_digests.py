"""Digests of the modules that compute results, and releases of libraries.

A module's digest depends on its meaning, not on its layout: comments, docstrings and formatting are
ignored. Records hold the digests, so that `repro verify` can name what changed if bits differ; the
names of runs do not depend on them, see `numerics`.
"""

import ast
import functools
import hashlib
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("torch", "numpy", "pillow")  # libraries that compute results
PACKAGE = Path(__file__).parent.parent


def _names(pattern: str) -> list[str]:
    """Modules that match a path pattern, so that a new source need not be listed."""
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob(pattern))


# The modules that compute a run's numbers.
MODULES = (
    *_names("data/pictures/[!_]*.py"),
    *_names("data/sources/*.py"),
    "training/single_run.py",
    "losses/formulas.py",
    "metrics.py",
    "models.py",
    "resampling.py",
    "system/csv_file.py",
    "system/file_digests.py",
    "system/shared_objects.py",
    "system/worker_environment.py",
    "training/adam_state.py",
    "training/batched.py",
    "training/epoch_batches.py",
    "training/epoch_choice.py",
    "training/epoch_numbers.py",
    "training/evaluation.py",
    "training/first_epoch.py",
    "training/image_counts.py",
    "training/image_split.py",
    "training/inference.py",
    *_names("training/kernels/*.[ch]"),
    *_names("training/kernels/*.cu"),
    "training/kernels/blocked.py",
    "training/kernels/c_calls.py",
    "training/kernels/c_compiler.py",
    "training/kernels/c_library.py",
    "training/kernels/cuda_library.py",
    "training/kernels/dense.py",
    "training/kernels/devices.py",
    "training/kernels/direct.py",
    "training/kernels/hidden.py",
    "training/kernels/kernel_choice.py",
    "training/kernels/latents.py",
    "training/kernels/linear.py",
    "training/kernels/operators.py",
    "training/kernels/stacked.py",
    "training/kernels/thin_products.py",
    "training/kernels/unfolded.py",
    "training/kernels/whole_vectors.py",
    "training/networks.py",
    "training/objective.py",
    *_names("training/objectives/[!_]*.py"),
    "training/random_streams.py",
    *_names("training/rules/[!_]*.py"),
    "training/run_methods.py",
    "training/resumption.py",
    "training/run_clock.py",
    "training/run_guards.py",
    "training/run_results.py",
    "training/running_objective.py",
    "training/sliding_windows.py",
    "training/source_run.py",
    "training/stacked_runs.py",
    "training/step.py",
    "training/trainer.py",
    "training/weighting.py",
)


@functools.cache
def code() -> dict[str, str]:
    """Twelve hex digits for the meaning of each of `MODULES`, as on disk."""
    return {name: meaning(PACKAGE / name)[:12] for name in MODULES}


@functools.cache
def libraries() -> dict[str, str]:
    """The release of each of `LIBRARIES`."""
    return {name: version(name) for name in LIBRARIES}


def meaning(path: Path) -> str:
    """SHA-256 of a source file's meaning."""
    text = path.read_text(encoding="utf-8")
    words = _c_words(text) if path.suffix in (".c", ".h", ".cu") else _python_words(ast.parse(text))
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def _c_words(text: str) -> Iterator[str]:
    """A C source without comments and white space; line ends stay, because directives end there."""
    for line in re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL).splitlines():
        if words := line.split():
            yield " ".join(words)


def _python_words(tree: ast.AST) -> Iterator[str]:
    """A syntax tree in order, without empty fields, which differ between releases of Python."""
    yield type(tree).__name__
    for name, value in ast.iter_fields(tree):
        if name in ("kind", "type_comment", "type_ignores"):
            continue
        if name == "body" and _has_docstring(tree):
            value = value[1:]
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ast.AST):
                yield f"{name}("
                yield from _python_words(item)
                yield ")"
            elif item is not None:
                yield f"{name}={item!r}"


def _has_docstring(tree: ast.AST) -> bool:
    return (
        isinstance(tree, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.get_docstring(tree, clean=False) is not None
    )
