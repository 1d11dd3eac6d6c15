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
    "sections": set(),
    "resources": {"sections"},
    "datasets": {"sections"},
    "configuration": {"sections", "datasets"},
    "presets": {"layers"},
    "ledger": {"yamlfile", "configuration"},
    "layers": {"errors", "yamlfile"},
    "writing": {"errors"},
    "sealed": set(),
    "lineage": set(),
    "published": {"errors", "yamlfile", "layers", "configuration", "sections"},
    "header": {"published", "resources", "sections"},
    "study": {
        "errors",
        "yamlfile",
        "layers",
        "configuration",
        "presets",
        "published",
        "resources",
        "header",
    },
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
    "kernels.blocked": {"kernels.library", "kernels.operators"},
    "kernels.choice": {"kernels.library", "kernels.blocked", "kernels.operators"},
    "models": {"kernels.linear"},
    "windows": set(),
    "streams": set(),
    "inference": {"kernels.choice", "kernels.operators", "models"},
    "step": {"configuration", "kernels.choice", "losses", "models"},
    "data.sets": set(),
    "data.mit_h5": {"errors", "data.sets", "data.folder"},
    "data.folder": {"errors", "data.sets"},
    "data.rows": {"errors", "data.folder"},
    "data.framing": {"data.sets"},
    "data.ppb": {"errors", "data.sets", "data.folder", "data.rows"},
    "data.fairface": {"errors", "data.sets", "data.folder", "data.rows"},
    "data.utkface": {"errors", "data.sets", "data.folder"},
    "data.table": {"errors", "data.sets", "data.folder", "data.rows"},
    "data.group_folders": {"errors", "data.sets", "data.folder", "data.framing"},
    "data.raw": {"data.sets", "data.folder", "data.framing", "data.mit_h5"},
    "data.celeba": {"errors", "data.raw"},
    "data.imagenet": {"errors", "data.folder", "data.raw"},
    "data.raw_sources": {
        "errors",
        "data.raw",
        "data.celeba",
        "data.imagenet",
        "data.mit_h5",
        "data.rows",
        "data.table",
    },
    "data.catalogue": {"errors", "sections"},
    "data.collection": {
        "errors",
        "data.sets",
        "data.folder",
        "data.mit_h5",
        "data.rows",
        "data.ppb",
        "data.fairface",
        "data.utkface",
        "data.table",
    },
    "data.identity": {
        "errors",
        "datasets",
        "data.folder",
        "data.ppb",
        "data.fairface",
        "data.table",
    },
    "data.synthetic": {*SYNTHETIC, "lineage"},
    **{name: SYNTHETIC - {name} for name in SYNTHETIC},
    "data.levels": {"data.drawing", "data.factors"},
    "data.sources": {
        "errors",
        "datasets",
        "sections",
        "data.sets",
        "data.mit_h5",
        "data.folder",
        "data.ppb",
        "data.synthetic",
        "data.fairface",
        "data.utkface",
        "data.table",
        "data.group_folders",
        "data.identity",
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
    "records": {"errors", "configuration", "sections", "study", "metrics", "sealed", "writing"},
    "mlflow_store": set(),
    "mlflow_runs": {"records", "mlflow_store"},
    "mlflow_pages": {"records", "mlflow_runs"},
    "mlflow_bulk": {"mlflow_store", "mlflow_runs"},
    "tracking": {
        "errors",
        "records",
        "mlflow_bulk",
        "mlflow_store",
        "mlflow_runs",
        "mlflow_pages",
    },
    "synchronisation": {
        "locks",
        "errors",
        "records",
        "mlflow_bulk",
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
        "layers",
        "published",
        "outcomes",
        "contrasts",
        "stats.intervals",
        "stats.selection",
        "stats.disparity",
        "stats.agreement",
    },
    # execution
    "machine": {"errors", "kernels.library", "lineage", "records", "resources"},
    "tasks": {"configuration", "records"},
    "unfinished": {"sealed", "writing", "records", "tasks"},
    "checkpoints": {"sealed", "tasks", "unfinished", "training"},
    "execution": {
        "errors",
        "lineage",
        "kernels.library",
        "checkpoints",
        "models",
        "data.sets",
        "training",
        "evaluation",
        "metrics",
        "provenance",
        "records",
        "tasks",
    },
    "processes": {"errors"},
    "counter": set(),
    "packing": {"errors", "writing", "data.sets", "data.collection"},
    "cutting": {"errors", "processes", "data.framing", "data.raw", "data.sets"},
    "preparation": {
        "errors",
        "counter",
        "cutting",
        "packing",
        "data.catalogue",
        "data.raw",
        "data.raw_sources",
    },
    "fetching": {"errors", "writing", "counter", "data.catalogue"},
    "survey": {"errors", "counter", "data.collection", "data.sets"},
    "survey_report": {
        "packing",
        "survey",
        "data.catalogue",
        "data.collection",
        "data.folder",
        "data.mit_h5",
    },
    "place": set(),
    # where runs execute: each place on its own, and none knows what is kept of a run
    "executors.boundary": {"errors", "records", "tasks"},
    "executors.local": {
        "machine",
        "records",
        "tasks",
        "processes",
        "execution",
        "data.sources",
        "executors.boundary",
    },
    "executors.inline": {
        "machine",
        "records",
        "tasks",
        "execution",
        "data.sets",
        "data.sources",
        "executors.boundary",
    },
    "executors.ray_session": {"errors", "locks"},
    "executors.ray": {
        "errors",
        "datasets",
        "machine",
        "place",
        "records",
        "resources",
        "tasks",
        "execution",
        "data.sets",
        "data.sources",
        "executors.boundary",
        "executors.ray_session",
    },
    "executors.places": {
        "errors",
        "machine",
        "place",
        "resources",
        "executors.boundary",
        "executors.inline",
        "executors.local",
        "executors.ray",
    },
    "dispatch": {"locks", "records", "tasks", "unfinished", "writing", "executors.boundary"},
    "mirroring": {"errors", "records", "mlflow_runs", "tracking", "processes"},
    "gallery": {
        "errors",
        "configuration",
        "datasets",
        "data.sources",
        "data.sets",
        "models",
        "inference",
        "training",
        "records",
        "specimens",
    },
    "rarity": {
        "datasets",
        "data.sources",
        "data.levels",
        "training",
        "records",
        "specimens",
    },
    "calibration": {
        "errors",
        "configuration",
        "datasets",
        "sections",
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
        "datasets",
        "study",
        "data.sources",
        "locks",
        "provenance",
        "records",
        "tasks",
        "dispatch",
        "executors.boundary",
        "writing",
    },
    "staleness": {"errors", "sections", "records", "unfinished", "tasks", "differences"},
    "verification": {
        "errors",
        "configuration",
        "datasets",
        "data.sources",
        "provenance",
        "records",
        "tasks",
        "dispatch",
        "executors.boundary",
        "differences",
    },
    # presentation: never machinery
    "progress": {"metrics", "records", "tasks"},
    "columns": set(),
    "escaping": set(),
    "rendering": {"columns", "escaping"},
    "cells": {"readings", "rendering", "stats.intervals"},
    "group_tables": {
        "run_remarks",
        "cells",
        "outcomes",
        "readings",
        "remarks",
        "rendering",
        "stats.intervals",
        "stats.disparity",
    },
    "specification": {
        "run_remarks",
        "cells",
        "ledger",
        "outcomes",
        "readings",
        "rendering",
        "stats.disparity",
    },
    "run_remarks": {"outcomes", "stats.intervals", "stats.disparity"},
    "remarks": {
        "outcomes",
        "run_remarks",
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
        "run_remarks",
        "errors",
        "audit.inspection",
        "outcomes",
        "readings",
        "contrasts",
        "verdicts",
        "remarks",
        "rendering",
        "cells",
        "group_tables",
        "specification",
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
    "figures.shared": {
        "outcomes",
        "published",
        "verdicts",
        "figures.material",
        "stats.disparity",
    },
    "figures.dodged": {"figures.style", "readings", "stats.intervals"},
    "figures.recall": {
        *FIGURE,
        "figures.shared",
        "figures.dodged",
        "outcomes",
        "published",
        "contrasts",
        "readings",
        "stats.intervals",
        "stats.disparity",
    },
    "figures.accuracy": {
        *FIGURE,
        "figures.shared",
        "figures.dodged",
        "outcomes",
        "readings",
        "remarks",
        "stats.intervals",
    },
    "figures.specification": {
        *FIGURE,
        "figures.shared",
        "specification",
        "outcomes",
        "readings",
        "rendering",
        "stats.disparity",
    },
    "figures.latents": {*FIGURE, "metrics", "records", "specimens", "stats.intervals"},
    "figures.pictures": {*FIGURE, "specimens"},
    "figures.catalogue": {
        "figures.illustration",
        "figures.material",
        "figures.curves",
        "figures.recall",
        "figures.accuracy",
        "figures.specification",
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
    "options": {"place"},
    "interruptions": set(),
    "lookup": {"header", "errors", "yamlfile", "layers", "study", "records"},
    "forecast": {"calibration", "progress"},
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
    "data_commands": {
        "writing",
        "machine",
        "packing",
        "preparation",
        "fetching",
        "survey",
        "survey_report",
        "data.catalogue",
        "data.collection",
        "data.imagenet",
        "data.raw_sources",
    },
    "api": {
        "executors.places",
        "place",
        "metrics",
        "outcomes",
        "records",
        "rendering",
        "runner",
        "study",
        "tables",
    },
    "cli": {
        "data_commands",
        "errors",
        "yamlfile",
        "layers",
        "published",
        "study",
        "machine",
        "place",
        "resources",
        "executors.places",
        "records",
        "tasks",
        "runner",
        "calibration",
        "forecast",
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


def test_the_parent_of_a_study_never_loads_torch_nor_ray():
    """Workers alone pay for one, who asks for it for the other."""
    probe = (
        "import sys, repro.runner, repro.calibration, repro.progress, repro.tables;"
        "import repro.figures.files, repro.exhibits;"
        "from repro.executors.places import executor_at;"
        "from repro.place import Place; from repro.resources import PLAIN;"
        "[executor_at(Place(executor=one), PLAIN, remark=print) for one in ('local', 'inline')];"
        "sys.exit(bool({'torch', 'ray'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


@pytest.mark.parametrize("name", ["local", "inline", "ray"])
def test_a_place_for_runs_shares_nothing_with_another_but_the_boundary(name):
    """So another one is a file, and `dispatch` knows none of them."""
    allowed = {"executors.boundary", f"executors.{name}_session"}
    used = repro_imports(PACKAGE / "executors" / f"{name}.py") | repro_imports(
        PACKAGE / "dispatch.py"
    )

    assert {one for one in used if one.startswith("executors.")} <= allowed
