"""Many runs trained as one network: equal to single runs, and each independent of the others."""

import dataclasses
import hashlib

import numpy as np
import pytest
import torch
from builders import a_task, configuration, training_images
from safetensors.torch import save

from repro import models
from repro.errors import ReproError, RunFailed
from repro.execution.executors import hardware
from repro.plugins.declared import Origin, Plugin
from repro.records import epoch_weights, records
from repro.records.records import EPOCH_WEIGHTS
from repro.records.task import Source
from repro.study import methods
from repro.training import batched, state_files, trainer
from repro.training.batched import BatchedFit, Member
from repro.training.kernels.operators import Convolution, TorchKernels
from repro.training.kernels.stacked import StackedKernels, member_state, stack
from repro.training.state_files import Checkpoint
from repro.training.step import Step

FORMS = ("grouped", "dense", "unfolded", "direct")
no_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")
MEMBERS, BATCH, FACES = 3, 12, (5, 6, 8)


@pytest.fixture(scope="module", params=["cpu", pytest.param("cuda:0", marks=no_gpu)])
def device(request):
    """Where networks are stacked."""
    return request.param


class ExactTorch(TorchKernels):
    """Images in float64."""

    def gather(self, images, index, **_):
        """See `TorchKernels`."""
        return super().gather(images, index).double()


class ExactStacked(StackedKernels):
    """Images in float64."""

    def gather(self, images, index, **_):
        """See `StackedKernels`."""
        return super().gather(images, index).double()


def networks(device, architecture="dehaan2020"):
    """In float64."""
    made = (models.build(architecture, latent_dim=100, seed=seed) for seed in range(MEMBERS))
    return [network.double().to(device) for network in made]


def batches(steps, count=80):
    """Index and noise of each step, for all members."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        index = [torch.randperm(count, generator=generator)[:BATCH] for _ in range(MEMBERS)]
        noise = torch.randn(MEMBERS, BATCH, 100, generator=generator, dtype=torch.float64)
        yield torch.stack(index), noise


def singly(arm, networks, steps, kernels=ExactTorch):
    """Train each network; the sums of the terms of each, (5, S)."""
    updates = [Step(arm, one, images_for(one), kernels=kernels(arm.precision)) for one in networks]
    for index, noise in batches(steps):
        for number, (update, faces) in enumerate(zip(updates, FACES, strict=True)):
            update(*_like(update.model, index[number], noise[number], faces), faces)
    return torch.stack([update.totals for update in updates], dim=1)


def stacked(arm, network, steps, kernels=ExactStacked):
    """The same of a stack."""
    kernels = kernels(arm.precision)
    update = Step(arm, network, images_for(network), kernels=kernels, members=(MEMBERS,))
    for index, noise in batches(steps):
        update(*_like(network, index, noise, FACES), 0)
    return update.totals


def images_for(network):
    """Pixels on the network's device."""
    return torch.from_numpy(training_images().images).to(next(network.parameters()).device)


def _like(network, index, noise, faces):
    """On the network's device, the noise in its precision."""
    one = next(network.parameters())
    return index.to(one.device), noise.to(one), torch.tensor(faces, device=one.device)


def as_stack(networks, form):
    """All convolutions in one form; the direct one with all kernels of ours."""
    own = ("norm",) if form == "direct" else ()
    return stack(networks, lambda convolution: form, own=own)


def apart(found, exact):
    """The largest relative difference of sums."""
    return float(((found - exact) / exact.clamp_min(1e-30)).abs().max())


def distance(found, exact):
    """Norm of the difference over the norm."""
    return float((found - exact).double().norm() / exact.double().norm().clamp_min(1e-30))


