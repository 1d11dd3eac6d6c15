import pytest
import torch
from torch import nn

from repro import losses, models
from repro.study.configuration import Configuration
from repro.study.presets import PRESETS
from repro.training.step import Step


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def of_preset(name):
    choices = Configuration.model_validate(PRESETS[name])
    return models.build(choices.architecture, latent_dim=choices.latents, seed=0)


def shapes(stack, given):
    """What each convolution of a stack makes of one image or map."""
    found = []
    for part in stack:
        given = part(given)
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            found.append(tuple(given.shape[1:]))
    return found


HALVED = [(12, 32, 32), (24, 16, 16), (48, 8, 8)]
DOUBLED = [(24, 16, 16), (12, 32, 32), (3, 64, 64)]
SHAPES = {
    "amini2019": ([*HALVED, (72, 4, 4)], [(48, 8, 8), *DOUBLED]),
    "dehaan2020": ([*HALVED, (72, 4, 4)], [(48, 8, 8), *DOUBLED]),
    "mit2019": ([*HALVED, (72, 8, 8)], [(48, 8, 8), *DOUBLED]),
    "mit2020": ([*HALVED, (72, 4, 4)], [(48, 8, 8), *DOUBLED]),
    "mit2024": ([*HALVED, (72, 4, 4)], [(48, 8, 8), *DOUBLED]),
    "mit2024_defects": ([*HALVED, (72, 4, 4)], [(48, 8, 8), *DOUBLED]),
    "fijen2020": (
        [(64, 30, 30), (128, 13, 13), (256, 5, 5), (512, 1, 1)],
        [(256, 5, 5), (128, 13, 13), (64, 30, 30), (3, 64, 64)],
    ),
}
# Weights and biases, layer by layer, normalisation's two a channel; worked by hand.
MIT2020 = (
    (912 + 7_224 + 10_416 + 31_176) + 2 * 156 + 590_336 + 103_113,
    116_352 + (31_152 + 10_392 + 7_212 + 903),
)
MIT2019 = (
    (912 + 7_224 + 10_416 + 31_176) + 2 * 156 + 926_409,
    465_408 + (31_152 + 10_392 + 7_212 + 903) + 2 * 84,
)
FIJEN2020 = (
    (4_864 + 204_928 + 819_456 + 3_277_312) + 2 * 960 + 513_000 + 401_401,
    201_000 + 512_512 + (3_277_056 + 819_328 + 204_864 + 4_803) + 2 * 448,
)
SIZES = {
    "amini2019": (1_479_969, 1_382_011),
    "dehaan2020": (1_479_969, 1_382_011),
    "mit2019": MIT2019,
    "mit2020": MIT2020,
    "mit2024": MIT2020,
    "mit2024_defects": MIT2020,
    "fijen2020": FIJEN2020,
}


def test_every_preset_is_known_here():
    """No network goes unchecked."""
    assert set(SHAPES) == set(SIZES) == set(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_network_has_the_literatures_layers(name):
    """Channels and sides of every map, there and back."""
    model = of_preset(name).eval()
    encoder, decoder = model.encoder, model.decoder
    latents = torch.zeros(1, encoder.latent_dim)

    assert shapes(encoder.convolutions, torch.zeros(1, 3, 64, 64)) == SHAPES[name][0]
    assert shapes(decoder.convolutions, decoder.maps(latents)) == SHAPES[name][1]


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_network_has_the_literatures_parameters(name):
    """Encoder and decoder, weight by weight."""
    model = of_preset(name)

    assert (parameters(model.encoder), parameters(model.decoder)) == SIZES[name]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *[("mit2019", nn.ReLU), ("mit2020", nn.ReLU), ("mit2024", nn.Identity)],
        *[("dehaan2020", nn.Sigmoid), ("fijen2020", nn.Sigmoid)],
    ],
)
def test_a_decoder_ends_as_its_source_says(name, kind):
    """A sigmoid in the reproductions, none in the lab."""
    assert isinstance(of_preset(name).decoder.convolutions[-1], kind)


def test_the_lab_of_2019_rectifies_its_latents():
    """Means and log-variances pass through a ReLU there, the logit does not."""
    encoding = of_preset("mit2019").encoder(torch.rand(64, 3, 64, 64))

    assert encoding.latent_mean.min() == 0 == encoding.latent_logvar.min()
    assert encoding.logit.min() < 0


def test_the_lab_of_2020_has_linear_heads():
    """Means and log-variances of either sign."""
    encoding = of_preset("mit2020").encoder(torch.rand(16, 3, 64, 64))

    assert encoding.latent_mean.min() < 0 < encoding.latent_mean.max()
    assert encoding.latent_logvar.min() < 0 < encoding.latent_logvar.max()


