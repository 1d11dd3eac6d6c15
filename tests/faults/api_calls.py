"""A right call of each function of docs/api.md and of the modules it names, and wrong arguments.

`CALLS` has an `Argument` for every parameter; `STEPS` are the functions of those modules that get
what another one has checked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

import repro
from faults import studies
from faults.bad_arguments import (
    OTHERS,
    Argument,
    booleans,
    face_tensor,
    flag,
    generator,
    number,
    numbers,
    tensor,
    text,
    whole,
    word,
)
from repro import losses, metrics, models, resampling
from repro.detectors import worker
from repro.execution import detector_scoring
from repro.metrics import Count
from repro.stats import comparisons, disparity, intervals, replication, selection

Z = np.random.default_rng(0).normal(size=(40, 3))
FACES = np.array([True, False] * 10)
EVEN = np.full(10, 0.1)
ROWS = torch.ones(2, 3)
ROW = torch.ones(2)
YES = torch.tensor([True, False])
IMAGES = torch.zeros(2, 3, 64, 64)
RECALL = np.array([[0.5, 0.9], [0.7, 0.8]])
VALUES = np.array([0.5, 0.7, 0.9])
DEVIATION = number(0.5, 0, np.inf, ends=True)
DEVIATION = Argument(0.5, DEVIATION.wrong | {"infinite": np.inf})
LEVEL = number(0.9, 0, 1, ends=False)
UNEQUAL = {"shorter": VALUES[:2], "longer": np.append(VALUES, 0.1)}
PAIRS = {"a": numbers(VALUES, **UNEQUAL), "b": numbers(VALUES, **UNEQUAL)}
ARMS = {"a": numbers(VALUES), "b": numbers(VALUES[:2] + 0.05)}
ARM_AND_METRIC = {"values": PAIRS["a"], "by": PAIRS["b"]}
EFFECT = Argument(
    replication.Effect(-4.0, 1.5, 4.0),
    OTHERS | {"number": 0.5, "pair": (0.5, 0.1), "interval": intervals.Interval(0.1, 0.9)},
)
EFFECTS = {"theirs": EFFECT, "ours": EFFECT}
BEYOND = {"infinite": np.inf, "minus infinity": -np.inf, "too large": 1e31}
POSITIVE = number(0.5, 0, np.inf, ends=False)
POSITIVE = Argument(0.5, POSITIVE.wrong | BEYOND)
AT_LEAST_0 = Argument(0.5, number(0.5, 0, np.inf, ends=True).wrong | BEYOND)
ANY = Argument(-2.5, {k: v for k, v in AT_LEAST_0.wrong.items() if k != "negative"})
Z_VALUES = {"theirs": ANY, "ours": ANY, "ratio": POSITIVE}
ABOVE_HALF = number(0.95, 0.5, 1, ends=False)
WEIGHTS = {"unnormalised": EVEN * 2, "all zero": EVEN * 0, "percent": EVEN * 100}
WEIGHTS |= {"integers": np.ones(10, dtype=int), "bytes": np.full(10, 25, dtype=np.uint8)}
THE_STUDY = Path("the toy study")
THE_MODEL, THE_WEIGHTS = Path("the model"), Path("the weights")
BRIGHT = """\
import numpy as np
class Bright:
    reads = "windows"
    def scores(self, pictures):
        return np.array([one.mean() / 255 - 0.5 for one in pictures])
def load(weights):
    return Bright()
