import pytest

from repro import machine
from repro.errors import ReproError


def test_a_processor_has_a_slot_for_each_core():
    """Runs of one thread, as many as there are cores, unless the user says otherwise."""
    assert machine.slots("cpu") == ["cpu"] * machine.cores()
    assert machine.slots("cpu", 3) == ["cpu"] * 3


def test_gpus_take_several_runs_each_in_turn():
    """Runs are dealt to the GPUs one after the other."""
    assert machine.slots("cuda") == ["cuda:0"] * 4
    assert machine.slots("cuda:0,cuda:1", 3) == ["cuda:0", "cuda:1", "cuda:0"]


@pytest.mark.parametrize("name", ["gpu", "cpu,cuda:0", "cuda:x", ""])
def test_a_device_that_is_none_is_refused(name):
    """The message says what can be said."""
    with pytest.raises(ReproError, match="say cpu, cuda"):
        machine.slots(name)


def test_a_gpu_computes_with_torch_whatever_the_processor_can():
    """Device and kernels are what names a result's arithmetic, and how many slots is not."""
    one, many = (machine.computation(machine.slots("cuda", count)) for count in (1, 8))

    assert one == many
    assert (one.device, one.kernels, one.threads) == ("cuda", "torch", 1)
