"""Imports go downwards only."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import repro

PACKAGE = Path(repro.__file__).parent
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py")
SYNTHETIC = {
    "data.distractors",
    "data.drawing",
    "data.factors",
    "data.features",
    "data.heads",
    "data.people",
    "data.scenery",
}
FIGURE = {"figures.style", "figures.illustration", "figures.material"}
MAY_IMPORT = {
    # vocabulary
    "errors": set(),
    "yamlfile": {"errors"},
    "configuration": set(),
    "ledger": {"yamlfile", "configuration"},
    "layers": {"errors", "yamlfile"},
    "writing": {"errors"},
    "sealed": set(),
    "lineage": set(),
    "published": {"errors", "yamlfile", "layers", "configuration"},
    "study": {"errors", "yamlfile", "layers", "configuration", "published"},
    # mathematics: nothing of ours
    "losses": set(),
    "resampling": set(),
    "metrics": set(),
    "stats.intervals": set(),
    "stats.selection": {"stats.intervals"},
    "stats.disparity": {"stats.intervals"},
    "stats.operating": {"stats.intervals"},
    "stats.comparisons": {"stats.intervals", "stats.selection"},
    "stats.bootstrap": {"stats.intervals", "stats.selection", "stats.operating"},
    "stats.agreement": {"stats.intervals", "stats.selection", "stats.disparity"},
    "stats.forensics": {"stats.intervals", "stats.selection", "stats.disparity"},
    # machinery
    "kernels.library": set(),
    "kernels.linear": set(),
    "kernels.operators": {"losses"},
    "kernels.blocked": {"kernels.library"},
    "kernels.choice": {"kernels.library", "kernels.blocked", "kernels.operators"},
    "models": {"kernels.linear"},
    "windows": set(),
    "streams": set(),
    "inference": {"kernels.choice", "kernels.operators", "models"},
    "step": {"configuration", "kernels.choice", "losses", "models"},
    "data.sets": set(),
    "data.mit_h5": {"errors", "data.sets"},
    "data.folder": {"errors", "data.sets"},
    "data.ppb": {"errors", "data.sets", "data.folder"},
    "data.synthetic": {*SYNTHETIC, "lineage"},
    **{name: SYNTHETIC - {name} for name in SYNTHETIC},
    "data.levels": {"data.drawing", "data.factors"},
    "data.sources": {
        "errors",
        "configuration",
        "data.sets",
        "data.mit_h5",
        "data.folder",
        "data.ppb",
        "data.synthetic",
    },
    "training": {
        "errors",
        "configuration",
        "kernels.library",
        "step",
        "resampling",
        "models",
        "streams",
        "inference",
        "data.sets",
    },
    "evaluation": {
        "configuration",
        "losses",
        "metrics",
        "models",
        "windows",
        "inference",
        "training",
        "data.sets",
    },
    # evidence
    "provenance": {"kernels.library"},
    "records": {"errors", "configuration", "study", "metrics", "sealed", "writing"},
    "mlflow_store": set(),
    "mlflow_runs": {"records", "mlflow_store"},
    "mlflow_pages": {"records", "mlflow_runs"},
    "tracking": {"errors", "records", "mlflow_store", "mlflow_runs", "mlflow_pages"},
    "synchronisation": {
        "locks",
        "errors",
        "records",
        "mlflow_store",
        "mlflow_runs",
        "mlflow_pages",
        "tracking",
    },
    "specimens": set(),
    "differences": {"records"},
    "doctor": {"errors", "writing", "records", "locks", "unfinished", "mlflow_store"},
    "locks": {"records", "writing"},
    "outcomes": {
        "published",
        "metrics",
        "records",
        "stats.intervals",
        "stats.selection",
        "stats.disparity",
    },
    "audit.words": set(),
    "audit.sheets": {"stats.forensics", "audit.words"},
    "audit.keys": {"audit.sheets"},
    "audit.means": {"stats.intervals", "stats.forensics", "audit.sheets", "audit.keys"},
    "audit.runs": {
        "errors",
        "outcomes",
        "stats.intervals",
        "stats.forensics",
        "audit.words",
        "audit.sheets",
        "audit.keys",
    },
    "audit.sources": {"audit.words", "audit.sheets", "audit.means", "audit.runs"},
    "audit.comparison": {"stats.forensics", "audit.keys", "audit.means", "audit.runs"},
    "audit.findings": {
        "stats.disparity",
        "stats.forensics",
        "audit.words",
        "audit.keys",
        "audit.means",
        "audit.runs",
        "audit.sources",
        "audit.comparison",
    },
    "audit.inspection": {
        "errors",
        "outcomes",
        "audit.words",
        "audit.runs",
        "audit.sources",
        "audit.findings",
    },
    "readings": {
        "outcomes",
        "stats.intervals",
        "stats.disparity",
        "stats.operating",
        "stats.bootstrap",
    },
    "contrasts": {
        "outcomes",
        "readings",
        "stats.intervals",
        "stats.disparity",
        "stats.comparisons",
    },
    "verdicts": {
        "published",
        "outcomes",
        "contrasts",
        "stats.intervals",
        "stats.selection",
        "stats.disparity",
        "stats.agreement",
    },
    # execution
    "machine": {"errors", "kernels.library", "lineage", "records"},
    "tasks": {"configuration", "records"},
    "unfinished": set(),
    "checkpoints": {"sealed", "writing", "records", "unfinished", "training"},
    "execution": {
        "errors",
        "writing",
        "lineage",
        "locks",
        "checkpoints",
        "unfinished",
        "models",
        "configuration",
        "data.sources",
        "data.sets",
        "training",
        "evaluation",
        "metrics",
        "provenance",
        "records",
        "tasks",
    },
    "processes": {"errors"},
    "executor": {"tasks", "processes", "execution"},
    "mirroring": {"errors", "records", "tracking", "processes"},
    "gallery": {
        "errors",
        "configuration",
        "data.sources",
        "data.sets",
        "models",
        "inference",
        "training",
        "records",
        "specimens",
    },
    "rarity": {
        "configuration",
        "data.sources",
        "data.levels",
        "training",
        "records",
        "specimens",
    },
    "calibration": {
        "errors",
        "configuration",
        "data.sources",
        "data.sets",
        "models",
        "training",
        "evaluation",
        "tasks",
        "processes",
    },
    "runner": {
        "errors",
        "configuration",
        "study",
        "data.sources",
        "locks",
        "machine",
        "provenance",
        "records",
        "tasks",
        "executor",
        "writing",
    },
    "staleness": {"errors", "configuration", "records", "unfinished", "tasks", "differences"},
    "verification": {
        "errors",
        "configuration",
        "data.sources",
        "machine",
        "provenance",
        "records",
        "tasks",
        "executor",
        "differences",
    },
    # presentation: never machinery
    "progress": {"metrics", "records", "tasks"},
    "columns": set(),
    "escaping": set(),
    "rendering": {"columns", "escaping"},
    "remarks": {
        "outcomes",
        "rendering",
        "readings",
        "contrasts",
        "stats.intervals",
        "stats.selection",
        "stats.disparity",
        "stats.comparisons",
        "stats.agreement",
    },
    "tables": {
        "errors",
        "audit.inspection",
        "outcomes",
        "readings",
        "contrasts",
        "verdicts",
        "remarks",
        "rendering",
        "stats.intervals",
        "stats.disparity",
        "stats.comparisons",
    },
    "ui": {"errors", "mlflow_store", "mlflow_pages", "warden"},
    "warden": set(),
    "figures.style": set(),
    "figures.illustration": set(),
    "figures.material": {"outcomes", "records", "specimens", "figures.style"},
    "figures.curves": {*FIGURE, "records"},
    "figures.recall": {
        *FIGURE,
        "outcomes",
        "published",
        "contrasts",
        "verdicts",
        "readings",
        "stats.intervals",
        "stats.disparity",
    },
    "figures.latents": {*FIGURE, "metrics", "records", "specimens", "stats.intervals"},
    "figures.pictures": {*FIGURE, "specimens"},
    "figures.catalogue": {
        "figures.illustration",
        "figures.material",
        "figures.curves",
        "figures.recall",
        "figures.latents",
        "figures.pictures",
    },
    "figures.files": {
        "errors",
        "layers",
        "writing",
        "figures.illustration",
        "figures.material",
        "figures.catalogue",
    },
    "report.chapter": {"escaping", "figures.illustration", "outcomes", "records"},
    "report.document": {"figures.illustration", "rendering"},
    "report.evidence": {"records", "rendering", "report.chapter"},
    "report.choices": {"ledger", "rendering", "tables", "verdicts", "report.chapter"},
    "report.contents": {
        "errors",
        "escaping",
        "figures.illustration",
        "rendering",
        "tables",
        "stats.disparity",
        "report.chapter",
        "report.document",
        "report.choices",
        "report.evidence",
    },
    "report.html": {"figures.illustration", "rendering", "report.document"},
    "report.typesetting": {"columns", "rendering", "report.document"},
    "report.latex": {
        "columns",
        "escaping",
        "figures.illustration",
        "report.document",
        "report.typesetting",
    },
    "report.files": {
        "writing",
        "figures.illustration",
        "report.chapter",
        "report.contents",
        "report.html",
        "report.latex",
    },
    # door
    "options": set(),
    "interruptions": set(),
    "lookup": {"errors", "yamlfile", "layers", "study", "records"},
    "exhibits": {
        "errors",
        "records",
        "outcomes",
        "gallery",
        "rarity",
        "specimens",
        "rendering",
        "figures.illustration",
        "figures.material",
        "figures.catalogue",
        "report.chapter",
    },
    "cli": {
        "errors",
        "yamlfile",
        "layers",
        "published",
        "study",
        "machine",
        "records",
        "tasks",
        "runner",
        "calibration",
        "staleness",
        "verification",
        "doctor",
        "progress",
        "mirroring",
        "synchronisation",
        "audit.inspection",
        "outcomes",
        "rendering",
        "tables",
        "ui",
        "interruptions",
        "options",
        "lookup",
        "exhibits",
        "figures.files",
        "figures.material",
        "report.files",
    },
}


def module_name(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def repro_imports(path):
    """Modules of ours that a file imports, at the top or inside a function."""
    names = set()
    known = {module_name(file) for file in FILES}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "repro":
            inner = node.module.removeprefix("repro").lstrip(".")
            whole = {f"{inner}.{alias.name}".lstrip(".") for alias in node.names}
            names |= (whole & known) or ({inner} & known)
    return names


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_a_module_imports_only_what_the_floor_plan_allows(path):
    """Study, runs, records, statistics, tables: each room knows the ones below."""
    assert repro_imports(path) <= MAY_IMPORT[module_name(path)]


def test_the_modules_form_no_cycle():
    """A topological order exists; graphlib raises CycleError otherwise."""
    order = [*TopologicalSorter({module_name(p): repro_imports(p) for p in FILES}).static_order()]

    assert order[-1] == "cli"


def test_the_floor_plan_names_every_module_and_no_other():
    """A new module gets a place in the plan."""
    assert set(MAY_IMPORT) == {module_name(path) for path in FILES}


def test_the_command_line_loads_nothing_heavy():
    """Help answers in a blink, on machines without a GPU or MLflow."""
    heavy = "{'torch', 'mlflow', 'pandas', 'numpy', 'pydantic'}"
    probe = f"import sys, repro.cli; sys.exit(bool({heavy} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_the_parent_of_a_study_never_loads_torch():
    """Workers alone pay for it."""
    probe = (
        "import sys, repro.runner, repro.calibration, repro.progress, repro.tables;"
        "import repro.figures.files, repro.exhibits;"
        "sys.exit('torch' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
