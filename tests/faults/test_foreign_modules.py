"""B9: nothing is imported from the folder in which the program is started, nor from the results."""

import subprocess
import sys

import strangers

from faults.studies import ONE_ARM, toy

COMMANDS = {  # the first process; workers and the mirror's process; Ray's processes and workers
    "studies": ["studies"],
    "run": ["run", "toy.yaml"],
    "ray": ["run", "toy.yaml", "--executor", "ray", "--results", "by_ray"],
}


def test_a_folder_of_somebody_else_is_no_place_for_modules(tmp_path, draws, tally):
    """Also as ``python -m repro.cli``, where Python itself looks there first."""
    toy(tmp_path, arms=ONE_ARM, replicates=1, keep=1)
    marker = strangers.litter(tmp_path)
    (tmp_path / "repro.py").unlink()  # `-m` would run it: that is what it says
    for name in draws(COMMANDS, ["studies"]):
        command = [sys.executable, "-m", "repro.cli", *COMMANDS[name]]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)

        tally.faults += len(strangers.MODULES)
        assert done.returncode == 0, done.stderr
        assert not marker.exists(), (name, marker.read_text())
