"""A few steps of each preset, against stored values: what was changed without being said.

The tolerance holds on every processor, so it finds a formula that has changed and not a bit that
has; `repro verify` of records made before finds those. Where a change is meant, raise `NUMERICS`
and store the values anew: ``python tests/training/test_numerics.py``.
"""

import json

import numpy as np
import pytest
from places import FILES

from repro.data.synthetic import scenes
from repro.records.numerics import NUMERICS
from repro.study import merge
from repro.study.configuration import Configuration
from repro.study.presets import PRESETS
from repro.training import trainer

STORED = FILES / "numerics.json"
# So slow that a last bit stays one: the resampled draws of both kinds of kernels are the same.
SMALL = {"epochs": 2, "batch_size": 8, "learning_rate": 1e-5, "data": PRESETS["dehaan2020"]["data"]}
TOLERANCE = 1e-3  # relative; the two kinds of kernels differ by a twentieth of it


def history_of(name):
    """What epochs of three steps say of a preset's losses."""
    from builders import training_images

    choices = Configuration.model_validate(merge.merge(PRESETS[name], SMALL))
    fitted = trainer.fit(choices, 3, training_images(faces=15, others=15))
    # A product of a hundred densities makes another draw of another last bit.
    comparable = fitted.history[: 1 if choices.resampling.rule == "product" else 2]
    return [{name: float(value) for name, value in epoch.items()} for epoch in comparable]


def pixels():
    """Means of what the generator draws of each kind."""
    generator = np.random.default_rng(5)
    factors = scenes.draw_factors(generator, 4, darker_share=0.5)
    drawn = {
        "faces": scenes.render_faces(factors, generator),
        "portraits": scenes.render_portraits(factors, generator, size=96),
        "nonfaces": scenes.render_nonfaces(generator, 6),
        "scenes": scenes.render_scenes(generator, 3, size=96),
    }
    return {name: [float(one.mean()) for one in images] for name, images in drawn.items()}


def values():
    """All that is stored."""
    return {
        "numerics": NUMERICS,
        "version": scenes.VERSION,
        "pixels": pixels(),
        "histories": {name: history_of(name) for name in PRESETS},
    }


STORED_VALUES = json.loads(STORED.read_text()) if STORED.exists() else {}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_trains_as_when_its_numerics_were_stored(name):
    """Every loss, accuracy and weight of its epochs, in arithmetic of any processor."""
    found, stored = history_of(name), STORED_VALUES["histories"][name]

    assert [*map(set, found)] == [*map(set, stored)]
    for epoch, expected in zip(found, stored, strict=True):
        assert epoch == pytest.approx(expected, rel=TOLERANCE, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("kind", STORED_VALUES.get("pixels", ()))
def test_the_generator_draws_as_when_its_version_was_stored(kind):
    """Means of pictures, in 256ths."""
    assert pixels()[kind] == pytest.approx(STORED_VALUES["pixels"][kind], abs=0.01)


def test_what_is_stored_is_of_the_numerics_of_today():
    """Who raises the number stores the values again, and the other way round."""
    assert STORED_VALUES["numerics"] == NUMERICS
    assert STORED_VALUES["version"] == scenes.VERSION


if __name__ == "__main__":
    trainer.prepare_process()
    STORED.write_text(json.dumps(values(), indent=1) + "\n")
