import torch

from repro import models


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_dehaan2020_has_the_published_number_of_parameters():
    """Encoder 1,479,969 and decoder 1,382,011 make 2,861,980."""
    model = models.build("dehaan2020", latent_dim=100, seed=0)

    assert parameters(model.encoder) == 1_479_969
    assert parameters(model.decoder) == 1_382_011
    assert parameters(model) == 2_861_980


def test_the_decoder_has_the_encoders_size():
    """Output padding 1 in all four layers brings 4 x 4 back to 64 x 64."""
    model = models.build("dehaan2020", latent_dim=7, seed=0)
    decoded = model.decoder(torch.zeros(2, 7))

    assert decoded.shape == (2, 3, 64, 64)
    assert ((decoded >= 0) & (decoded <= 1)).all()


def test_encoding_has_one_logit_and_the_latents():
    """Heads are linear: 1 logit, D means, D log-variances."""
    encoding = models.build("dehaan2020", latent_dim=7, seed=0).encoder(torch.rand(3, 3, 64, 64))

    assert [tuple(part.shape) for part in encoding] == [(3,), (3, 7), (3, 7)]


def test_the_classifier_shares_the_encoders_initial_weights():
    """Arms with one seed start from the same trunk and classification head."""
    vae = models.build("dehaan2020", latent_dim=100, seed=3).encoder.state_dict()
    plain = models.build("classifier", latent_dim=100, seed=3).encoder.state_dict()

    assert set(plain) < set(vae)
    assert all(torch.equal(plain[name], vae[name]) for name in plain)


def test_building_leaves_the_global_generator_alone():
    """A run's randomness comes from its own streams."""
    before = torch.get_rng_state()
    models.build("classifier", latent_dim=1, seed=0)

    assert torch.equal(torch.get_rng_state(), before)


def test_reparameterise_uses_half_the_log_variance():
    """A log-variance of log 4 is a standard deviation of 2."""
    logvar = torch.full((1, 1), 4.0).log()

    assert models.reparameterise(torch.ones(1, 1), logvar, torch.ones(1, 1)).item() == 3.0
