"""Simulated studies are kept, resumed, stored and printed; here of a toy that takes no time."""

import json
from dataclasses import replace

import numpy as np
import pytest
import simulate
import toy_simulation
from scipy import stats
from simulations import document, promises, running, source, stored_results
from simulations.simulation import CHUNK, PROBE, Mean, Promise, averaged
from simulations.simulation import simulate as studies_of
from toy_simulation import TOY

STUDIES = 3 * CHUNK


def run(simulation, folder, **options):
    """All studies, told to nobody."""
    return running.run(simulation, STUDIES, folder, report=lambda line: None, **options)


def equal(a, b):
    """Whether two results are the same to the last bit."""
    return a.keys() == b.keys() and all(
        np.array_equal(a[cell][name], b[cell][name]) for cell in a for name in a[cell] | b[cell]
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The result of one process without an interruption."""
    return run(TOY, tmp_path_factory.mktemp("kept"))


def interrupted_after(chunks):
    """The toy, whose third chunk and every later one is interrupted."""
    done = []

    def measure(level, studies):
        if len(done) == chunks:
            raise KeyboardInterrupt
        done.append(level)
        return toy_simulation.measure(level, studies)

    measure.__module__ = toy_simulation.__name__  # of the same code
    return replace(TOY, measure=measure)


def test_a_study_depends_on_its_number_alone():
    """Not on the studies that are drawn before it."""
    whole, part = (studies_of(TOY, "low", first, 10 - first)["value"] for first in (0, 7))

    assert np.array_equal(whole[7:], part)


def test_studies_of_other_numbers_cells_and_simulations_differ():
    """No two share their random numbers."""
    drawn = [
        studies_of(replace(TOY, name=name), cell, 0, 50)["value"] - TOY.cells[cell]
        for name in ("toy", "other")
        for cell in TOY.cells
    ]

    assert len(np.unique(np.concatenate(drawn))) == 200


def test_two_processes_find_what_one_finds(undisturbed, tmp_path):
    """To the last bit."""
    assert equal(run(TOY, tmp_path, processes=2), undisturbed)


def test_an_interrupted_simulation_goes_on_where_it_was(undisturbed, tmp_path):
    """Two chunks are kept; the other four are simulated later, and nothing shows it."""
    with pytest.raises(KeyboardInterrupt):
        run(interrupted_after(2), tmp_path)
    told = []
    found = running.run(TOY, STUDIES, tmp_path, report=told.append)

    assert equal(found, undisturbed)
    assert told[0] == "toy: 3 of 6"
    assert len(told) == 4


def test_a_kept_chunk_is_not_simulated_again(undisturbed, tmp_path):
    """All six are there."""
    run(TOY, tmp_path)
    told = []

    assert equal(running.run(TOY, STUDIES, tmp_path, report=told.append), undisturbed)
    assert told == []


def test_chunks_of_other_code_are_simulated_again(monkeypatch, tmp_path):
    """Half of the studies by other code would be no study of either."""

    def measure(level, studies):
        return {"value": [2 * study for study in studies]}

    old = run(TOY, tmp_path)
    monkeypatch.setattr(source, "digest", lambda module: "other")
    new = run(replace(TOY, measure=measure), tmp_path)

    assert np.array_equal(new["low"]["value"], 2 * old["low"]["value"])


SOURCE = """from simulations import document

def double(x):
    return 2 * x  # twice
"""


def digest_of(code, folder, monkeypatch):
    """The digest of a module with this source."""
    (folder / "some_module.py").write_text(code)
    monkeypatch.syspath_prepend(folder)
    return source.digest.__wrapped__("some_module")


@pytest.mark.parametrize(
    ("changed", "other"),
    [
        (SOURCE.replace("# twice", "# again"), False),
        (SOURCE.replace(":\n", ':\n    """Twice."""\n'), False),
        (SOURCE.replace("2 * x", "3 * x"), True),
        (SOURCE.replace("document", "registry"), True),
    ],
    ids=["a comment", "a docstring", "a number", "an import"],
)
def test_code_is_other_code_if_it_does_something_else(monkeypatch, tmp_path, changed, other):
    """Not if its comments or docstrings are others."""
    digests = [digest_of(code, tmp_path, monkeypatch) for code in (SOURCE, changed)]

    assert (digests[0] != digests[1]) == other


def test_code_that_is_imported_counts(monkeypatch, tmp_path):
    """Also by a module that is imported; here all of `simulations.document` is emptied."""
    before = digest_of(SOURCE, tmp_path, monkeypatch)
    (tmp_path / "empty.py").write_text("")
    file = source._file
    monkeypatch.setattr(
        source,
        "_file",
        lambda name: tmp_path / "empty.py" if name == "simulations.stored_results" else file(name),
    )

    assert digest_of(SOURCE, tmp_path, monkeypatch) != before


@pytest.fixture
def stored(monkeypatch, tmp_path, undisturbed):
    """A folder with the toy's stored result, and a document that prints it."""
    monkeypatch.setattr(simulate, "SIMULATIONS", (TOY,))
    stored_results.write(TOY, undisturbed, tmp_path)
    return tmp_path


def test_the_stored_result_holds_the_means(stored, undisturbed):
    """With their number and their standard deviation."""
    mean = stored_results.means(TOY, stored)["high"]["value"]
    values = undisturbed["high"]["value"]

    assert mean.n == STUDIES
    assert (mean.mean, mean.sd) == pytest.approx((values.mean(), values.std()), rel=1e-9)


def test_the_stored_result_names_its_versions(stored):
    """Of this program and of what computes for it."""
    content = json.loads((stored / "toy.json").read_text())

    assert content["studies"] == STUDIES
    assert content["versions"].keys() == {"repro", "numpy", "scipy"}


def test_a_stored_result_of_this_code_is_current(stored):
    """Its first studies come out the same."""
    for count in (PROBE, CHUNK):
        studies = studies_of(TOY, "low", 0, count)

        assert stored_results.outdated(TOY, "low", studies, stored) == []


def test_a_stored_result_of_other_code_is_noticed(stored):
    """By the column that is computed otherwise, and by one that is new."""

    def measure(level, studies):
        found = toy_simulation.measure(level, studies)
        return {**found, "value": np.array(studies) + 1e-4, "new": studies}

    studies = studies_of(replace(TOY, measure=measure), "low", 0, PROBE)

    assert stored_results.outdated(TOY, "low", studies, stored) == ["new", "value"]


def test_tables_are_printed_between_the_marks(stored):
    """What stands around them stays; printing them twice changes nothing."""
    file = stored / "statistics.md"
    file.write_text(f"Before\n{document.BEGIN}\nold\n{document.END}\nAfter\n")
    document.update([TOY], file, folder=stored)
    once = file.read_text()
    document.update([TOY], file, folder=stored)
    low, high = (stored_results.means(TOY, stored)[cell]["value"].mean for cell in ("low", "high"))

    assert file.read_text() == once
    assert once == (
        f"Before\n{document.BEGIN}\n### Toy\n\nNumbers in two cells.\n\n| Cell | Mean |\n"
        f"| --- | ---: |\n| low | {low:.2f} |\n| high | {high:.2f} |\n\n{document.END}\nAfter\n"
    )


def test_a_document_without_marks_is_refused(tmp_path):
    """And stays as it is."""
    file = tmp_path / "statistics.md"
    file.write_text("No marks.\n")

    with pytest.raises(ValueError, match="lacks the marks"):
        document.update([TOY], file)
    assert file.read_text() == "No marks.\n"


def test_the_command_stops_with_a_sentence_at_ctrl_c(stored, monkeypatch, capsys):
    """Its status is that of a command that a signal has ended."""
    monkeypatch.setattr(simulate, "SIMULATIONS", (interrupted_after(2),))
    options = ["--studies", str(STUDIES), "--processes", "1", "--kept", str(stored / "kept")]

    assert simulate.main(options) == 130
    assert capsys.readouterr().err.splitlines()[-1] == (
        "interrupted; the same command goes on from here"
    )


def test_the_command_prints_stored_results_without_simulating(stored, monkeypatch, capsys):
    """After a change of the text or of a table."""
    printed = []
    monkeypatch.setattr(document, "update", printed.append)
    monkeypatch.setattr(simulate, "run", None)

    assert simulate.main(["--print"]) == 0
    assert printed == [(TOY,)]


def test_the_command_ends_with_what_was_promised(stored, monkeypatch, capsys):
    """Status 1 and a sentence for a promise that 1,200 studies contradict."""
    wrong = replace(TOY, promises=(*TOY.promises, Promise("high", "value", low=4.0)))
    options = ["--studies", str(STUDIES), "--processes", "1", "--kept", str(stored / "kept")]

    assert simulate.main(options) == 0
    monkeypatch.setattr(simulate, "SIMULATIONS", (wrong,))
    assert simulate.main(options) == 1
    assert "toy, high, value: 3.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["power", "strength"], "there is no simulation strength"),
        (["--studies", "1000"], "--studies must be a multiple of 400, not 1000"),
    ],
)
def test_the_command_refuses_what_it_does_not_know(capsys, options, message):
    """In a sentence."""
    with pytest.raises(SystemExit):
        simulate.main(options)

    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("low", "high"), [(0.92, 1.0), (0.0, 0.05), (0.3, 0.3)])
