"""Small images, configurations, runs and indexes that many tests use."""

import numpy as np
import pytest

from repro.data import sources
from repro.data.pictures.images import TrainingImages
from repro.execution import scheduler
from repro.execution.executors import hardware
from repro.execution.executors.inline import Inline
from repro.metrics import Count
from repro.records.events import EpochEnded
from repro.records.records import ArmIndex, Record, StudyIndex
from repro.records.task import Task
from repro.study import merge
from repro.study.configuration import Configuration
from repro.study.presets import PRESETS
from repro.training.kernels import c_library

needs_blocks = pytest.mark.skipif(
    c_library.load() is None, reason=f"no blocked kernels: {c_library.missing_because()}"
)
needs_pairs = pytest.mark.skipif(
    not c_library.has_pairs(), reason="this processor does not multiply pairs of bfloat16"
)


RECORD = Record(
    key="k-seed0",
    seed=0,
    configuration={},
    data={},
    groups={"a": Count(4, 3)},
    metrics={"false_positive_rate": 0.5},
    provenance={"seconds": 12.3, "images_per_second": 1849.6},
)
RUN = "k-seed0", "x, seed 0"  # its key and title
HISTORY = {"epoch": 1.0, "train_loss": 0.5, "val_accuracy": 0.9}


def configuration(**changes):
    """The reproduction's preset with small training, and the changes laid over it."""
    small = {"epochs": 2, "batch_size": 16}
    return Configuration.model_validate(
        merge.merge(merge.merge(PRESETS["dehaan2020"], small), changes)
    )


def a_task(results, **changes):
    """A run of the small configuration in these results."""
    plain = {
        "key": "k-seed0",
        "arm": "x",
        "seed": 0,
        "configuration": configuration(),
        "computation": hardware.computation(["cpu"]),
        "commit": None,
        "results": results,
    }
    plain |= changes
    return Task(**({"data": sources.fingerprints(plain["configuration"].data)} | plain))


def execute(task, on_epoch=lambda epoch, rate: None):
    """Execute a run in this process; its events."""
    events = []
    with Inline(task.device) as executor:
        for event in scheduler.run_tasks([task], executor):
            events.append(event)
            if isinstance(event, EpochEnded):
                on_epoch(event.history, event.images_per_second)
    return events


def training_images(faces=40, others=40, seed=0):
    """Noise, brighter for faces, so that a classifier can learn it."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 156, (faces + others, 64, 64, 3), dtype=np.uint8)
    images[:faces] += 100
    return TrainingImages(images, np.arange(faces + others) < faces)


def study_index(arms, **changes):
    """A study that wants these runs: keys by arm, in the order of the seeds."""
    plain = {
        "name": "toy",
        "variant": "embedded",
        "question": "Does it?",
        "profile": "embedded",
        "overrides": [],
        "data": "a few pictures",
        "synthetic": True,
        "reference": next(iter(arms)),
        "select": {"keep": 1, "by": "recall", "split": "test"},
        "published": None,
    }
    listed = [ArmIndex(name=name, keys=list(keys)) for name, keys in arms.items()]
    return StudyIndex(**(plain | changes), arms=listed)
