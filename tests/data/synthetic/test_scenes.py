"""The synthetic images: reproducible bytes, true factors, and no cue of skin but its colour."""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.stats import binomtest, spearmanr

from repro.data.synthetic import distractors, drawing, factors, scenes
from repro.data.synthetic.drawing import Pixels
from repro.data.synthetic.factors import Factors


def _draw(what: str, *, seed: int = 3, count: int = 24) -> Pixels:
    generator = np.random.default_rng(seed)
    if what == "nonfaces":
        return scenes.render_nonfaces(generator, count)
    if what == "scenes":
        return scenes.render_scenes(generator, count, size=48)
    who = scenes.draw_factors(generator, count, darker_share=0.5)
    if what == "faces":
        return scenes.render_faces(who, generator)
    return scenes.render_portraits(who, generator, size=48)


EVERYTHING = pytest.mark.parametrize("what", ["faces", "portraits", "nonfaces", "scenes"])


def _factors(count: int, *, darker_share: float | None = 0.5, seed: int = 0) -> Factors:
    return scenes.draw_factors(np.random.default_rng(seed), count, darker_share=darker_share)


@EVERYTHING
def test_same_seed_gives_same_bytes(what: str) -> None:
    """One seed gives one set of bytes, another seed another."""
    first = _draw(what).tobytes()
    assert first == _draw(what).tobytes()
    assert first != _draw(what, seed=4).tobytes()


