import pytest

from repro.errors import ReproError
from repro.execution.executors import hardware
from repro.system import machine


def test_a_processor_has_a_slot_for_each_core():
    """Runs of one thread, as many as there are cores, unless the user says otherwise."""
    assert hardware.slots("cpu") == ["cpu"] * machine.cores()
    assert hardware.slots("cpu", 3) == ["cpu"] * 3


def test_gpus_take_several_runs_each_in_turn():
    """Runs are dealt to the GPUs one after the other."""
    assert hardware.slots("cuda") == ["cuda:0"] * 4
    assert hardware.slots("cuda:0,cuda:1", 3) == ["cuda:0", "cuda:1", "cuda:0"]


@pytest.mark.parametrize(
    "name", ["gpu", "cpu,cuda:0", "cuda:x", "mps:0", "mps,mps", "mps,cuda:0", ""]
)
def test_a_device_that_is_none_is_refused(name):
    """The message says what can be said."""
    with pytest.raises(ReproError, match="use cpu, cuda"):
        hardware.slots(name)


def test_a_gpu_computes_with_torch_whatever_the_processor_can():
    """Device and kernels are what names a result's arithmetic, and how many slots is not."""
    one, many = (hardware.computation(hardware.slots("cuda", count)) for count in (1, 8))

    assert one == many
    assert (one.device, one.kernels, one.threads) == ("cuda", "torch", 1)