@pytest.mark.parametrize("form", FORMS)
def test_a_stack_trains_as_its_members_in_float64(form, device):
    """Losses, weights and statistics after five updates, but for rounding.

    Where a gradient is as small as Adam's epsilon, its rounding is not: biases are left out.
    """
    singles, arm = networks(device), configuration(learning_rate=1e-5)
    network = as_stack(singles, form)

    assert apart(stacked(arm, network, 5), singly(arm, singles, 5)) < 1e-12
    for number, single in enumerate(singles):
        found = member_state(network, number)
        for name, own in single.state_dict().items():
            if name.endswith("weight"):
                assert distance(found[name], own) < 1e-12, name
            elif not name.endswith("bias"):
                assert distance(found[name], own) < 1e-9, name


@pytest.fixture(scope="module")
def one_step(device):
    """Networks after a step each, in float64 and in float32, and the sums of their terms."""
    exact, short = networks(device), [one.float() for one in networks(device)]
    arm = configuration()
    return exact, singly(arm, exact, 1), short, singly(arm, short, 1, TorchKernels)


def gradient(network, number=None):
    """Of a network, or of a member of a stack."""
    slopes = [parameter.grad for parameter in network.parameters()]
    return torch.cat([(g if number is None else g[number]).flatten().double() for g in slopes])


@pytest.mark.parametrize("form", FORMS)
def test_a_step_of_a_stack_in_float32_is_as_near_as_a_single_one(form, device, one_step):
    """Loss within 1e-6 and gradient within 1e-5 of float64's, or within three times the single's.

    Normalising a unit that is nearly silent multiplies any rounding, the single step's as well.
    """
    exact, exact_sums, short, short_sums = one_step
    network = as_stack([one.float() for one in networks(device)], form)
    sums = stacked(configuration(), network, 1, StackedKernels)

    assert apart(sums[0], exact_sums[0]) < max(1e-6, 3 * apart(short_sums[0], exact_sums[0]))
    for number, (own, single) in enumerate(zip(exact, short, strict=True)):
        limit = max(1e-5, 3 * distance(gradient(single), gradient(own)))
        assert distance(gradient(network, number), gradient(own)) < limit


@pytest.mark.parametrize("form", FORMS)
def test_a_step_of_a_stack_in_bfloat16_is_near(form, device, one_step):
    """The loss within 1e-2 of float64's; the bits of bfloat16 are eight."""
    network = as_stack([one.float() for one in networks(device)], form)
    sums = stacked(configuration(precision="bf16"), network, 1, StackedKernels)

    assert apart(sums[0], one_step[1][0]) < 1e-2


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("place", [1, 2])
def test_a_networks_bits_depend_neither_on_its_place_nor_on_the_others(place, precision, device):
    """After two steps: sums of the terms, weights and statistics."""
    arm = configuration(precision=precision)
    first, *others = [one.float() for one in networks(device)]

    def trained(order, place):
        """Its bits, at this place of the networks in this order."""
        network = as_stack(order, "direct")
        members = torch.arange(MEMBERS).roll(place)  # whose batches each network is trained on
        update = Step(
            arm, network, images_for(network), kernels=StackedKernels(precision), members=(MEMBERS,)
        )
        for index, noise in batches(2):
            faces = torch.tensor(FACES)[members].tolist()
            update(*_like(network, index[members], noise[members], faces), 0)
        state = [tensor.clone() for tensor in member_state(network, place).values()]
        return [*state, update.totals[:, place]]

    at_first, elsewhere = trained([first, *others], 0), [others[1]] * MEMBERS
    elsewhere[place] = first

    assert all(map(torch.equal, at_first, trained(elsewhere, place)))


@pytest.mark.parametrize("architecture", ["mit2019", "mit2024", "fijen2020"])
def test_every_architecture_can_be_stacked(architecture):
    """Convolutions that do not halve as the reproduction's are grouped ones of torch's."""
    choices = {"decoder_input": "all", "learning_rate": 1e-6}
    arm, singles = (
        configuration(architecture=architecture, **choices),
        networks("cpu", architecture),
    )
    sums = stacked(arm, as_stack(singles, "unfolded"), 2)

    assert apart(sums, singly(arm, singles, 2)) < 1e-10