def test_fijens_deviations_are_a_softplus():
    """Where the head says 0 the standard deviation is log 2."""
    encoder = of_preset("fijen2020").encoder.eval()
    nn.init.zeros_(encoder.latent_logvar.weight), nn.init.zeros_(encoder.latent_logvar.bias)

    logvar = encoder(torch.rand(1, 3, 64, 64)).latent_logvar

    torch.testing.assert_close((0.5 * logvar).exp(), torch.full((1, 200), 2.0).log())


def test_keras_starts_without_biases():
    """The lab's TensorFlow versions start all biases at 0, de Haan et al. as torch does."""
    assert not of_preset("mit2020").encoder.trunk[0].bias.any()
    assert of_preset("dehaan2020").encoder.trunk[0].bias.any()


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
    plain = models.build("dehaan2020", latent_dim=0, seed=3).encoder.state_dict()

    assert set(plain) < set(vae)
    assert all(torch.equal(plain[name], vae[name]) for name in plain)


def test_building_leaves_the_global_generator_alone():
    """A run's randomness comes from its own streams."""
    before = torch.get_rng_state()
    models.build("dehaan2020", latent_dim=0, seed=0)

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", models.ARCHITECTURES)
def test_a_network_is_called_on_images(name):
    """Logit, mean, log-variance and reconstruction in the documented shapes."""
    made = models.build(name, latent_dim=5, seed=0)(torch.rand(3, 3, 64, 64))

    assert {part: tuple(value.shape) for part, value in made._asdict().items()} == {
        "logit": (3,),
        "mean": (3, 5),
        "logvar": (3, 5),
        "reconstruction": (3, 3, 64, 64),
    }


def test_a_classifier_is_called_on_images():
    """It has the logit alone."""
    made = models.build("mit2020", latent_dim=0, seed=0)(torch.rand(3, 3, 64, 64))

    assert {part: tuple(value.shape) for part, value in made._asdict().items()} == {"logit": (3,)}


def test_evaluation_decodes_the_mean():
    """The same images give the same bits, those of encoder and decoder."""
    model, images = of_preset("dehaan2020").eval(), torch.rand(2, 3, 64, 64)
    made = model(images)

    assert all(torch.equal(a, b) for a, b in zip(made, model(images), strict=True))
    assert torch.equal(made.mean, model.encoder(images).latent_mean)
    assert torch.equal(made.reconstruction, model.decoder(made.mean))


def test_training_mode_draws_from_the_posterior():
    """From torch's own generator, so that a seed repeats it."""
    model, images = of_preset("mit2024"), torch.rand(2, 3, 64, 64)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        first, other = model(images).reconstruction, model(images).reconstruction
        torch.manual_seed(1)
        again = model(images).reconstruction

    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("preset", ["dehaan2020", "fijen2020", "mit2024"])
def test_calling_a_network_is_what_training_computes(preset):
    """The same noise and images give the terms of training's own step."""
    choices = Configuration.model_validate(PRESETS[preset])
    model = models.build(choices.architecture, latent_dim=choices.latents, seed=0)
    pixels = torch.randint(0, 256, (16, 64, 64, 3), dtype=torch.uint8)
    faces, noise = torch.arange(16) < 9, torch.randn(16, choices.latents)
    terms = Step(choices, model, pixels).terms(torch.arange(16), noise, faces, 9)

    logit, mean, logvar, decoded = model(pixels.permute(0, 3, 1, 2) / 255, noise)

    expected = {
        "classification": losses.classification(logit, faces),
        "kl": losses.face_kl(mean, logvar, faces),
    }
    if choices.decoder_input == "all":  # else batch normalisation sees the faces alone
        error = losses.reconstruction(
            pixels.permute(0, 3, 1, 2) / 255,
            decoded,
            norm=choices.reconstruction.norm,
            reduction=choices.reconstruction.reduction,
        )
        expected["reconstruction"] = torch.where(faces, error, 0.0)
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value, rtol=1e-3, atol=1e-4)


def test_a_network_is_a_module_of_torch():
    """Its state goes into another one, which then says the same; so does its double precision."""
    model, images = models.build("mit2020", latent_dim=4, seed=0).eval(), torch.rand(2, 3, 64, 64)
    other = models.build("mit2020", latent_dim=4, seed=1).eval()
    other.load_state_dict(model.state_dict())

    assert torch.equal(model(images).logit, other(images).logit)
    torch.testing.assert_close(other.double()(images.double()).logit.float(), model(images).logit)


def test_reparameterise_uses_half_the_log_variance():
    """A log-variance of log 4 is a standard deviation of 2."""
    logvar = torch.full((1, 1), 4.0).log()

    assert models.reparameterise(torch.ones(1, 1), logvar, torch.ones(1, 1)).item() == 3.0


def test_the_labs_defect_multiplies_the_noise_by_the_variance():
    """A log-variance of log 4 makes the noise four times as large, not twice."""
    logvar = torch.full((1, 1), 4.0).log()
    ones = torch.ones(1, 1)

    assert models.reparameterise(ones, logvar, ones, times="variance").item() == 5.0
