"""The program as it is installed: a wheel in an environment without the repository."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import commands
import pytest
from places import ROOT, repository_files

SMALL = [
    "epochs=1",
    "replicates=1",
    "data.train.faces=30",
    "data.train.nonfaces=30",
    "data.test={source: synthetic, per_group: 2, size: 64}",
    "data.nonfaces={source: synthetic, photographs: 2, size: 64}",
]
VARIANT = [word for choice in SMALL for word in ("--set", choice)]


def run(*command, cwd, **options):
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def build(what, source, out):
    """A wheel or an sdist by the build backend of this environment; no network is needed."""
    out.mkdir()
    code = f"from setuptools import build_meta as b; b.build_{what}({str(out)!r})"
    run(sys.executable, "-c", code, cwd=source)
    return next(out.iterdir())


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the repository's files, as a clone has them."""
    folder = tmp_path_factory.mktemp("source")
    listed = "\n".join(repository_files())
    run("tar", "cf", folder / "all.tar", "-T", "-", cwd=ROOT, input=listed)
    run("tar", "xf", "all.tar", cwd=folder)
    (folder / "all.tar").unlink()
    return folder


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    return build("wheel", source, tmp_path_factory.mktemp("wheel") / "dist")


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel and its dependencies; its programs' folder."""
    folder = tmp_path_factory.mktemp("installed") / "env"
    venv.create(folder, symlinks=True)
    here = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", vars=here))
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install"]
    run(*pip, "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    # The packages of this environment, but nothing that leads from there to the repository.
    others = [path for path in sys.path if path.endswith("-packages")]
    (site / "dependencies.pth").write_text("\n".join(others))
    return folder / "bin"


@pytest.fixture(scope="module")
def study(installed, tmp_path_factory):
    """An empty folder, in which a shipped study was run by its name, without MLflow."""
    folder = tmp_path_factory.mktemp("elsewhere")
    environment = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], "OMP_NUM_THREADS": "1"}
    environment |= commands.without_mlflow(tmp_path_factory.mktemp("hidden"))
    command = [installed / "repro", "run", "embedded_controls", *VARIANT]
    done = run(*command, cwd=folder, env=environment, preexec_fn=commands.on_one_core)
    return folder, done


def test_the_wheel_holds_what_git_lists(wheel):
    """Every file of the package, every study and all published numbers, and nothing else."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = {name for name in repository_files("repro") if (ROOT / name).is_file()}
    shipped = {f"repro/study/shipped_{name}" for name in repository_files("studies")}

    assert names == package | shipped


def test_a_wheel_from_an_sdist_is_the_same(source, wheel, tmp_path):
    """What only git knows is in the sdist, too."""
    sdist = build("sdist", source, tmp_path / "sdist")
    run("tar", "xf", sdist, cwd=tmp_path)
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    again = build("wheel", unpacked, tmp_path / "dist")

    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


def test_an_installed_program_lists_its_studies(installed, tmp_path):
    """They come from the environment, not from the repository."""
    listed = run(installed / "repro", "studies", cwd=tmp_path).stdout

    shipped = [path.stem for path in (ROOT / "studies").glob("*.yaml")]
    assert [line for line in listed.splitlines() if line in shipped] == sorted(shipped)
    unwrapped = "".join(listed.split())
    assert str(installed.parent) in unwrapped
    assert str(ROOT) not in unwrapped


def test_an_installed_program_runs_a_study_by_its_name(study):
    """With the file that it used."""
    _, done = study

    assert "repro/study/shipped_studies/embedded_controls.yaml" in done.stderr.splitlines()[0]
    assert any(line.startswith("even, 50 % darker") for line in done.stdout.splitlines())


def test_a_study_runs_without_mlflow(study):
    """The mirror is left out with one warning."""
    _, done = study

    warnings = [line for line in done.stderr.splitlines() if "MLflow" in line]
    assert len(warnings) == 1
    assert "No module named 'mlflow'" in warnings[0]
    assert "Traceback" not in done.stderr


def test_an_installed_program_prints_the_table_of_a_study(study, installed):
    """From the records."""
    folder, _ = study
    done = run(installed / "repro", "table", "embedded_controls", *VARIANT, cwd=folder)

    assert r"\begin{table}" in done.stdout


def test_an_installed_program_writes_the_report_of_a_study(study, installed):
    """Its templates and the ledger came along."""
    folder, _ = study
    command = ["report", "embedded_controls", *VARIANT, "--out", "out"]
    run(installed / "python", *commands.with_a_figure(*command)[1:], cwd=folder)

    page = (folder / "out" / "report.html").read_text()
    assert "embedded_controls" in page
    assert (folder / "out" / "report.tex").is_file()
