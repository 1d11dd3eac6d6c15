"""Imports go downwards only, from package to package."""

import subprocess
import sys

import architecture
import pytest
from architecture import PACKAGE, floors, repro_imports

MATHEMATICS = {"losses", "metrics", "models", "resampling", "stats"}
BASE = {"errors", "system", "plugins", "study", "records"}
TABLES = {"analysis", "reporting", "reporting.tables"}
MAY_IMPORT = {  # a package, or a module at the top, and the others that its modules may import
    "errors": set(),
    "argument_checks": set(),
    "losses": {"argument_checks"},
    "metrics": {"argument_checks"},
    "resampling": {"argument_checks"},
    "stats": {"argument_checks"},
    "training.kernels": {"errors", "losses", "system"},
    "models": {"argument_checks", "losses", "training.kernels"},
    "system": {"errors"},
    "plugins": {"errors", "system"},
    "study": {"errors", "system", "plugins"},
    "records": {"errors", "metrics", "system", "plugins", "study"},
    "records.mlflow": {*BASE, "stats"},
    "records.mlflow.remote": {"errors", "system", "records", "records.mlflow"},
    "data.synthetic": {"errors"},
    "data.pictures": {"errors", "system"},
    "data.sources": {*BASE, "data.pictures", "data.synthetic"},
    "data": {*BASE, "data.pictures", "data.sources"},
    "training.rules": {"metrics", "resampling", "study", "plugins"},
    "training": {*BASE, *MATHEMATICS, "data.pictures", "training.kernels", "training.rules"},
    "training.objectives": {
        *("errors", "losses", "models", "study", "training", "training.kernels"),
    },
    "detectors": {
        *(*BASE, "data.pictures", "data.sources", "metrics", "models", "training"),
        "training.kernels",
    },
    "detectors.packaged": {"errors", "system", "study", "data.pictures", "detectors"},
    "execution.executors": {
        *BASE,
        "data.pictures",
        "data.sources",
        "training",
        "training.kernels",
    },
    "analysis": {*BASE, "metrics", "stats"},
    "analysis.audit.reading": {*BASE, "stats", "analysis"},
    "analysis.audit.checks": {*BASE, "stats", "analysis", "analysis.audit.reading"},
    "analysis.audit": {
        *(*BASE, "stats", "analysis", "analysis.audit.reading", "analysis.audit.checks"),
        "metrics",
    },
    "execution": {
        *BASE,
        *MATHEMATICS,
        "records.mlflow",
        "data",
        "data.pictures",
        "data.sources",
        "data.synthetic",
        "training",
        "training.kernels",
        "detectors",
        "detectors.packaged",
        "execution.executors",
        "analysis",  # `samples` of pictures; `claims`, which decide whether a study goes on
    },
    "bundles": {*BASE, "analysis", "data"},
    "reporting": {*BASE, "analysis"},
    "reporting.terminal": {*BASE, "metrics"},
    "reporting.tables": {
        *(*BASE, "stats", "analysis", "analysis.audit", "analysis.audit.checks", "reporting"),
    },
    "reporting.figures": {*BASE, *TABLES, "analysis.audit.reading", "metrics", "stats"},
    "reporting.report": {*BASE, *TABLES, "analysis.audit", "stats", "reporting.figures"},
    "reporting.site": {"errors", "system", "records", "records.mlflow"},
    "api": {
        *BASE,
        *TABLES,
        "argument_checks",
        "detectors",
        "execution",
        "execution.executors",
        "metrics",
        "reporting.terminal",
        "stats",
    },
    "cli": {
        *BASE,
        *TABLES,
        "analysis.audit",
        "analysis.audit.reading",
        "bundles",
        "data",
        "data.sources",
        "detectors",
        "detectors.packaged",
        "execution",
        "execution.executors",
        "records.mlflow",
        "records.mlflow.remote",
        "reporting.figures",
        "reporting.report",
        "reporting.site",
        "reporting.terminal",
    },
    "": {"api", *MATHEMATICS},
}
FLOORS = 13  # of packages, the longest way down
AT_THE_TOP = 8  # files


PACKAGES = architecture.imports_of_packages()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_those_below(package):
    """Those that its line of the plan names."""
    assert PACKAGES[package] <= MAY_IMPORT[package]


def test_the_plan_names_every_package_and_no_other():
    """A new package gets a line, one that is gone has none."""
    assert set(MAY_IMPORT) == set(PACKAGES)


def test_the_plan_goes_down_only_and_not_far():
    """It has no cycle (graphlib raises CycleError), and its longest way down is short."""
    assert max(floors(MAY_IMPORT).values()) <= FLOORS


def test_the_picture_of_the_packages_is_true():
    """It is what `make architecture` draws."""
    assert architecture.PICTURE.read_text(encoding="utf-8") == architecture.drawing()


def test_few_files_lie_at_the_top():
    """What other programs import, and errors; all else is in a package."""
    assert sum(path.is_file() for path in PACKAGE.iterdir()) <= AT_THE_TOP


def test_the_command_line_loads_nothing_heavy():
    """Help answers in a blink, on machines without a GPU or MLflow."""
    heavy = "{'torch', 'mlflow', 'pandas', 'numpy', 'pydantic'}"
    probe = f"import sys, repro.cli; sys.exit(bool({heavy} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_the_parent_of_a_study_never_loads_torch_nor_ray():
    """Workers alone pay for one, who asks for it for the other."""
    probe = (
        "import sys, repro.execution.runner, repro.execution.calibration;"
        "import repro.reporting.terminal.progress, repro.reporting.tables.tables;"
        "import repro.reporting.figures.figure_files, repro.cli.exhibits;"
        "from repro.execution.executors.executor_registry import executor_at;"
        "from repro.execution.executors.executor_options import Place;"
        "from repro.study.resources import PLAIN;"
        "[executor_at(Place(executor=one), PLAIN, remark=print) for one in ('local', 'inline')];"
        "executor_at(Place(stack=2), PLAIN, remark=print);"
        "sys.exit(bool({'torch', 'ray'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


@pytest.mark.parametrize("name", ["local", "stacks", "inline", "ray"])
def test_an_executor_shares_with_another_only_what_all_share(name):
    """So another one is a file, and the scheduler knows none of them."""
    folder = PACKAGE / "execution" / "executors"
    names = {f"repro.execution.executors.{one.stem}" for one in folder.glob("*.py")}
    shared = {
        f"repro.execution.executors.{one}"
        for one in ("base", "executor_options", "hardware", "process_pool")
    }
    used = {*repro_imports(folder / f"{name}.py"), *repro_imports(folder.parent / "scheduler.py")}

    assert used & names <= {*shared, f"repro.execution.executors.{name}_session"}