@EVERYTHING
@pytest.mark.parametrize("pixels", [1, 7 * 64 * 64, 1 << 22])
def test_batches_leave_no_trace(what: str, pixels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image does not depend on how many are drawn at once."""
    expected = _draw(what)
    monkeypatch.setattr(drawing, "BATCH_PIXELS", pixels)
    np.testing.assert_array_equal(_draw(what), expected)


@pytest.mark.parametrize(("what", "size"), [("faces", 64), ("nonfaces", 64), ("scenes", 48)])
def test_images_are_square_rgb_bytes(what: str, size: int) -> None:
    """Images come first, then rows, columns and the three channels, as bytes that vary."""
    images = _draw(what)
    assert images.shape == (24, size, size, 3)
    assert images.dtype == np.uint8
    assert images.std(axis=(1, 2, 3)).min() > 0.5


def test_no_images_are_an_empty_array() -> None:
    """Zero of anything is an empty array of the right shape."""
    generator = np.random.default_rng(0)
    assert scenes.render_nonfaces(generator, 0).shape == (0, 64, 64, 3)
    assert scenes.render_faces(_factors(0), generator, size=32).shape == (0, 32, 32, 3)


@pytest.mark.parametrize(
    ("kind", "angles"),
    [(1, (70, 56)), (2, (54, 42)), (3, (40, 29)), (4, (27, 11)), (5, (9, -29)), (6, (-31, -60))],
)
def test_types_follow_the_published_angles(kind: int, angles: tuple[float, float]) -> None:
    """A reflectance is the angle rescaled from -60..70 to 0..1, cut at 55, 41, 28, 10 and -30."""
    reflectance = (np.asarray(angles, np.float32) + 60) / 130
    assert scenes.fitzpatrick_type(reflectance).tolist() == [kind, kind]


@pytest.mark.parametrize(("asked", "share"), [(None, 0.13), (0.13, 0.13), (0.5, 0.5), (0.0, 0.0)])
def test_darker_share_is_the_asked_one(asked: float | None, share: float) -> None:
    """The number of darker faces is a binomial draw with the asked share."""
    who = _factors(4000, darker_share=asked)
    assert binomtest(int(who.darker.sum()), 4000, share).pvalue > 1e-3


def test_gender_and_accessories_have_their_shares() -> None:
    """Women, hats and glasses occur about as often as stated."""
    who = _factors(4000)
    for seen, share in ((who.gender == "female", 0.58), (who.hat, 0.05), (who.glasses, 0.07)):
        assert binomtest(int(seen.sum()), 4000, share).pvalue > 1e-3


def test_balanced_draw_is_exact() -> None:
    """Each skin half of each gender has exactly the asked number of faces."""
    who = scenes.draw_balanced_factors(np.random.default_rng(1), 17)
    for skin in ("darker", "lighter"):
        for gender in ("female", "male"):
            assert ((who.skin == skin) & (who.gender == gender)).sum() == 17


def test_skin_stays_inside_its_type() -> None:
    """The type given is the type of the reflectance, and all six types occur."""
    who = _factors(2000)
    np.testing.assert_array_equal(who.fitzpatrick, factors.fitzpatrick_type(who.skin_reflectance))
    assert set(who.fitzpatrick.tolist()) == {1, 2, 3, 4, 5, 6}


def test_skew_keeps_the_types_inside_each_half() -> None:
    """Skewed, even and balanced draws share the distribution of types among darker faces."""
    draws = [_factors(6000, darker_share=share, seed=5) for share in (0.13, 0.5)]
    draws.append(scenes.draw_balanced_factors(np.random.default_rng(5), 1500))
    for who in draws:
        among = who.fitzpatrick[who.darker]
        for kind, share in zip(factors.DARKER_TYPES, factors.DARKER_SHARES, strict=True):
            assert binomtest(int((among == kind).sum()), among.size, share).pvalue > 1e-3


def test_skin_is_independent_of_every_other_factor() -> None:
    """No other factor's rank correlation with skin exceeds what 4,000 draws allow by chance."""
    who = _factors(4000, seed=11)
    for field in fields(who):
        if field.name in ("skin_reflectance", "fitzpatrick"):
            continue
        values = getattr(who, field.name)
        values = values == "female" if field.name == "gender" else values
        assert abs(spearmanr(who.skin_reflectance, values).statistic) < 0.06, field.name


def test_lighter_skin_makes_a_brighter_face() -> None:
    """With all else equal, the middle of the face grows brighter with reflectance."""
    who = _factors(8, seed=2)
    brightness = []
    for reflectance in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        same = replace(who, skin_reflectance=np.full(8, reflectance, np.float32))
        crops = scenes.render_faces(same, np.random.default_rng(6))
        brightness.append(crops[:, 16:48, 16:48].mean(axis=(1, 2, 3)))
    assert (np.diff(brightness, axis=0) > 0).all()


def test_skin_changes_nothing_but_skin() -> None:
    """With all else equal, background and clothes have the same bytes whatever the skin."""
    who = replace(_factors(8, seed=2), yaw=np.zeros(8, np.float32))
    pair = [
        scenes.render_portraits(
            replace(who, skin_reflectance=np.full(8, level, np.float32)),
            np.random.default_rng(6),
            size=64,
        )
        for level in (0.1, 0.9)
    ]
    np.testing.assert_array_equal(pair[0][:, :16, :3], pair[1][:, :16, :3])
    np.testing.assert_array_equal(pair[0][:, -2:, :6], pair[1][:, -2:, :6])


def test_nonfaces_skin_is_as_often_darker_as_lighter() -> None:
    """The skin tones of things that are not faces are balanced."""
    skin = factors.draw_even_reflectance(np.random.default_rng(4), 2, 2000)
    darker = factors.fitzpatrick_type(skin) >= factors.DARKER_FROM
    assert skin.shape == (2, 2000)
    assert binomtest(int(darker.sum()), 4000, 0.5).pvalue > 1e-3


def test_hands_have_one_colour_and_four_fingers() -> None:
    """A hand's fingers are all present, in the colour of its palm."""
    middle = np.full(5, 0.5, np.float32)
    hand = distractors.draw_distractors(
        np.random.default_rng(0),
        x=middle,
        y=middle,
        size=middle / 3,
        fleshy=np.ones(5, np.bool_),
        style=np.full(5, distractors.HAND),
    )
    assert hand.present.all()
    np.testing.assert_array_equal(hand.first, np.repeat(hand.first[:, :1], 5, axis=1))
