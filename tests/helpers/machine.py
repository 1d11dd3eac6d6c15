"""Tests see the same machine everywhere: no user's settings, a home of their own, short paths."""

import atexit
import os
import shutil
import tempfile
import time

SETTINGS = (  # what changes what programs do or print; those of pytest itself stay
    *("REPRO_", "MLFLOW_", "RAY_", "GIT_", "SLURM_", "XDG_", "PIP_", "MPL", "HYPOTHESIS_"),
    *("OMP_", "MKL_", "OPENBLAS_", "ONEDNN_", "DNNL_", "ATEN_", "NUMEXPR_", "KMP_", "GOMP_"),
    *("MKLDNN_", "FBGEMM_", "TRITON_", "NVIDIA_TF32", "CUBLAS", "CUDNN_", "NPY_", "GOTO_"),
    *(
        "GLIBC_TUNABLES",
        "TORCH",
        "PYTORCH_",
        "MALLOC_",
        "PYTHON",
        "LC_",
        "LANG",
        "TZ",
        "HTTP",
        "http",
    ),
    *("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "TTY_", "NO_PROXY", "no_proxy"),
    *("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS", "BASH_ENV", "SOURCE_DATE_EPOCH", "ALL_PROXY"),
)
KEPT = ("REPRO_SHARED", "PYTHONPATH")  # where real data are; where modules are
FIXED = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "xterm-256color", "OMP_NUM_THREADS": "1"}
LONGEST = 40  # bytes of TMPDIR: a Unix socket below it may have a path of 107 in all
SHORT = ("/tmp", "/var/tmp", "/dev/shm")


def make_neutral():
    """Make this process, and what it starts, independent of the machine's settings.

    A worker of a test run inherits all of it from the process that started it.
    """
    for name in [*os.environ]:
        if name.startswith(SETTINGS) and name not in KEPT:
            del os.environ[name]
    os.umask(0o022)
    os.environ["TMPDIR"] = tempfile.tempdir = _short()
    home = tempfile.mkdtemp(prefix="home-of-tests-")
    atexit.register(_remove, home, os.getpid())
    os.environ.update(FIXED | {"HOME": home})
    time.tzset()


def _short():
    """The folder for temporary files, or another one where its path is too long."""
    asked = tempfile.gettempdir()
    folders = [asked] if len(os.fsencode(asked)) <= LONGEST else [*SHORT, asked]
    return next(folder for folder in folders if os.access(folder, os.W_OK | os.X_OK))


def _remove(home, owner):
    """At the end of the process that made it, and not of its forks."""
    if os.getpid() == owner:
        shutil.rmtree(home, ignore_errors=True)