@pytest.mark.parametrize(
    ("precision", "direct"),
    [
        ("fp32", ["3>12", "12>24", "24>48", "48>24", "24>12", "12>3"]),
        ("bf16", ["3>12", "12>24", "24>12", "12>3"]),
    ],
)
def test_layers_are_direct_where_that_was_the_fastest(precision, direct):
    """On an H200, by the table of layers in benchmarks/README.md."""
    form_of = batched.default_form(precision)
    layers = [part for part in networks("cpu")[0].modules() if isinstance(part, Convolution)]
    chosen = [f"{one.in_channels}>{one.out_channels}" for one in layers if form_of(one) == "direct"]

    assert chosen == direct


def test_a_run_of_a_stack_has_another_name_and_its_record_can_be_read(tmp_path):
    """Its kernels are part of how it was computed; the other fields are those of a single run."""
    single = hardware.computation(["cuda:0"])
    of_stack = dataclasses.replace(single, kernels="stacked-3")
    names = [
        next(records.run_digests(configuration(), data={}, computation=one))
        for one in (single, of_stack)
    ]
    failure = {"epoch": 1, "term": "kl", "reason": "it is infinite"}
    record = a_task(tmp_path, computation=of_stack).record(failure=failure)
    records.write_record(record, tmp_path, {})

    assert names[0] != names[1]
    assert records.read_record(record.key, tmp_path).computation["kernels"] == "stacked-3"


def digests(fit):
    """Bits and history of each member."""
    return [
        (hashlib.sha256(save(trainer.checkpoint_tensors(one.model))).hexdigest(), one.history)
        for one in fit.members
    ]


def runs(*alphas, **changes):
    """Arms of different strength, seed by seed."""
    return [
        Member(configuration(resampling={"alpha": alpha}, **changes), seed)
        for seed, alpha in enumerate(alphas)
    ]


def all_epochs(fit):
    return list(fit.epochs())


@pytest.fixture(scope="module")
def three():
    """Three arms, trained."""
    fit = BatchedFit(runs(0.1, 0.01, 0.001), training_images())
    all_epochs(fit)
    return digests(fit)


def test_the_same_stack_trained_again_gives_the_same_bits(three):
    """Histories and networks."""
    again = BatchedFit(runs(0.1, 0.01, 0.001), training_images())
    all_epochs(again)

    assert digests(again) == three


def test_a_member_does_not_depend_on_the_others(three):
    """The same bits beside other arms and seeds, in a stack of the same size."""
    ours = runs(0.1, 0.01, 0.001)[0]
    others = [Member(configuration(resampling={"rule": "none"}), 7), Member(configuration(), 8)]
    fit = BatchedFit([ours, *others], training_images())
    all_epochs(fit)

    assert digests(fit)[0] == three[0]


def test_a_member_among_copies_has_the_bits_of_one_among_others(three):
    """At another place."""
    fit = BatchedFit(runs(0.1, 0.01, 0.001)[2:], training_images(), size=3)
    all_epochs(fit)

    assert digests(fit) == three[2:]


def test_a_stack_that_went_on_from_its_states_gives_the_same_bits(three):
    """Through the files of a checkpoint of each member."""
    first = BatchedFit(runs(0.1, 0.01, 0.001), training_images())
    next(first.epochs())
    files = [state_files.pack(Checkpoint(state, 0.0), "key") for state in first.states()]
    states = [state_files.unpack(one).state for one in files]
    second = BatchedFit(runs(0.1, 0.01, 0.001), training_images(), resume=states)
    all_epochs(second)

    assert digests(second) == three


def test_without_a_gpu_a_stack_is_unfolded(three):
    """The same bits as with torch's operators alone."""
    arms = runs(0.1, 0.01, 0.001)
    fit = BatchedFit(arms, training_images(), form_of=lambda _: "unfolded", own=())
    all_epochs(fit)

    assert digests(fit) == three


