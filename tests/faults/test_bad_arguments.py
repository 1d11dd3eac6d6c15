"""Every function of docs/api.md refuses what it does not take, and names the argument."""

import inspect
import pkgutil

import numpy as np
import pytest
from public_api import PROMISED

from faults.api_calls import CALLS, STEPS
from repro.errors import ReproError

INTO = ("run_study", "score_detector")  # whose `results` have a call of their own
REFUSED = (ReproError, TypeError, ValueError)


@pytest.mark.parametrize("name", CALLS)
def test_a_right_call_is_taken(name, tmp_path, monkeypatch):
    """Otherwise a refusal would say nothing."""
    monkeypatch.chdir(tmp_path)
    if name != "StudyResults.table":  # it has no results here
        CALLS[name]()


@pytest.mark.parametrize("name", CALLS)
def test_bad_arguments_are_refused_by_their_names(name, tmp_path, monkeypatch, tally):
    """Nothing wraps, is converted, or comes back as NaN; nothing is written."""
    monkeypatch.chdir(tmp_path)
    for argument, values in CALLS[name].arguments.items():
        for what, value in values.wrong.items():
            tally.bad_inputs += 1
            words = rf"\b{argument}\b" if values.named is None else values.named
            with pytest.raises(REFUSED, match=words):
                pytest.fail(f"{argument}, {what}: {CALLS[name](**{argument: value})}")
    assert not [*tmp_path.iterdir()]


def test_no_function_of_the_api_is_left_out():
    """Nor any of its parameters."""
    promised = [name for name, arguments in PROMISED if arguments]
    functions = {name: pkgutil.resolve_name(f"repro.{name}") for name in promised}

    for name, function in functions.items():
        parameters = set(inspect.signature(function).parameters)
        known = {*CALLS[name].arguments, *(["results"] if name in INTO else [])}
        assert parameters == known, name


@pytest.mark.parametrize("module", STEPS)
def test_no_function_beside_them_is_left_out(module):
    """It is called with bad arguments here, or is a step of one that is."""
    path = f"repro.{module}"
    named = vars(pkgutil.resolve_name(path)).items()
    functions = [
        name
        for name, value in named
        if callable(value) and not isinstance(value, type) and not name.startswith("_")
        if getattr(value, "__module__", "").startswith(path)
    ]
    called = [name.removeprefix(f"{module}.") for name in CALLS if name.startswith(f"{module}.")]
    checked = [name for name in called if not name[0].isupper()]  # a class has a call of its own

    assert sorted(functions) == sorted([*checked, *STEPS[module]])


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint64, np.int64])
def test_a_narrow_integer_counts_as_far_as_a_wide_one(kind):
    """NumPy's own arithmetic would wrap around: 127 * 127 in a byte is 1."""
    largest = min(int(np.iinfo(kind).max), 127)
    for name, argument in [
        *(("resampling.weights", "bins"), ("resampling.weighted_batches", "batch_size")),
        *(("resampling.shuffled_batches", "count"), ("stats.intervals.wilson", "n")),
        *(("stats.intervals.clopper_pearson", "n"), ("stats.selection.flattery", "of")),
    ]:
        value = min(largest, 20) if argument == "batch_size" else largest
        wide, narrow = (
            CALLS[name](**{argument: one} | seeded(name)) for one in (value, kind(value))
        )
        assert np.array_equal(wide, narrow), name


def seeded(name):
    """A new random stream for a function that takes one."""
    has_one = "generator" in CALLS[name].arguments
    return {"generator": np.random.default_rng(0)} if has_one else {}