def test_a_promise_of_a_share_that_holds_is_rarely_found_broken(low, high):
    """In at most one of 10,000 series of 400 studies, if the share is just at the bound."""
    promise, n = Promise("cell", "column", low=low, high=high), CHUNK
    kept = [promises.holds(promise, share(count, n)) for count in range(n + 1)]
    at_bound = low if low > 0 else high

    assert stats.binom.pmf(np.arange(n + 1), n, at_bound) @ ~np.array(kept) <= 1e-4


def test_a_promise_of_a_share_that_is_far_off_is_found_broken():
    """The largest count of 400 that contradicts .92 is the 1 in 20,000 quantile."""
    promise = Promise("cell", "column", low=0.92)
    largest = max(n for n in range(CHUNK) if not promises.holds(promise, share(n, CHUNK)))

    assert stats.binom.cdf(largest, CHUNK, 0.92) < 5e-5 <= stats.binom.cdf(largest + 1, CHUNK, 0.92)


@pytest.mark.parametrize(("mean", "holds"), [(0.19, True), (0.20, False), (-0.2, True)])
def test_a_promise_of_a_mean_is_tested_by_the_normal_distribution(mean, holds):
    """At 400 studies with a standard deviation of 1 the bound is 3.89 / 20 away."""
    promise = Promise("cell", "column", high=0.0)

    assert promises.holds(promise, Mean(400, mean, 1.0)) == holds


def test_a_promise_without_studies_does_not_hold():
    """Where no study counts, nothing is shown."""
    assert not promises.holds(Promise("cell", "column", low=0.0), Mean(0, float("nan"), 0.0))


def test_studies_that_do_not_count_are_left_out():
    """NaN says that a study does not count."""
    found = averaged({"column": np.array([1.0, np.nan, 0.0, np.nan])})

    assert found == {"column": Mean(2, 0.5, 0.5)}


def share(count, n):
    """The mean of a column of zeros and ones."""
    p = count / n
    return Mean(n, p, float(np.sqrt(p * (1 - p))))