def test_the_first_epoch_of_a_member_is_that_of_a_single_run(three):
    """Same initial network, split, batches and noise; other rounding."""
    member = runs(0.1, 0.01, 0.001)[1]
    single = trainer.fit(member.configuration, member.seed, training_images()).history[0]
    stacked = three[1][1][0]

    assert stacked.keys() == single.keys()
    assert stacked["train_loss"] == pytest.approx(single["train_loss"], rel=1e-2)


def test_losses_are_weighted_in_each_member_by_its_own_factors():
    """Beside an even one; an even epoch is the even arm's, to the bit."""
    even = configuration(resampling={"rule": "none"})
    weighted = configuration(resampling={"rule": "as_loss", "parameters": {"by": "max"}})
    without, beside = (
        BatchedFit([Member(even, 0), Member(arm, 0)], training_images()) for arm in (even, weighted)
    )
    all_epochs(without)
    all_epochs(beside)
    (first, other), (same, factored) = (
        [one.history for one in fit.members] for fit in (without, beside)
    )

    assert first == same
    assert {name: factored[0][name] for name in other[0]} == other[0]
    assert factored[1]["train_loss"] != other[1]["train_loss"]
    assert factored[1]["largest_loss_weight"] > 1


def test_a_rule_of_a_plug_in_and_one_with_a_source_weigh_the_faces_of_their_members():
    """A placebo deals its own source's weights; the plug-in's are what it returns."""
    faces = 32
    kept = np.linspace(1, 2, faces) / np.linspace(1, 2, faces).sum()
    files = {EPOCH_WEIGHTS: epoch_weights.pack({2: kept})}
    source = Source(key="k-seed0", arm="x", digest="k", configuration=configuration(), files=files)
    origin = Origin("own.py", "0" * 32, root=__file__, shown=__file__)
    rule = Plugin(
        kind="rule", name="own", make=lambda latents, context: kept[::-1].copy(), origin=origin
    )
    catalogue = methods.BUILT_IN.with_plugins([rule])
    fit = BatchedFit(
        [
            Member(configuration(resampling={"rule": "placebo"}), 0, source=source),
            Member(configuration(resampling={"rule": "own"}), 1, catalogue),
            Member(configuration(), 2),
        ],
        training_images(),
    )
    all_epochs(fit)
    dealt, own, plain = (one.epoch_weights for one in fit.members)

    np.testing.assert_array_equal(np.sort(dealt[2]), np.sort(kept))
    np.testing.assert_array_equal(own[1], kept[::-1])
    assert list(plain) == [2]


def test_a_member_that_fails_leaves_the_others_alone():
    """It ends with its epoch and reason, they with their last epoch."""
    product = {"rule": "product", "arithmetic": "float32"}
    failing = Member(configuration(resampling=product), 1)
    fit = BatchedFit([*runs(0.1), failing], training_images())
    epochs = all_epochs(fit)

    assert [sorted(epoch) for epoch in epochs] == [[0, 1], [0]]
    assert isinstance(fit.failures[1], RunFailed)
    assert len(fit.members[0].history) == 2


@pytest.mark.parametrize(
    ("changes", "refused"),
    [({"batch_size": 8}, "batch_size"), ({"learning_rate": 0.1}, "learning_rate")],
)
def test_runs_of_different_shapes_are_refused(changes, refused):
    """By the choice in which they differ."""
    with pytest.raises(ReproError, match=refused):
        BatchedFit(
            [Member(configuration(), 0), Member(configuration(**changes), 0)], training_images()
        )


def test_runs_that_decode_faces_only_are_refused():
    """Their batches have a different shape in each run."""
    arm = configuration(decoder_input="faces")

    with pytest.raises(ReproError, match="decoder_input"):
        batched.require_one_shape([Member(arm, 0), Member(arm, 1)])
