import pytest
from builders import configuration

from repro.training import image_counts

HALVES = {"replacement": "without", "balance": "exact"}


@pytest.mark.parametrize(
    ("rule", "first_epoch", "uniform_epochs", "epochs", "drawn"),
    [
        ("none", "uniform", "shuffle", 2, False),
        ("none", "uniform", "draw", 2, True),
        ("max", "uniform", "shuffle", 1, False),
        ("max", "uniform", "shuffle", 2, True),
        ("max", "resampled", "shuffle", 1, True),
        ("oracle", "uniform", "shuffle", 1, True),
        ("as_loss", "resampled", "shuffle", 2, False),
        ("as_loss", "uniform", "draw", 2, True),
    ],
)
def test_different_faces_are_needed_where_a_batch_is_drawn(
    rule, first_epoch, uniform_epochs, epochs, drawn
):
    """By a rule that draws, or evenly by draws; not for weights of the loss of shuffled images."""
    own = {"rule": rule, "first_epoch": first_epoch, "uniform_epochs": uniform_epochs, **HALVES}

    assert image_counts.draws_halves(configuration(epochs=epochs, resampling=own)) is drawn
