"""Kernels of a stack have its size in their name."""

import pytest
from click.testing import CliRunner

from repro.cli import main
from repro.execution.executors.executor_options import MOST_STACKED
from repro.records import stack_names


def test_a_name_gives_the_number_of_networks_back():
    """And other kernels have none."""
    assert stack_names.kernels(25) == "stacked-25"
    assert stack_names.count("stacked-25") == 25
    assert [stack_names.count(name) for name in ("blocked", "torch", "", "stacked")] == [None] * 4


@pytest.mark.parametrize(
    "digits", ["", "1", "0", "-2", "1001", "025", "2.0", "²", "٣", "+3", " 3", "1_0", "9" * 5000]
)
def test_a_name_with_another_number_is_refused(digits):
    """A forged record would name what cannot be trained again."""
    with pytest.raises(ValueError, match="a stack has 2 to 1,000 networks"):
        stack_names.count(f"stacked-{digits}")


def test_the_option_takes_what_a_name_can_hold():
    """Its limit is written twice, because --help loads no records."""
    assert MOST_STACKED == stack_names.MOST
    done = CliRunner().invoke(main, ["run", "alpha_sweep", "--stack", str(MOST_STACKED + 1)])
    assert (done.exit_code, "1001 is not in the range 1<=x<=1000" in done.output) == (2, True)
