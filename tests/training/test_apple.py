"""Apple's GPU: a stand-in that refuses what it lacks, on any machine, and the GPU itself."""

import hashlib
from unittest import mock

import apple
import gpu_checks
import pytest
import torch
from builders import configuration, training_images
from safetensors.torch import save

from repro.errors import ReproError
from repro.execution import runner
from repro.execution.executors import hardware
from repro.execution.executors.inline import Inline
from repro.records import records
from repro.study import study
from repro.training import state_files, trainer
from repro.training.kernels import devices
from repro.training.state_files import Checkpoint

needs_gpu = pytest.mark.skipif(
    not torch.backends.mps.is_available(), reason="torch sees no GPU of Apple's here"
)


def test_a_run_there_is_that_of_the_processor_but_for_rounding(monkeypatch):
    """By torch's operators, maps row by row; the stand-in has the processor's noise."""
    monkeypatch.setenv("REPRO_KERNELS", "torch")
    arm = configuration(epochs=1)
    with apple.gpu():
        there = trainer.fit(arm, 1, training_images(), device="mps")
    monkeypatch.setattr(devices, "takes_any_layout", lambda device: False)
    here = trainer.fit(arm, 1, training_images())

    assert isinstance(next(there.model.parameters()), apple.OnApple)
    assert there.history[0] == pytest.approx(here.history[0], rel=5e-3)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The records of a study with all methods that use the device, trained and evaluated there."""
    folder = tmp_path_factory.mktemp("methods")
    lines = gpu_checks.METHODS.splitlines(keepends=True)
    on_host = ("name: rarest", "name: placebo", "name: frozen", "name: oracle", "name: subG")
    text = "".join(line for line in lines if not any(name in line for name in on_host))
    (folder / "methods.yaml").write_text(text)
    loaded = study.load(folder / "methods.yaml", profile="toy", overrides=["batch_size=48"])
    with apple.gpu(), Inline("mps") as executor:
        runner.run(loaded, folder, executor=executor, on_event=lambda event: None)
    keys = [path.name for path in (folder / "runs").iterdir()]
    return [records.read_record(key, folder) for key in keys]


def test_every_method_runs_there(made):
    """No operation asks for float64, for a tensor of the processor, or for another layout."""
    assert len(made) == 7
    assert not any(record.failure for record in made)


def test_a_record_says_where_it_was_made(made):
    """In its name and in its environment."""
    assert {(one.computation["device"], one.computation["kernels"]) for one in made} == {
        ("mps", "torch")
    }
    assert {one.provenance["device"] for one in made} == {devices.name("mps")}


def test_a_run_there_goes_on_from_the_files_of_its_state():
    """With the history of one that was never interrupted."""

    def after(resume=None):
        run = trainer.Fit(arm, 1, training_images(), device="mps", resume=resume)
        return run, list(run.epochs())

    arm = configuration(epochs=2)
    with apple.gpu():
        whole, _ = after()
        begun = trainer.Fit(arm, 1, training_images(), device="mps")
        next(begun.epochs())
        state = begun.state()
        plain = {name: tensor.cpu() for name, tensor in state.tensors.items()}
        files = state_files.pack(Checkpoint(trainer.State(1, plain, state.rest), 0.0), "key")
        resumed, _ = after(state_files.unpack(files).state)

    assert resumed.history == whole.history


def test_the_stand_in_refuses_what_the_gpu_lacks():
    """Else the tests above would say nothing."""
    with apple.gpu():
        there = torch.ones(3, device="mps")
        with pytest.raises(TypeError, match="float64"):
            there.double()
        with pytest.raises(TypeError, match="float64"):
            torch.zeros(3, dtype=torch.float64, device="mps")
        with pytest.raises(RuntimeError, match="on mps and on cpu"):
            there + torch.ones(3)
        with pytest.raises(TypeError, match="numpy"):
            there.numpy()
        maps = torch.ones(2, 4, 8, 8, device="mps").to(memory_format=torch.channels_last)
        with pytest.raises(AssertionError, match="batch_norm"):
            torch.nn.functional.batch_norm(maps, None, None, training=True)


def test_it_is_refused_where_there_is_none():
    """Before anything is trained."""
    with (
        mock.patch.object(torch.backends.mps, "is_available", return_value=False),
        pytest.raises(ReproError, match="sees no GPU of Apple's here"),
    ):
        devices.require("mps")


def test_bf16_needs_a_macos_that_has_it(monkeypatch):
    """On an older one torch would compute in float32 and only warn."""
    newest = [(14, 0)]
    monkeypatch.setattr(
        torch.backends.mps, "is_macos_or_newer", lambda *wanted: wanted <= newest[0]
    )
    devices.require_precision(torch.device("mps"), "bf16")
    newest[0] = (13, 6)
    devices.require_precision(torch.device("mps"), "fp32")
    with pytest.raises(ReproError, match="macOS 14"):
        devices.require_precision(torch.device("mps"), "bf16")


def test_runs_share_it_as_they_share_a_gpu():
    """A quarter each, by torch's operators, under its own name."""
    places = hardware.slots("mps")

    assert places == ["mps"] * 4
    assert hardware.computation(places).device == "mps"


def digest(fitted):
    return hashlib.sha256(save(trainer.checkpoint_tensors(fitted.model.cpu()))).hexdigest()


@needs_gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("decoder_input", ["all", "faces"])
def test_the_same_run_again_gives_the_same_bits(precision, decoder_input):
    """As far as torch lets it: it promises nothing for this device."""
    arm = configuration(precision=precision, decoder_input=decoder_input, epochs=3)
    runs = [trainer.fit(arm, 1, training_images(), device="mps") for _ in range(2)]

    assert runs[0].history == runs[1].history
    assert digest(runs[0]) == digest(runs[1])


@needs_gpu
def test_the_first_epoch_is_the_processors_but_for_rounding():
    """Initial weights, split and batches are the same; the latent noise is another stream."""
    arm = configuration(epochs=1, reconstruction={"weight": 0.0}, kl={"weight": 0.0})
    gpu, cpu = (
        trainer.fit(arm, 1, training_images(), device=device).history[0]
        for device in ("mps", "cpu")
    )

    assert gpu["train_classification"] == pytest.approx(cpu["train_classification"], rel=1e-3)


@needs_gpu
def test_every_method_runs_on_the_gpu_itself(tmp_path):
    """Trained and evaluated, with a record."""
    (tmp_path / "methods.yaml").write_text(gpu_checks.METHODS)
    loaded = study.load(tmp_path / "methods.yaml", profile="toy")
    with Inline("mps") as executor:
        runner.run(loaded, tmp_path, executor=executor, on_event=lambda event: None)
    keys = [path.name for path in (tmp_path / "runs").iterdir()]

    assert not any(records.read_record(key, tmp_path).failure for key in keys)
