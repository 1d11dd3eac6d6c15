import csv

import numpy as np
import pytest
import torch
from builders import configuration, training_images

from repro.data.pictures.images import Photographs
from repro.errors import ReproError
from repro.records import scores
from repro.training import evaluation, inference, trainer
from repro.training.kernels import operators
from repro.training.sliding_windows import sliding_windows

RULE = configuration().windows


def photographs(heights=(64, 100, 30, 90), seed=0):
    """Noise of several heights, 80 wide; one is too low for any window."""
    generator = np.random.default_rng(seed)
    pictures = [generator.integers(0, 256, (h, 80, 3), dtype=np.uint8) for h in heights]
    names = tuple(f"p{i}" for i in range(len(pictures)))
    return Photographs(names, ("a", "b") * (len(names) // 2), pictures.__getitem__), pictures


@pytest.fixture(scope="module")
def fitted():
    """A network that saw two epochs of noise."""
    return trainer.fit(configuration(), 0, training_images())


def test_scores_match_one_photograph_at_a_time(fitted):
    """Batches over many photographs give what the plain loop gives."""
    opened, pictures = photographs()
    scores = evaluation.score(fitted.model, opened, RULE)

    for i, picture in enumerate(pictures):
        windows = sliding_windows(picture, **RULE.model_dump())
        logits = [float(inference.logits(fitted.model, torch.from_numpy(w[None]))) for w in windows]
        assert scores.windows[i] == len(windows)
        assert scores.positive[i] == sum(logit >= 0 for logit in logits)
        assert scores.top_logit[i] == pytest.approx(max(logits, default=-np.inf), abs=1e-4)


def test_scores_do_not_depend_on_how_many_windows_go_at_once(fitted, monkeypatch):
    """One photograph a batch or all in one: the same counts."""
    opened, _ = photographs()
    together = evaluation.score(fitted.model, opened, RULE)
    monkeypatch.setattr(evaluation, "WINDOWS_AT_ONCE", 1)
    apart = evaluation.score(fitted.model, opened, RULE)

    assert together.windows.tolist() == apart.windows.tolist()
    np.testing.assert_allclose(together.top_logit, apart.top_logit, atol=1e-4)


def test_a_photograph_without_windows_is_not_detected(fitted):
    """Too low for half its width: no window, no detection, no error."""
    opened, _ = photographs()
    scores = evaluation.score(fitted.model, opened, RULE)

    assert scores.top_logit[2] == -np.inf
    assert not scores.detected[2]


def test_photographs_that_are_all_without_windows_are_refused(fitted):
    """Nothing was looked at, which is not the same as nothing found."""
    opened, _ = photographs(heights=(30, 30))

    with pytest.raises(ReproError, match=r"windows.smallest: 0.5 .* of the 2 test phot"):
        evaluation.score(fitted.model, opened, RULE)


def test_any_window_at_zero_or_more_detects():
    """The rule is the largest logit >= 0."""
    opened, _ = photographs((80, 80))
    found = evaluation._per_photograph(opened, np.array([2, 1]), np.array([-1.0, 0.0, -0.1]))

    assert found.detected.tolist() == [True, False]
    assert found.top_logit.tolist() == [0.0, -0.1]


def test_scores_are_written_in_full_precision(fitted):
    """Reading the file gives the same numbers back."""
    opened, _ = photographs()
    found = evaluation.score(fitted.model, opened, RULE)
    rows = list(csv.DictReader(scores.to_csv({"portraits": found}).decode().splitlines()))

    assert [float(row["top_logit"]) for row in rows] == found.top_logit.tolist()
    assert [row["group"] for row in rows] == ["a", "b", "a", "b"]


def test_diagnostics_of_a_classifier_have_no_latents():
    """A model without latents has an accuracy and nothing else."""
    arm, data = configuration(model="classifier", resampling={"rule": "none"}), training_images()
    metrics, kl = evaluation.validation_metrics(trainer.fit(arm, 0, data), data)

    assert set(metrics) == {"val_accuracy", "val_best_epoch"}
    assert kl == []


def test_the_kl_per_latent_sums_to_the_kl(fitted):
    """Nats per latent, averaged over held-out faces, add up."""
    metrics, kl = evaluation.validation_metrics(fitted, training_images())

    assert len(kl) == 100
    assert sum(kl) == pytest.approx(metrics["val_kl"])


def test_reconstruction_errors_match_a_direct_computation(fitted):
    """Mean absolute and squared error per channel of decoded means."""
    images = torch.from_numpy(training_images().images[:10])
    with inference.evaluating(fitted.model):
        x = operators.to_network(images)
        means = fitted.model.encoder(x).latent_mean
        difference = fitted.model.decoder(means) - x

    errors = inference.reconstruction_errors(fitted.model, images, means)

    assert errors == pytest.approx(
        (float(difference.abs().mean()), float(difference.square().mean())), rel=1e-4
    )


def test_crop_probabilities_are_mean_sigmoids(fitted):
    """Over all crops and over each group's, without a threshold."""
    pixels = training_images().images[:6]
    crops = Photographs(tuple("abcdef"), ("x", "y", "y") * 2, pixels.__getitem__)

    found = evaluation.crop_probabilities(fitted.model, crops)

    each = [
        float(inference.logits(fitted.model, torch.from_numpy(p[None])).sigmoid()) for p in pixels
    ]
    assert found["crop_probability"] == pytest.approx(np.mean(each), abs=1e-6)
    assert found["crop_probability/x"] == pytest.approx((each[0] + each[3]) / 2, abs=1e-6)
    assert list(found) == ["crops", "crop_probability", "crop_probability/x", "crop_probability/y"]
    assert found["crops"] == 6
