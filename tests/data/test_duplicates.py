"""Whether two pictures are the same one."""

import io

import numpy as np
from PIL import Image

from repro.data.pictures import duplicates
from repro.data.pictures.duplicates import Look, Looks, Match
from repro.data.synthetic import scenes


def faces(count, seed=0):
    """Training-style faces of our own, (count, 64, 64, 3)."""
    generator = np.random.default_rng(seed)
    factors = scenes.draw_factors(generator, count, darker_share=0.5)
    return scenes.render_faces(factors, generator)


def again(pixels, *, side, quality):
    """A picture made larger or smaller, and compressed."""
    file = io.BytesIO()
    Image.fromarray(pixels).resize((side, side)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def distance(one, other):
    """Bits in which two hashes differ."""
    return int(np.bitwise_count(one ^ other).sum())


def of(*hashes):
    """Looks known by their hashes alone."""
    return Looks.of((n, Look(b"", np.asarray(h, np.uint64))) for n, h in enumerate(hashes))


def test_different_faces_are_not_alike():
    """None of 44,850 pairs; docs/data.md has the rate on many more."""
    hashes = [duplicates.phash(face) for face in faces(300)]
    closest = min(distance(a, b) for n, a in enumerate(hashes) for b in hashes[:n])

    assert closest > duplicates.ALIKE


def test_a_face_that_was_resized_and_compressed_again_is_alike():
    """All of 40, at twice the size and as they were."""
    for face in faces(40):
        whole = duplicates.phash(face)
        for changes in ({"side": 128, "quality": 60}, {"side": 64, "quality": 60}):
            assert distance(whole, duplicates.phash(again(face, **changes))) <= duplicates.ALIKE


def test_a_picture_of_one_colour_has_no_hash():
    """It would be alike to every other."""
    for value in (0, 7, 255):
        assert not duplicates.phash(np.full((90, 70, 3), value, np.uint8)).any()
    assert duplicates.matches(of([0] * 4), of([0] * 4)) == []


def test_half_of_the_bits_are_set():
    """The median parts the frequencies; the mean brightness and the median itself are not above."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)

    assert int(np.bitwise_count(duplicates.phash(noise)).sum()) in (127, 128)


def test_alike_are_hashes_within_the_distance():
    """At the limit, beyond it, and its very opposite, whose 256 bits are no 0."""
    some = np.array([0x0F0F, 1, 2, 3], np.uint64)
    at_limit = some ^ np.array([2**24 - 1, 0, 0, 0], np.uint64)
    beyond = some ^ np.array([2**25 - 1, 0, 0, 0], np.uint64)

    assert duplicates.matches(of(some), of(at_limit, beyond, ~some)) == [Match(0, 0, 24)]


def test_close_hashes_are_found_as_by_comparing_each_with_each():
    """Over several blocks."""
    generator = np.random.default_rng(0)
    here = generator.integers(0, 2**63, (50, 4)).astype(np.uint64)
    there = here[generator.integers(0, 50, 30)]
    there[:, 1] ^= generator.integers(0, 2**40, 30).astype(np.uint64)
    expected = {
        (i, j, distance(a, b))
        for i, a in enumerate(here)
        for j, b in enumerate(there)
        if distance(a, b) <= duplicates.ALIKE
    }

    assert 5 < len(expected) < 30
    assert set(duplicates.matches(of(*here), of(*there))) == expected


def test_what_is_the_same_is_not_alike_as_well():
    """A pair is told once."""
    look = Look(b"d" * 32, np.array([1, 2, 3, 4], np.uint64))
    both = Looks.of([(0, look), (0, look)])

    assert duplicates.matches(both, both) == [Match(0, 0, None)]


def test_a_picture_is_known_by_its_middle_square_too():
    """As `prepare` cuts it: a picture that is cut is the other's middle."""
    wide = np.random.default_rng(0).integers(0, 256, (64, 100, 3), dtype=np.uint8)
    middle = wide[:, 18:82]
    looks = [Looks.of((0, look) for look in duplicates.of_picture(p)) for p in (wide, middle)]

    assert duplicates.matches(*looks) == [Match(0, 0, None)]