"""
COUNTS = {"a": Count(4, 3), "b": Count(6, 2)}
BAD_COUNTS = {
    "none": {},
    "pairs": [("a", Count(4, 3))],
    "numbers": {"a": 3},
    "tuples": {"a": (4, 3)},
    "missing": {"a": None},
    "negative": {"a": Count(-4, -4), "b": Count(6, 2)},
    "more than all": {"a": Count(4, 5)},
    "fractions": {"a": Count(4.5, 3)},
    "NaN": {"a": Count(4, float("nan"))},
    "NaN of all": {"a": Count(float("nan"), 3)},
    "booleans": {"a": Count(True, True)},
    "text": {"a": Count("4", "3")},
    "no portraits": {"a": Count(0, 0)},
}
BAD_GROUPS = {
    "number": 5,
    "missing": ["a", None],
    "NaN": ["a", float("nan")],
    "fractions": [1.5, 2.5],
    "booleans": [True, False],
    "bytes of text": [b"a", b"b"],
    "shorter": ["a"],
    "longer": ["a", "b", "c"],
    "rows": [["a"], ["b"]],
    "one text": "ab",
    "no order": {"a", "b"},
    "mapping": {"a": 1, "b": 2},
}


@dataclass(frozen=True)
class Call:
    """A function and an argument for each of its parameters."""

    function: Callable[..., Any]
    arguments: Mapping[str, Argument]

    def __call__(self, **changes: Any) -> Any:
        """Call it with right values but for these."""
        return self.function(**{name: one.right for name, one in self.arguments.items()} | changes)


def run_study(path: Any, **options: Any) -> Any:
    """A study whose training takes no time; a refusal leaves nothing behind."""
    with studies.folder() as folder, studies.canned():
        file = studies.toy(folder, arms=studies.ONE_ARM, replicates=2, keep=1)
        options = {"results": folder / "results"} | options
        try:
            return repro.run_study(file if path is THE_STUDY else path, **options)
        except BaseException:
            assert [*folder.iterdir()] == [file]
            raise


def score_detector(path: Any, model: Any, **options: Any) -> Any:
    """A detector of a line, in this process; a refusal writes no record."""
    with studies.folder() as folder, mock.patch.object(detector_scoring, "_found", _here):
        file = studies.toy(folder, arms=studies.ONE_ARM, replicates=2, keep=1)
        code = folder / "bright.py"
        code.write_text(BRIGHT)
        (folder / "weights").write_bytes(b"0.5")
        for argument in ("model", "weights"):
            options[argument] = model if argument == "model" else options.get(argument)
            if options[argument] in (THE_MODEL, THE_WEIGHTS):
                named = {THE_MODEL: f"{code}:load", THE_WEIGHTS: folder / "weights"}
                options[argument] = named[options[argument]]
        options = {"results": folder / "results"} | options
        try:
            return repro.score_detector(file if path is THE_STUDY else path, **options)
        except BaseException:
            assert not (folder / "results" / "detectors").exists()
            raise


def _here(request: Any, _: float) -> Any:
    return worker.prepare()(request, lambda told: None)


def network(latent_dim: int) -> Callable[..., Any]:
    """What somebody's own loop calls."""
    return models.build("mit2020", latent_dim=latent_dim, seed=0)


