"""Programs that check what this project writes; `make checkers` installs them beside it."""

import pytest
from places import ROOT

FOLDER = ROOT / "build" / "checkers" / "bin"


def needs(program):
    """Skip a test where the program is not installed."""
    return pytest.mark.skipif(
        not (FOLDER / program).is_file(), reason=f"no {program} here: `make checkers` installs it"
    )
