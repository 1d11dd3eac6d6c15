"""Where a result comes from: commit, versions, machine. No names of people or hosts."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from repro.system import worker_environment

PACKAGES = ("torch", "numpy", "pillow", "h5py", "safetensors")
GIT = 60.0  # seconds for an answer
EXTRAS = ("pillow-heif",)  # recorded if installed


def commit() -> str | None:
    """Commit of the checkout of this program, ``-dirty`` if changed; None outside a checkout."""
    home = Path(__file__).parent.parent
    try:
        sha = _git(home, "rev-parse", "HEAD")
        changed = _git(home, "status", "--porcelain", "--", str(home))
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{sha}-dirty" if changed else sha


def _git(folder: Path, *arguments: str) -> str:
    # A repository's settings may name a program to run; that of a folder above may be anybody's.
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=GIT)
    return done.stdout.strip()


def environment(device: str) -> dict[str, Any]:
    """Versions and kind of machine, as seen by the training process; of variables, names alone.

    Args:
        device: Where it trains, as torch names it.
    """
    import torch

    from repro.training.kernels import c_library, devices

    on_gpu = device != "cpu"
    kernels = "torch" if on_gpu else c_library.chosen()
    return {
        "python": platform.python_version(),
        "packages": _packages(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "device": devices.name(device),
        "processor": c_library.processor(),
        "kernels": kernels,
        "kernels_build": c_library.build() if kernels == "blocked" else None,
        "compiler": c_library.compiler() if kernels == "blocked" else None,
        "threads": torch.get_num_threads(),
        "variables_cleared": worker_environment.cleared(os.environ),
        "variables_kept": worker_environment.kept(os.environ),
    }


def _packages() -> dict[str, str | None]:
    extras = {name: found for name in EXTRAS if (found := _version(name)) is not None}
    return {**{name: _version(name) for name in PACKAGES}, **extras}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
