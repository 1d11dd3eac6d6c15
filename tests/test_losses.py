import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from repro import losses


def seeded(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_gaussian_kl_matches_torch_distributions():
    """The closed form agrees with torch's own KL on random posteriors."""
    mean, logvar = seeded(64, 10), seeded(64, 10, seed=1)
    posterior = Normal(mean, scale=torch.exp(0.5 * logvar))

    expected = kl_divergence(posterior, Normal(0.0, 1.0)).sum(dim=1)

    torch.testing.assert_close(losses.gaussian_kl(mean, logvar), expected)


def test_gaussian_kl_is_zero_at_the_prior():
    """A posterior equal to the prior costs nothing."""
    zeros = torch.zeros(3, 5)

    assert losses.gaussian_kl(zeros, zeros).tolist() == [0.0, 0.0, 0.0]


def test_gaussian_kl_of_a_hand_worked_posterior():
    """Mean 1 and variance e in one latent: (e + 1 - 1 - 1) / 2."""
    value = losses.gaussian_kl(torch.ones(1, 1), torch.ones(1, 1))

    assert value.item() == pytest.approx((torch.e - 1) / 2)


def test_classification_matches_the_definition():
    """Cross-entropy is log 1/p of the right answer."""
    logit = torch.tensor([0.0, 2.0, -3.0], dtype=torch.float64)
    is_face = torch.tensor([True, True, False])
    right = torch.stack([logit.sigmoid()[0], logit.sigmoid()[1], 1 - logit.sigmoid()[2]])

    torch.testing.assert_close(losses.classification(logit, is_face), -right.log())


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_reconstruction_sum_is_the_mean_times_the_pixels(norm):
    """For 64 x 64 x 3 values, sum and mean differ by the factor 12,288."""
    images, decoded = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)

    summed = losses.reconstruction(images, decoded, norm=norm, reduction="sum")
    averaged = losses.reconstruction(images, decoded, norm=norm, reduction="mean")

    torch.testing.assert_close(summed, 12_288 * averaged)


def test_reconstruction_matches_torch():
    """Squared and absolute errors agree with torch's losses on one image."""
    images, decoded = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)

    squared = losses.reconstruction(images, decoded, norm="l2", reduction="mean")
    absolute = losses.reconstruction(images, decoded, norm="l1", reduction="sum")

    torch.testing.assert_close(squared[0], functional.mse_loss(decoded, images))
    torch.testing.assert_close(absolute[0], functional.l1_loss(decoded, images, reduction="sum"))


def test_a_nonface_whose_variance_overflows_leaves_the_gradient_finite():
    """Nothing trains the log-variance of a non-face, so it may be anything."""
    mean, logvar = torch.zeros(2, 1, requires_grad=True), torch.tensor([[0.5], [1e4]])
    logvar.requires_grad_()
    kl = losses.face_kl(mean, logvar, torch.tensor([True, False]))
    torch.autograd.backward(kl.sum())

    assert kl[1] == 0
    assert logvar.grad[:, 0].tolist() == [pytest.approx((torch.e**0.5 - 1) / 2), 0.0]


def test_the_kl_of_faces_is_the_kl():
    """Masking changes nothing for a face."""
    mean, logvar = seeded(4, 5), seeded(4, 5, seed=1)
    everyone = torch.ones(4, dtype=torch.bool)

    expected = losses.gaussian_kl(mean, logvar)

    torch.testing.assert_close(losses.face_kl(mean, logvar, everyone), expected, rtol=0, atol=0)


def combined(mean, logvar, decoded, logit, is_face, images):
    return losses.objective(
        classification=losses.classification(logit, is_face),
        kl=losses.face_kl(mean, logvar, is_face),
        reconstruction=losses.reconstruction(images, decoded, norm="l2", reduction="sum"),
        is_face=is_face,
        weights=(1.0, 1.0, 1.0),
    )


def test_a_nonface_has_no_gradient_in_its_latents_and_reconstruction():
    """Only classification reaches back from an image that is no face."""
    mean, logvar = seeded(4, 5).requires_grad_(), seeded(4, 5, seed=1).requires_grad_()
    decoded, logit = seeded(4, 3, 8, 8).requires_grad_(), seeded(4).requires_grad_()
    is_face = torch.tensor([True, False, True, False])

    loss = combined(mean, logvar, decoded, logit, is_face, seeded(4, 3, 8, 8, seed=2))
    torch.autograd.backward(loss.mean())

    for leaf in (mean, logvar, decoded):
        assert not leaf.grad[~is_face].any()
        assert leaf.grad[is_face].abs().sum() > 0
    assert (logit.grad != 0).all()


def test_objective_of_hand_worked_terms():
    """c1 L_class for all, plus c2 L_recon + c3 L_KL for faces."""
    value = losses.objective(
        classification=torch.tensor([1.0, 2.0]),
        kl=torch.tensor([10.0, 10.0]),
        reconstruction=torch.tensor([100.0, 100.0]),
        is_face=torch.tensor([True, False]),
        weights=(2.0, 0.5, 3.0),
    )

    assert value.tolist() == [82.0, 4.0]


def test_unequal_shapes_are_refused():
    """(N, 1) against (N,) would silently become (N, N)."""
    with pytest.raises(ValueError, match=r"logit must have shape \(N,\), not \(3, 1\)"):
        losses.classification(torch.zeros(3, 1), torch.zeros(3, dtype=torch.bool))


def test_the_swapped_indicator_classifies_faces_alone_and_reconstructs_everything():
    """The lab's defect, by hand: BCE where there is a face, variational terms for both."""
    value = losses.objective(
        classification=torch.tensor([2.0, 3.0]),
        kl=torch.tensor([5.0, 7.0]),
        reconstruction=torch.tensor([11.0, 13.0]),
        is_face=torch.tensor([True, False]),
        weights=(1.0, 1.0, 0.5),
        indicator="swapped",
    )

    assert value.tolist() == [2 + 11 + 2.5, 13 + 3.5]
