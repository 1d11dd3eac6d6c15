"""The same name, the same bits: whatever variables a user, a cluster or a container has set."""

import os
import subprocess
import sys
from dataclasses import replace

import commands
import pytest
import torch
from builders import a_task, configuration
from click.testing import CliRunner

from faults import studies
from repro.cli import main
from repro.errors import ReproError
from repro.execution import scheduler
from repro.execution.executors import ray_session
from repro.execution.executors.inline import Inline
from repro.records import records

SMALL = {
    "train": {"source": "synthetic", "faces": 100, "nonfaces": 100},
    "test": {"source": "synthetic", "per_group": 1, "size": 64},
    "nonfaces": {"source": "synthetic", "photographs": 2, "size": 64},
}
CHANGING = {  # each was seen to change bits where nothing is done about it
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "MKLDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "default",
    "OPENBLAS_CORETYPE": "Haswell",
}
MORE = {  # these may, on other processors and GPUs
    "MKL_CBWR": "COMPATIBLE",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2",
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
    "MKL_DYNAMIC": "TRUE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1",
    "TORCH_MKLDNN_MATMUL_MIN_DIM": "1",
    "NVIDIA_TF32_OVERRIDE": "1",
    "PYTHONHASHSEED": "7",
    "LC_ALL": "C",
    "TZ": "Asia/Tokyo",
}
HERE = {"PYTHONPATH": os.pathsep.join(sys.path)}
PROGRAM = """\
import sys
from pathlib import Path
from faults.test_environment import a_run
from repro.execution import scheduler
from repro.execution.executors.local import Local
with Local(["cpu"], "torch") as executor:
    list(scheduler.run_tasks([a_run(Path(sys.argv[1]), executor)], executor))
"""


def a_run(results, executor):
    """A run of a second on torch's operators, where most variables matter."""
    choices = configuration(data=SMALL, epochs=1)
    return a_task(results, configuration=choices, computation=executor.computation)


def inline(results):
    """The record of the run, made in this process."""
    with Inline("cpu", "torch") as executor:
        list(scheduler.run_tasks([a_run(results, executor)], executor))
    return records.read_record("k-seed0", results)


def as_users_do(results, variables):
    """The same, from a program whose workers are Pythons of their own."""
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(results)],
        env={**os.environ, **HERE, **variables},
        check=True,
    )
    return records.read_record("k-seed0", results)


def test_variables_that_change_bits_change_none(tmp_path, tally, draws):
    """All at once, and one by one in the whole list; the record names what was cleared."""
    plain = inline(tmp_path / "plain")
    each = [{name: value} for name, value in {**CHANGING, **MORE}.items()]
    for number, variables in enumerate(draws([CHANGING, *each], 1)):
        record = as_users_do(tmp_path / str(number), variables)
        tally.faults += len(variables)
        tally.wrong += replace(record, provenance={}) != replace(plain, provenance={})
        told = sorted(variables.keys() - {"LC_ALL", "TZ"})
        assert record.provenance["variables_cleared"] == told
    shown = CliRunner().invoke(main, ["show", "k-seed0", "--results", str(tmp_path / "0")])

    assert tally.wrong == 0
    assert f" {', '.join(sorted(CHANGING))}\n" in shown.output


@pytest.mark.parametrize("name", CHANGING)
def test_a_process_that_computes_is_refused_while_one_is_set(name, tmp_path, monkeypatch, tally):
    """In place nothing can be cleared any more: a sentence, and no record."""
    monkeypatch.setenv(name, CHANGING[name])
    tally.faults += 1
    with pytest.raises(ReproError, match=rf"^{name} is set, and changes the bits of results"):
        inline(tmp_path)
    assert not records.has_record("k-seed0", tmp_path)


def test_settings_of_the_program_before_change_no_bits(tmp_path, tally):
    """Products of low precision, other types, zeros for small numbers: all are set back."""
    plain = inline(tmp_path / "plain")
    torch.set_float32_matmul_precision("medium")
    torch.set_flush_denormal(True)
    torch.set_default_dtype(torch.float64)
    tally.faults += 3
    try:
        changed = inline(tmp_path / "changed")
    finally:
        torch.set_float32_matmul_precision("highest")
        torch.set_flush_denormal(False)
        torch.set_default_dtype(torch.float32)

    assert replace(changed, provenance={}) == replace(plain, provenance={})


def test_a_ray_of_our_own_starts_without_them(monkeypatch):
    """Its workers have the environment with which it starts; ours is left alone."""
    for name, value in CHANGING.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with ray_session._plain_environment():
        assert not CHANGING.keys() & os.environ.keys()
    assert dict(os.environ) == before


def test_the_command_clears_what_nothing_has_read(tmp_path, tally):
    """A run in the process of the command itself is as any other."""
    studies.toy(tmp_path, arms=studies.ONE_ARM, replicates=1, keep=1)
    arguments = ["run", "toy.yaml", "--executor", "inline", "-q", "--set", "epochs=1"]
    code = f"from repro.cli import main; main({arguments!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **CHANGING, **commands.without_mlflow(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    tally.faults += len(CHANGING)
    (folder,) = (tmp_path / "results" / "runs").iterdir()
    record = records.read_record(folder.name, tmp_path / "results")

    assert done.returncode == 0, done.stderr
    assert record.provenance["variables_cleared"] == sorted(CHANGING)
