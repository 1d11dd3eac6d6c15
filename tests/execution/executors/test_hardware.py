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


def test_a_stack_has_a_gpu_or_a_core_for_itself():
    """It fills it; more are at a time only if they are asked for."""
    assert hardware.slots("cuda:0,cuda:1", stacked=True) == ["cuda:0", "cuda:1"]
    assert hardware.slots("cuda", 2, stacked=True) == ["cuda:0"] * 2
    assert hardware.slots("mps", stacked=True) == ["mps"]
    assert hardware.slots("cpu", stacked=True) == ["cpu"] * machine.cores()


@pytest.mark.parametrize("device", ["cpu", "cuda:0", "mps"])
def test_a_stack_computes_as_one_of_its_size(device, monkeypatch):
    """Whatever the variable says of single runs; the size is a part of the names of its runs."""
    monkeypatch.setenv("REPRO_KERNELS", "blocked")
    made = hardware.computation([device], stack=25)

    assert (made.device, made.kernels) == (device.partition(":")[0], "stacked-25")
