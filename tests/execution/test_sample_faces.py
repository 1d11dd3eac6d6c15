"""Which faces are shown and what is computed of them, against slow or known answers."""

import dataclasses

import h5py
import numpy as np
import pytest
import torch
from builders import a_task, configuration, execute, study_index, training_images

from repro import models
from repro.data import sources
from repro.data.sources import synthetic
from repro.data.synthetic import rarity_levels, scenes
from repro.errors import DataError
from repro.execution import draw_rates, sample_faces
from repro.records import records
from repro.training import inference

EMBEDDED = {
    "train": {"source": "synthetic", "faces": 40, "nonfaces": 40},
    "test": {"source": "synthetic", "per_group": 1, "size": 64},
    "nonfaces": {"source": "synthetic", "photographs": 2, "size": 64},
}


def trained(results, choices, name, seed=0):
    """A run of this configuration, with its record."""
    task = a_task(
        results,
        key=f"{name}-seed{seed}",
        arm=name,
        seed=seed,
        configuration=choices,
        data=sources.fingerprints(choices.data),
    )
    execute(task)
    return records.read_record(task.key, results)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """One run that resamples, one that does not, one plain classifier."""
    results = tmp_path_factory.mktemp("gallery")
    off = {"rule": "none"}
    choices = {
        "resampled": configuration(data=EMBEDDED),
        "uniform": configuration(data=EMBEDDED, resampling=off),
        "plain": configuration(data=EMBEDDED, resampling=off, model="classifier"),
    }
    found = {(r := trained(results, one, name)).key: r for name, one in choices.items()}
    index = study_index({name: [f"{name}-seed0"] for name in choices})
    return index, found, results


def test_a_run_shows_what_it_has(embedded):
    """Draws where it resamples, latents where its network has any."""
    shown = sample_faces.of_study(*embedded, faces="synthetic")
    has = {one.arm: (one.draws is not None, one.latents is not None) for one in shown}

    assert has == {"resampled": (True, True), "uniform": (False, True), "plain": (False, False)}


def test_the_same_records_show_the_same_pictures(embedded):
    """Every choice of faces is by rank or from a fixed stream."""
    first, second = (sample_faces.of_study(*embedded, faces="synthetic")[0] for _ in range(2))

    assert np.array_equal(first.draws.adaptive.pictures, second.draws.adaptive.pictures)
    assert np.array_equal(first.latents.traversals, second.latents.traversals)


def test_changed_pictures_are_not_shown_as_what_a_run_was_trained_on(embedded):
    """The digest of the data in the record does not fit."""
    index, found, results = embedded
    other = {key: dataclasses.replace(r, data=r.data | {"train": "0"}) for key, r in found.items()}

    with pytest.raises(DataError, match="not what the runs were trained on"):
        sample_faces.of_study(index, other, results, faces="synthetic")


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A run on a file of somebody's pictures."""
    folder = tmp_path_factory.mktemp("real")
    data = training_images()
    with h5py.File(folder / "train.h5", "w") as file:
        file["images"], file["labels"] = data.images, data.is_face[:, None].astype(np.uint8)
    train = {"source": "mit_h5", "path": str(folder / "train.h5")}
    record = trained(folder, configuration(data=EMBEDDED | {"train": train}), "x")
    return study_index({"x": [record.key]}, synthetic=True), {record.key: record}, folder


@pytest.mark.parametrize(("faces", "count"), [("synthetic", 0), ("all", 1)])
def test_real_faces_are_shown_only_when_all_are_asked_for(real, faces, count):
    """Even where the test pictures are synthetic and the study counts as such."""
    assert len(sample_faces.of_study(*real, faces=faces)) == count


def test_real_faces_have_no_known_rarity(real):
    """Nobody knows which of them wear a hat."""
    assert draw_rates.of_study(*real) == ()


IMAGES = np.arange(50, dtype=np.uint8)[:, None, None, None] * np.ones((1, 64, 64, 3), np.uint8)
FACES = np.arange(10, 50)
WEIGHTS = np.arange(1, 41) / 820


def shades(drawn):
    """Of flat pictures."""
    return drawn.pictures[:, 0, 0, 0].tolist()


def test_extremes_are_ranked_from_their_ends():
    """Weights rise from picture 10 to picture 49."""
    found = sample_faces.draws(IMAGES, FACES, WEIGHTS)

    assert shades(found.lowest) == list(range(10, 22))
    assert shades(found.highest) == list(range(49, 37, -1))
    assert found.highest.weights[0] == pytest.approx(40 / 820)


def test_bins_hold_every_face_once_with_its_first_examples():
    """Forty weights, 0.5 to 39.5 parts of 800, on ten bins of equal width: four each."""
    found = sample_faces.draws(IMAGES, FACES, (np.arange(40) + 0.5) / 800)

    assert found.counts.tolist() == [4] * 10
    assert [one[0, 0, 0, 0] for one in found.examples] == list(range(10, 50, 4))


def test_an_adaptive_face_is_expected_to_be_as_probable_as_the_ess_is_small():
    """F times the sum of squares: 40 * (1 + 4 + ... + 1600) / 820 ** 2."""
    found = sample_faces.draws(IMAGES, FACES, WEIGHTS)

    assert found.expected == pytest.approx(40 * 22140 / 820**2)


def test_an_adaptive_batch_follows_the_weights():
    """All weight on one face draws nothing else."""
    found = sample_faces.draws(IMAGES, FACES, np.eye(40)[7])

    assert set(shades(found.adaptive)) == {17}
    assert len(set(shades(found.uniform))) > 5


