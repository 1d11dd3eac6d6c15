import hashlib
from dataclasses import replace

import pytest
import torch
from builders import a_task, configuration, training_images
from safetensors.torch import save

from repro.data import sources
from repro.execution.executors import hardware
from repro.records.events import CheckpointMade, RunEnded
from repro.study import methods
from repro.training import stacked_runs, state_files, trainer
from repro.training.batched import BatchedFit, Member
from repro.training.state_files import Checkpoint

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")


def digest(fitted):
    tensors = {n: t.cpu() for n, t in trainer.checkpoint_tensors(fitted.model).items()}
    return hashlib.sha256(save(tensors)).hexdigest()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("decoder_input", ["all", "faces"])
def test_one_run_repeated_on_a_gpu_gives_the_same_bits(precision, decoder_input):
    """Deterministic kernels, captured graphs and all."""
    arm = configuration(precision=precision, decoder_input=decoder_input, epochs=3)
    runs = [trainer.fit(arm, 1, training_images(), device="cuda:0") for _ in range(2)]

    assert runs[0].history == runs[1].history
    assert digest(runs[0]) == digest(runs[1])


def test_the_first_epoch_on_a_gpu_is_the_processors_but_for_rounding():
    """Initial weights, split and batches are the same; the latent noise is another stream."""
    arm = configuration(epochs=1, reconstruction={"weight": 0.0}, kl={"weight": 0.0})
    gpu, cpu = (
        trainer.fit(arm, 1, training_images(), device=device).history[0]
        for device in ("cuda:0", "cpu")
    )

    assert gpu["train_classification"] == pytest.approx(cpu["train_classification"], rel=1e-3)


def test_a_captured_step_reads_the_weights_of_each_epoch():
    """They are changed in place: the graph gives the bits of single kernels."""
    rule = {"rule": "as_loss", "parameters": {"by": "max"}}
    arm = configuration(resampling=rule, epochs=3)

    def trained(captured):
        run = trainer.Fit(arm, 1, training_images(), device="cuda:0", captured=captured)
        return list(run.epochs()), digest(run.fitted())

    assert trained(captured=True) == trained(captured=False)


@pytest.mark.parametrize("name", ["group_dro", "lff"])
def test_an_objective_on_a_gpu_gives_the_bits_of_single_kernels_and_again(name):
    """What it remembers is changed in place, whether its step is captured or not."""
    plain = training_images()
    data = replace(plain, groups=("a",) * 30 + ("b",) * 10 + ("",) * 40)
    parameters = methods.BUILT_IN.find("objective", name).filled({})
    arm = configuration(objective={"name": name, "parameters": parameters}, epochs=3)

    def trained(captured):
        run = trainer.Fit(arm, 1, data, device="cuda:0", captured=captured)
        return list(run.epochs()), digest(run.fitted())

    first = trained(captured=True)

    assert trained(captured=True) == first
    assert trained(captured=False) == first


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_direct_stack_gives_the_same_bits_as_a_graph_and_again(precision):
    """By CUDA kernels of this package: no sum depends on the order of threads."""

    def trained(captured):
        runs = [Member(configuration(precision=precision, epochs=2), seed) for seed in range(3)]
        choices = {"form_of": lambda _: "direct", "own": ("norm",)}
        fit = BatchedFit(runs, training_images(), device="cuda:0", captured=captured, **choices)
        epochs = list(fit.epochs())
        return epochs, [digest(member) for member in fit.members]

    first = trained(captured=True)

    assert trained(captured=True) == first
    assert trained(captured=False) == first


def members(precision, count=3, **changes):
    """Seeds of one arm."""
    arm = configuration(precision=precision, **({"epochs": 3} | changes))
    return [Member(arm, seed) for seed in range(count)]


def bits(fit):
    """Of each member: its network and history, after all epochs."""
    for _ in fit.epochs():
        pass
    return [(digest(member), member.history) for member in fit.members]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_member_has_the_same_bits_at_any_place_of_a_stack_on_a_gpu(precision):
    """Beside others in another order, and among copies of itself; odd batches leave parts over."""
    data, runs = training_images(), members(precision, batch_size=13)
    whole = bits(BatchedFit(runs, data, device="cuda:0"))

    assert bits(BatchedFit(runs[::-1], data, device="cuda:0"))[::-1] == whole
    assert bits(BatchedFit(runs[2:], data, size=3, device="cuda:0")) == whole[2:]


def test_members_that_catch_up_on_a_gpu_have_the_bits_of_uninterrupted_ones():
    """The graph reads networks and moments that are put into their places between epochs."""
    data, runs = training_images(), members("fp32")
    whole, behind = (BatchedFit(runs, data, device="cuda:0") for _ in range(2))
    next(behind.epochs())
    files = [state_files.pack(Checkpoint(behind.state(n), 0.0), "key") for n in (0, 1)]
    states = [state_files.unpack(one).state for one in files]
    resumed = BatchedFit(runs, data, device="cuda:0", resume=[*states, None])

    assert bits(resumed) == bits(whole)


def test_stacked_runs_on_a_gpu_are_the_same_again_and_after_a_kill(tmp_path):
    """From end to end: records and files, for runs that go on from the checkpoints of others."""
    computed = replace(hardware.computation(["cuda:0"]), kernels="stacked-3")
    pictures = {
        "train": {"source": "synthetic", "faces": 20, "nonfaces": 20},
        "test": {"source": "synthetic", "per_group": 1, "size": 64},
        "nonfaces": {"source": "synthetic", "photographs": 1, "size": 64},
    }
    arm = configuration(epochs=3, data=pictures)
    plain = {"configuration": arm, "computation": computed, "device": "cuda:0"}
    tasks = [
        a_task(tmp_path, key=f"k-seed{n}", seed=n, checkpoint_seconds=0.0, **plain) for n in (0, 1)
    ]
    keep = sources.keeper()

    def executed(tasks, begun):
        events = stacked_runs.execute(
            tasks, lambda task: keep(task.configuration.data), begun, size=3
        )
        return list(events)

    def results(events):
        ended = [event for event in events if isinstance(event, RunEnded)]
        return {one.key: (replace(one.record, provenance={}), one.files) for one in ended}

    first = executed(tasks, [{}, {}])
    kept = next(e.files for e in first if isinstance(e, CheckpointMade) and e.key == tasks[1].key)

    assert results(executed(tasks[::-1], [kept, {}])) == results(first)
