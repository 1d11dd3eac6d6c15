"""Variables of the environment: what a worker starts without, and what is refused in place."""

import pytest

from repro.errors import ReproError
from repro.system import worker_environment

PLAIN = {"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "0", "TORCH_HOME": "/t", "LC_ALL": "C"}
FIXED = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def test_an_ordinary_environment_is_left_alone():
    """But for what is fixed, and nothing is told."""
    assert worker_environment.of_worker(PLAIN) == PLAIN | FIXED
    assert worker_environment.cleared(PLAIN) == []
    worker_environment.require_plain(PLAIN | FIXED)


def test_a_worker_starts_without_what_changes_bits():
    """Families are cleared, fixed values put in their place; the names are told."""
    changed = {"ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "AVX2", "OMP_NUM_THREADS": "8"}
    start = worker_environment.of_worker(PLAIN | changed)

    assert start == PLAIN | FIXED | {worker_environment.TOLD: ",".join(sorted(changed))}
    assert worker_environment.cleared(start) == sorted(changed)


def test_what_a_process_has_not_read_yet_is_cleared_in_it():
    """What NumPy has read stays, and is refused where results are computed."""
    here = PLAIN | {"ATEN_CPU_CAPABILITY": "avx2", "OMP_NUM_THREADS": "4", "NPY_X": "1"}
    worker_environment.settle(here, loaded={"numpy"})

    told = {worker_environment.TOLD: "ATEN_CPU_CAPABILITY,OMP_NUM_THREADS"}
    assert here == PLAIN | {"OMP_NUM_THREADS": "1", "NPY_X": "1"} | told
    with pytest.raises(ReproError, match="NPY_X is set, and changes the bits of results"):
        worker_environment.require_plain(here)


def test_threads_are_no_reason_to_refuse():
    """A process that computes sets their number itself."""
    worker_environment.require_plain(PLAIN | {"OMP_NUM_THREADS": "8", "MKL_NUM_THREADS": "8"})


def test_what_stays_is_named():
    """A library may be needed to load torch at all."""
    assert worker_environment.kept(PLAIN | {"LD_PRELOAD": "x.so"}) == ["LD_PRELOAD"]
