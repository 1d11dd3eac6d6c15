import hashlib
from dataclasses import replace

import pytest
import torch
from builders import configuration, training_images
from safetensors.torch import save

from repro.study import methods
from repro.training import trainer
from repro.training.batched import BatchedFit, Member

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")


def digest(fitted):
    return hashlib.sha256(save(trainer.checkpoint_tensors(fitted.model.cpu()))).hexdigest()


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
