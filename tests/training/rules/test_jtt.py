import numpy as np
import pytest

from repro import resampling
from repro.training.rules import jtt

FACES = np.array([2.1, -0.3, 0.8, -1.2, 1.5], np.float32)
NONFACES = np.array([-1, 0.4, -2], np.float32)


def test_the_error_set_has_missed_faces_and_false_alarms():
    """Not those that the network gets right: the sign matters."""
    assert jtt.errors(FACES, faces=True).tolist() == [False, True, False, True, False]
    assert jtt.errors(NONFACES, faces=False).tolist() == [False, True, False]


def test_an_image_at_logit_0_is_called_a_face():
    """As everywhere: a face there is no error, another image is one."""
    zero = np.zeros(1, np.float32)

    assert not jtt.errors(zero, faces=True)
    assert jtt.errors(zero, faces=False)


def test_the_paper_counts_an_error_lambda_times():
    """The worked example with lambda 4, within each class: halves are kept."""
    faces = jtt.upweighted(jtt.errors(FACES, faces=True), 4)
    nonfaces = jtt.upweighted(jtt.errors(NONFACES, faces=False), 4)

    assert faces == pytest.approx(np.array([1, 4, 1, 4, 1]) / 11)
    assert nonfaces == pytest.approx(np.array([1, 4, 1]) / 6)
    assert resampling.effective_sample_size(faces) == pytest.approx(3.457143, abs=5e-7)


def test_the_authors_code_counts_it_once_more():
    """Lambda copies are appended to the data that have it already."""
    faces = jtt.upweighted(jtt.errors(FACES, faces=True), 4 + 1)

    assert faces == pytest.approx(np.array([1, 5, 1, 5, 1]) / 13)


def test_pooled_over_both_classes_the_halves_would_be_lost():
    """Why each class is divided by its own sum: 11/17 of the draws would be faces."""
    flags = [jtt.errors(FACES, faces=True), jtt.errors(NONFACES, faces=False)]
    pooled = jtt.upweighted(np.concatenate(flags), 4)

    assert pooled[: len(FACES)].sum() == pytest.approx(11 / 17)