def test_ways_begin_and_end_at_the_two_faces():
    """In five equal steps; a fifth latent without a partner is left out."""
    ends = torch.tensor([[0.0, 0], [4, 8], [1, 1], [1, 1], [9, 9]])

    way, still = sample_faces.interpolated(ends, 5)

    assert way.tolist() == [[0, 0], [1, 2], [2, 4], [3, 6], [4, 8]]
    assert still.tolist() == [[1, 1]] * 5


def test_a_traversal_moves_one_latent_by_its_standard_deviations():
    """Latent 1 has mean 2 and deviation 2; latent 0 stays at its mean."""
    means = torch.tensor([[1.0, 0], [1, 4]])

    (walk,) = sample_faces.traversed(means, (1,))

    assert walk[:, 0].tolist() == [1] * 7
    assert walk[:, 1].tolist() == [-4, -2, 0, 2, 4, 6, 8]


def test_the_most_active_latents_vary_most_over_faces():
    """Deviations 1, 3 and 2."""
    means = torch.tensor([[1.0, 3, 2], [-1, -3, -2]])

    assert sample_faces.most_active(means) == (1, 2, 0)


def test_a_decoder_that_makes_the_same_of_all_has_no_spread():
    """And black and white in equal numbers one of 127.5."""
    flat = np.full((4, 64, 64, 3), 9, np.uint8)
    mixed = np.repeat(np.uint8([0, 255]), 2)[:, None, None, None] * np.ones(
        (1, 64, 64, 3), np.uint8
    )

    assert (sample_faces.spread(flat), sample_faces.spread(mixed)) == (0, 127.5)


def test_decoding_by_kept_statistics_is_the_networks_own_evaluation():
    """As pixels; the other way it is its training mode, and the network is left as it was."""
    model = models.build("dehaan2020", latent_dim=5, seed=0)
    latents = torch.randn(8, 5, generator=torch.Generator().manual_seed(1))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    kept, by_batch = (inference.decode(model, latents, statistics=s) for s in ("running", "batch"))

    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    with torch.no_grad():
        trained = model.decoder.train()(latents)
        expected = model.decoder.load_state_dict(
            {n.removeprefix("decoder."): v for n, v in before.items() if n.startswith("decoder.")}
        ) and model.decoder.eval()(latents)
    for found, pictures in ((kept, expected), (by_batch, trained)):
        assert np.abs(found - 255 * pictures.permute(0, 2, 3, 1).numpy()).max() < 0.51


def test_the_seed_that_most_arms_finished_with_is_shown():
    """Seed 0 of one arm alone, seed 1 of both."""
    one = records.Record(key="a1", seed=1, configuration={}, data={})
    found = {
        "a0": dataclasses.replace(one, key="a0", seed=0),
        "a1": one,
        "b0": dataclasses.replace(one, key="b0", seed=0, failure={"term": "loss"}),
        "b1": dataclasses.replace(one, key="b1"),
    }
    index = study_index({"a": ["a0", "a1"], "b": ["b0", "b1"]})

    assert [run.key for run in sample_faces.chosen_runs(index, found).values()] == ["a1", "b1"]


def test_a_rare_face_that_is_drawn_half_the_time_has_a_multiple_of_five():
    """One of ten faces, weight one half."""
    members, weights = np.arange(10) == 3, np.full(10, 0.5 / 9)
    weights[3] = 0.5

    assert draw_rates.draws_of(members, weights) == (0.1, 5.0)


def test_uniform_drawing_has_a_multiple_of_one():
    """Whoever the members are; without any there is none."""
    uniform = np.full(10, 0.1)

    assert draw_rates.draws_of(np.arange(10) < 4, uniform) == (0.4, pytest.approx(1))
    assert np.isnan(draw_rates.draws_of(np.zeros(10, bool), uniform)[1])


def test_rarity_is_measured_on_the_faces_that_a_run_trained_on(embedded):
    """32 of the 40 faces; both halves of the skin scale make all of them."""
    (found,) = draw_rates.of_study(*embedded)
    shares = dict(zip(found.levels, found.shares[0], strict=True))

    assert found.arm == "resampled"
    assert shares["darker skin (IV to VI)"] + shares["lighter skin (I to III)"] == pytest.approx(1)
    assert (found.shares[0] * 32) == pytest.approx(np.round(found.shares[0] * 32))


def test_levels_of_a_factor_with_kinds_share_out_the_faces():
    """Each face has one skin type, one gender, one background."""
    factors = scenes.draw_factors(np.random.default_rng(0), 500, darker_share=None)
    found = rarity_levels.levels(factors)

    for kind in ("skin type", "background", "female", "male"):
        members = [flags for name, flags in found.items() if name.startswith(kind)]
        total = np.sum(members, axis=0)
        assert set(total) == ({1} if len(members) > 1 else {0, 1})
    assert found["hat"].tolist() == factors.hat.tolist()


def test_the_true_factors_are_those_that_the_training_faces_were_drawn_from():
    """The same generator, in the same order: the pictures come out again."""
    spec = configuration(data=EMBEDDED).data.train
    generator, _ = np.random.default_rng((spec.seed, 0)).spawn(2)
    factors = scenes.draw_factors(generator, spec.faces, darker_share=spec.darker_share)

    assert synthetic.true_factors(spec).hat.tolist() == factors.hat.tolist()
    drawn = sources.training_images(spec).images[: spec.faces]
    assert np.array_equal(drawn, scenes.render_faces(factors, generator))