PIXELS = tensor(IMAGES, finite=False, alone=True)
PIXELS = Argument(IMAGES, PIXELS.wrong | {"smaller": IMAGES[..., :32], "grey": IMAGES[:, :1]})
OTHER_WEIGHTS = {
    name: value
    for name, value in numbers(EVEN, low=0, few=np.full(5, 0.2), **WEIGHTS).wrong.items()
    if value is not None
}
NOISE = Argument(ROWS, {k: v for k, v in tensor(ROWS, finite=False).wrong.items() if v is not None})
BAD_OVERRIDES = {name: value for name, value in OTHERS.items() if value is not None} | {
    "list": ["epochs=2"],
    "pairs": [("epochs", 2)],
    "unknown key": {"nope": 1},
    "number as a key": {3: 2},
    "None as a key": {None: 1},
    "text as a number": {"epochs": "two"},
    "fraction": {"epochs": 2.5},
    "NaN": {"resampling.alpha": float("nan")},
    "NumPy NaN": {"resampling.alpha": np.float64("nan")},
    "infinite": {"learning_rate": float("inf")},
    "boolean": {"epochs": True},
    "negative": {"epochs": -2},
    "object": {"epochs": object()},
    "bytes of text": {"data.train": b"synthetic"},
    "set": {"epochs": {2}},
    "array": {"epochs": np.array([2])},
    "two lines": {"epochs": "2\nreplicates: 3"},
}
THRESHOLDS = {
    name: value
    for name, value in number(0.5, 0, 1, ends=True).wrong.items()
    if value is not None and name not in ("negative", "above", "huge")
}
CALLS = {
    "losses.classification": Call(
        losses.classification, {"logit": tensor(ROW), "is_face": face_tensor(YES)}
    ),
    "losses.gaussian_kl": Call(losses.gaussian_kl, {"mean": tensor(ROWS), "logvar": tensor(ROWS)}),
    "losses.face_kl": Call(
        losses.face_kl,
        {"mean": tensor(ROWS), "logvar": tensor(ROWS), "is_face": face_tensor(YES)},
    ),
    "losses.reconstruction": Call(
        losses.reconstruction,
        {
            "images": tensor(IMAGES[..., :4, :4]),
            "decoded": tensor(IMAGES[..., :4, :4]),
            "norm": word("l1"),
            "reduction": word("sum"),
        },
    ),
    "losses.objective": Call(
        losses.objective,
        {
            "classification": tensor(ROW),
            "kl": tensor(ROW),
            "reconstruction": tensor(ROW),
            "is_face": face_tensor(YES),
            "weights": numbers(
                np.array([1.0, 0.5, 2.0]), low=0, two=(1.0, 1.0), four=(1.0,) * 4, one=1.0
            ),
            "indicator": word("faces"),
        },
    ),
    "resampling.weights": Call(
        resampling.weights,
        {
            "latents": numbers(Z),
            "combine": word("max"),
            "density": word("mass"),
            "alpha": number(0.01, 0, np.inf, ends=True),
            "bins": whole(10, 1, 255, wraps=300, byte=256, signed=np.int8(-1)),
            "arithmetic": word("log"),
        },
    ),
    "resampling.effective_sample_size": Call(
        resampling.effective_sample_size, {"weights": numbers(EVEN, low=0, **WEIGHTS)}
    ),
    "resampling.weighted_batches": Call(
        resampling.weighted_batches,
        {
            "weights": numbers(EVEN, low=0, few=np.full(5, 0.2), many=np.full(20, 0.05), **WEIGHTS),
            "is_face": booleans(FACES, faces=FACES | True, none=FACES & False),
            "batch_size": whole(4, 2, 20),
            "replacement": word("with"),
            "balance": word("exact"),
            "generator": generator(),
            "other_weights": Argument(EVEN, OTHER_WEIGHTS),
        },
    ),
    "resampling.shuffled_batches": Call(
        resampling.shuffled_batches,
        {"count": whole(10, 0), "batch_size": whole(4, 1), "generator": generator()},
    ),
    "models.build": Call(
        models.build,
        {"name": word("mit2020"), "latent_dim": whole(2, 0), "seed": whole(0, 0, 2**64 - 1)},
    ),
    "models.reparameterise": Call(
        models.reparameterise,
        {name: tensor(ROWS) for name in ("mean", "logvar", "noise")} | {"times": word("std")},
    ),
    "metrics.group_counts": Call(
        metrics.group_counts,
        {
            "groups": Argument(["a", "b"], OTHERS | BAD_GROUPS),
            "detected": booleans(np.array([True, False])),
        },
    ),
    "metrics.pooled_recall": Call(
        metrics.pooled_recall, {"groups": Argument(COUNTS, OTHERS | BAD_COUNTS)}
    ),
    "metrics.active_units": Call(
        metrics.active_units, {"latent_mean": numbers(Z, least=0, **{"no rows": Z[:0]})}
    ),
    "stats.disparity.variance": Call(
        disparity.variance,
        {
            "recall": numbers(
                RECALL, low=0, high=1, leading=True, percent=RECALL * 100, one_group=RECALL[:, :1]
            ),
            "definition": word("fijen2020"),
        },
    ),
    "stats.disparity.gap": Call(
        disparity.gap, {"recall": numbers(RECALL, low=0, high=1, leading=True)}
    ),
    "stats.intervals.wilson": Call(
        intervals.wilson,
        {
            "successes": number(1.5, 0, 3, ends=True),
            "n": whole(3, 1),
            "level": LEVEL,
        },
    ),
    "stats.intervals.t_interval": Call(
        intervals.t_interval, {"values": numbers(VALUES), "level": LEVEL}
    ),
    "stats.comparisons.paired_difference": Call(
        comparisons.paired_difference,
        PAIRS | {"level": LEVEL},
    ),
    "stats.comparisons.holm": Call(
        comparisons.holm, {"p": numbers(VALUES, low=0, high=1, nan=True, least=0)}
    ),
    "stats.selection.best": Call(
        selection.best, {"values": numbers(VALUES), "keep": whole(2, 1, 3)}
    ),
    "stats.selection.optimism": Call(
        selection.optimism,
        ARM_AND_METRIC | {"keep": whole(2, 1, 3)},
    ),
    "stats.replication.Effect": Call(
        replication.Effect,
        {
            "value": ANY,
            "error": POSITIVE,
            "degrees": number(4.0, 0.1, np.inf, ends=True),
        },
    ),
    "stats.replication.prediction_interval": Call(
        replication.prediction_interval,
        EFFECTS | {"heterogeneity": AT_LEAST_0, "level": LEVEL},
    ),
    "stats.replication.equivalent": Call(
        replication.equivalent,
        EFFECTS | {"margin": POSITIVE, "level": LEVEL},
    ),
    "stats.replication.sceptical_p": Call(
        replication.sceptical_p,
        Z_VALUES | {"scale": word("golden"), "sides": whole(1, 1, 2)},
    ),
    "stats.replication.smallest_seen": Call(replication.smallest_seen, {"theirs": EFFECT}),
    "stats.replication.too_small_to_see": Call(
        replication.too_small_to_see, EFFECTS | {"level": ABOVE_HALF}
    ),
    "stats.replication.bayes_factor": Call(replication.bayes_factor, EFFECTS),
    "run_study": Call(
        run_study,
        {
            "path": Argument(THE_STUDY, text("").wrong | {"NUL": "a\0b"}, named="path|no study"),
            "profile": text(None, none=True, unknown="paper"),
            "overrides": Argument({"epochs": 2}, BAD_OVERRIDES, named="overrides|--set"),
            "device": text("cpu", unknown="gpu", negative="cuda:-1", part="cuda:0.5"),
            "workers": Argument(
                1, {k: v for k, v in whole(1, 1, 10_000).wrong.items() if v is not None}
            ),
            "executor": word("inline"),
            "address": text(None, none=True, of_no_cluster="auto"),
            "kernels": word("torch", none=True),
            "stack": Argument(
                None, {k: v for k, v in whole(1, 1, 1000).wrong.items() if v is not None}
            ),
            "progress": flag(False),
            "retry_lost": flag(False),
            "until_answered": flag(False),
            "at_most": Argument(
                None, {k: v for k, v in whole(4, 2).wrong.items() if v is not None} | {"alone": 4}
            ),
        },
    ),
    "score_detector": Call(
        score_detector,
        {
            "path": Argument(THE_STUDY, text("").wrong | {"NUL": "a\0b"}, named="path|no study"),
            "model": Argument(THE_MODEL, text("").wrong, named="model|ending|file not found"),
            "name": text(None, none=True),
            "threshold": Argument(None, THRESHOLDS),
            "reads": word("windows", none=True),
            "input_size": Argument(
                None, {k: v for k, v in whole(64, 1, 4096).wrong.items() if v is not None}
            ),
            "channels": word("bgr"),
            "range": word("raw"),
            "architecture": text(None, none=True),
            "weights": Argument(THE_WEIGHTS, text("").wrong | {"NUL": "a\0b"}),
            "profile": text(None, none=True, unknown="paper"),
            "overrides": Argument({"epochs": 2}, BAD_OVERRIDES, named="overrides|--set"),
        },
    ),
    "score_detector into": Call(
        lambda results: score_detector(THE_STUDY, THE_MODEL, weights=THE_WEIGHTS, results=results),
        {"results": Argument(Path("results"), text("results").wrong | {"NUL": "a\0b"})},
    ),
    "run_study into": Call(
        lambda results: run_study(THE_STUDY, results=results, executor="inline"),
        {"results": Argument(Path("results"), text("results").wrong | {"NUL": "a\0b"})},
    ),
    "StudyResults.table": Call(
        lambda **words: repro.StudyResults(None, Path()).table(**words),
        {
            "form": word("markdown"),
            "style": word("full"),
            "definition": word("fijen2020", none=True),
        },
    ),
    # what `models.build` returns
    "a network": Call(network(3), {"images": PIXELS, "noise": NOISE}),
    "a classifier": Call(network(0), {"images": PIXELS}),
    # beside what the page lists
    "resampling.histogram_edges": Call(
        lambda bins: resampling.histogram_edges(VALUES, bins),
        {"bins": whole(10, 1, 255, wraps=300)},
    ),
    "resampling.latent_log_weights": Call(
        lambda bins: resampling.latent_log_weights(VALUES, density="mass", alpha=0.1, bins=bins),
        {"bins": whole(10, 1, 255, wraps=300)},
    ),
    "resampling.bin_index": Call(
        lambda edges: resampling.bin_index(VALUES, edges),
        {"edges": Argument(np.linspace(0, 1, 256), {"wraps": np.linspace(0, 1, 301)})},
    ),
    "stats.replication.difference": Call(replication.difference, EFFECTS),
    "stats.replication.interval": Call(replication.interval, {"effect": EFFECT, "level": LEVEL}),
    "stats.replication.sceptical_z": Call(replication.sceptical_z, Z_VALUES),
    "stats.replication.golden_level": Call(
        replication.golden_level, {"level": number(0.025, 0, 0.5, ends=False)}
    ),
    "stats.replication.upper_bound": Call(replication.upper_bound, EFFECTS | {"level": ABOVE_HALF}),
    "stats.replication.telescope_factor": Call(
        replication.telescope_factor,
        {"n": whole(5, 2), "chance": number(0.8, 0, 1, ends=False), "level": ABOVE_HALF},
    ),
    "stats.disparity.worst": Call(
        disparity.worst, {"recall": numbers(RECALL, low=0, high=1, leading=True)}
    ),
    "stats.intervals.clopper_pearson": Call(
        intervals.clopper_pearson,
        {"successes": whole(0, 0, 3), "n": whole(3, 1), "level": LEVEL},
    ),
    "stats.intervals.t_quantile": Call(
        intervals.t_quantile, {"degrees": number(4.0, 1e-9, np.inf, ends=True), "level": LEVEL}
    ),
    "stats.intervals.deviation_bound": Call(
        intervals.deviation_bound,
        {
            "deviation": DEVIATION,
            "degrees": number(4.0, 0, np.inf, ends=False),
            "level": LEVEL,
        },
    ),
    "stats.intervals.runs_needed": Call(
        intervals.runs_needed,
        {
            "deviation": DEVIATION,
            "half_width": number(0.1, 0, np.inf, ends=False),
            "level": LEVEL,
        },
    ),
    "stats.comparisons.welch_difference": Call(
        comparisons.welch_difference, ARMS | {"level": LEVEL}
    ),
    "stats.comparisons.hedges_g": Call(comparisons.hedges_g, ARMS | {"level": LEVEL}),
    "stats.comparisons.superiority": Call(comparisons.superiority, PAIRS | {"level": LEVEL}),
    "stats.comparisons.sign_flip": Call(comparisons.sign_flip, {"differences": numbers(VALUES)}),
    "stats.comparisons.permutation": Call(comparisons.permutation, ARMS),
    "stats.comparisons.variance_ratio": Call(comparisons.variance_ratio, ARMS | {"level": LEVEL}),
    "stats.comparisons.brown_forsythe": Call(comparisons.brown_forsythe, ARMS),
    "stats.comparisons.least_of_flips": Call(comparisons.least_of_flips, {"n": whole(5, 0)}),
    "stats.comparisons.least_of_deals": Call(
        comparisons.least_of_deals, {"n": whole(5, 1), "m": whole(5, 1)}
    ),
    "stats.selection.flattery": Call(
        selection.flattery, {"keep": whole(3, 1, 5), "of": whole(5, 1)}
    ),
    "stats.selection.correlation": Call(selection.correlation, PAIRS),
    "stats.selection.expected_best_weights": Call(
        selection.expected_best_weights,
        {"runs": whole(5, 1), "keep": whole(2, 1, 3), "of": whole(3, 1, 5)},
    ),
    "stats.selection.expected_best": Call(
        selection.expected_best, ARM_AND_METRIC | {"keep": whole(1, 1, 2), "of": whole(2, 1, 3)}
    ),
}
STEPS = {
    "resampling": ["faces_first", "draw_indices"],
    "models": [],
    "losses": [],
    "metrics": ["says_face", "collapsed"],
    "stats.disparity": [
        *("run_recall", "run_variance", "mean_recall", "spread", "group_means", "quantities"),
        *("run_quantities", "between", "gap_of", "worst_of", "largest_variance"),
    ],
    "stats.intervals": ["t_level", "sd", "t_half_width"],
    "stats.comparisons": ["portions", "beyond", "share_as_large"],
    "stats.selection": ["draws_of_best", "pairs", "pivot"],
    "stats.replication": [],
}
CASES = [
    (function, argument, what)
    for function, call in CALLS.items()
    for argument, values in call.arguments.items()
    for what in values.wrong
]
