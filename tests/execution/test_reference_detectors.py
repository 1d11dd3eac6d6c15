"""Face detectors that people use, beside a study on drawn portraits in the layout of PPB."""

import contextlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from drawn_faces import face, needs, with_packages
from faults import studies
from PIL import Image
from scoring_here import here

from repro.cli import main
from repro.detectors.base import DetectorError
from repro.detectors.packaged import packages, registry
from repro.execution import detector_scoring, reference_detectors, until_answered
from repro.records import records
from repro.study import study
from repro.study.data_spec import Bfw, Fhibe, Ppb
from repro.system import count_progress

PEOPLE = [("Female", "lighter"), ("Male", "darker")] * 2


@pytest.fixture(name="asked")
def fixture_asked(tmp_path, monkeypatch):
    """A study on four portraits, each a drawn face, that has not been run."""
    monkeypatch.chdir(tmp_path)
    lines = ["filename,gender,bi.fitz"]
    (tmp_path / "PPB" / "imgs").mkdir(parents=True)
    for number, (gender, skin) in enumerate(PEOPLE):
        side = 200 + 20 * number
        Image.fromarray(face(side)).save(tmp_path / "PPB" / "imgs" / f"{number}.png")
        lines.append(f"{number}.png,{gender},{skin}")
    (tmp_path / "PPB" / "PPB-2017-metadata.csv").write_text("\n".join(lines) + "\n")
    file = studies.toy(tmp_path, arms=studies.ONE_ARM, replicates=2, keep=1)
    text = file.read_text().replace("{source: synthetic, per_group: 2, size: 64}", "PPB")
    file.write_text(text)
    return study.load(file)


@pytest.fixture(name="index")
def fixture_index(monkeypatch):
    """Its index, as after runs that scored eight pictures."""
    monkeypatch.setattr(reference_detectors, "_pictures", lambda *_: 8)
    return SimpleNamespace(detectors=[])


def beside(asked, index, warn=pytest.fail):
    """The index with what was scored in this process, in the folder of the study."""
    with here():
        return reference_detectors.beside(asked, index, Path("results"), warn=warn)


@pytest.mark.parametrize("name", with_packages())
def test_a_detector_finds_the_drawn_portraits(asked, tmp_path, name):
    """Its record has counts of each group, its releases and its settings."""
    with here():
        found = detector_scoring.score(asked, reference_detectors.given(asked, name), tmp_path)
    record = found.record

    assert (record.kind, record.origin, record.reads) == ("package", name, "whole")
    assert record.groups["darker_male"].n == 2
    assert record.groups["lighter_female"].detected >= 1
    assert record.settings["longest_side"] == 1024


@needs("haar")
@needs("hog")
@needs("mtcnn")
def test_after_the_runs_all_are_scored_once(asked, index, monkeypatch):
    """The second time nothing is done."""
    first = beside(asked, index)
    monkeypatch.setattr(detector_scoring, "score", pytest.fail)

    assert len(first.detectors) == 3
    assert beside(asked, first) is first


def test_drawings_of_the_program_are_not_scored_unasked(asked, index, tmp_path, monkeypatch):
    """What an ordinary detector finds in them tells nothing."""
    file = studies.toy(tmp_path / "drawn", arms=studies.ONE_ARM, replicates=2, keep=1)

    drawn = study.load(file)

    assert reference_detectors.beside(drawn, index, tmp_path, warn=pytest.fail) is index


@pytest.mark.parametrize("pictures", [0, 5001])
def test_no_run_or_too_many_pictures_are_not_scored_unasked(asked, index, monkeypatch, pictures):
    """They would take long; `repro score` does them."""
    monkeypatch.setattr(reference_detectors, "_pictures", lambda *_: pictures)

    assert beside(asked, index) is index


def test_without_the_packages_a_run_says_nothing(asked, index, monkeypatch):
    """The answer says how to get them."""
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _: None)

    assert beside(asked, index) is index


def test_a_damaged_package_is_told_and_ends_nothing(asked, index, monkeypatch):
    """The runs are there."""

    def broken(*_, **__):
        raise DetectorError("its weights are damaged")

    told = []
    monkeypatch.setattr(reference_detectors, "given", broken)

    assert beside(asked, index, told.append) is index
    assert told[0] == "no row of OpenCV's Haar cascade: its weights are damaged"
    assert len(told) == len(registry.NAMES)


def test_none_that_can_be_used_is_an_error_with_the_command(asked, monkeypatch):
    """One line each."""
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _: None)

    with pytest.raises(DetectorError, match="cv2 is not installed") as refused:
        reference_detectors.given_all(asked, warn=pytest.fail)

    assert len(str(refused.value).splitlines()) == len(registry.NAMES)


@needs("haar")
def test_another_release_takes_the_place_of_the_row(asked, tmp_path, monkeypatch):
    """Not a second row of the same name."""

    def score():
        with here():
            one = reference_detectors.given(asked, "haar")
            return detector_scoring.score(asked, one, tmp_path).index.detectors

    before = score()
    monkeypatch.setattr(packages, "opencv", lambda *, of: "4.99.0")
    after = score()

    assert len(before) == len(after) == 1
    assert before != after


@pytest.mark.parametrize(
    ("spec", "crops"),
    [
        (Ppb(path="x"), "of at most 100 pixels"),
        (Bfw(path="x"), "all"),
        (Fhibe(path="x"), "all"),
        (Fhibe(path="x", pictures="people"), "of at most 100 pixels"),
    ],
    ids=["ppb", "bfw", "fhibe faces", "fhibe people"],
)
@needs("haar")
def test_aligned_faces_are_padded(spec, crops):
    """A detector wants surroundings."""
    data = SimpleNamespace(test=spec)
    arm = SimpleNamespace(name="even", configuration=SimpleNamespace(data=data))
    of = SimpleNamespace(arms=[arm], reference="even")

    assert reference_detectors.given(of, "haar").settings["crops"] == crops


@needs("haar")
def test_the_command_scores_one_and_says_what_it_found(asked, tmp_path):
    """The index names it."""
    with here():
        done = CliRunner().invoke(main, ["score", "toy.yaml", "--detector", "haar"])
    (index,) = records.read_indexes(tmp_path / "results")

    assert done.exit_code == 0, done.output
    assert "OpenCV's Haar cascade: scored; it finds a face in 4 of 4 portraits" in done.output
    assert len(index.detectors) == 1


@pytest.mark.parametrize("words", [["--detectors"], ["--detector", "haar"]])
def test_options_of_a_model_are_not_for_them(asked, words):
    """Which one is meant is asked."""
    done = CliRunner().invoke(main, ["score", "toy.yaml", *words, "--threshold", "2"])

    assert done.exit_code == 2
    assert "--threshold is for a detector of your own" in done.output


@needs("haar")
def test_its_word_takes_one_out(asked, tmp_path):
    """Nobody has to write its long name."""
    with here():
        CliRunner().invoke(main, ["score", "toy.yaml", "--detector", "haar"])
    done = CliRunner().invoke(main, ["score", "toy.yaml", "--remove", "haar"])
    (index,) = records.read_indexes(tmp_path / "results")

    assert done.exit_code == 0, done.output
    assert index.detectors == []


@pytest.mark.parametrize(("words", "shown"), [(["--quiet"], False), ([], True)])
def test_quiet_hides_the_progress_of_detectors(asked, index, monkeypatch, words, shown):
    """As that of runs."""

    @contextlib.contextmanager
    def lines(what, *_):
        seen.append(what)
        yield lambda _: None

    def slow(study, found, *_, **__):
        with count_progress.counting("MTCNN: scoring", 9, unit="pictures"):
            return found

    seen = []
    monkeypatch.setattr(count_progress, "_lines", lines)
    monkeypatch.setattr(reference_detectors, "beside", slow)
    monkeypatch.setattr(until_answered, "execute", lambda *_, **__: index)
    CliRunner().invoke(main, ["run", "toy.yaml", *words])

    assert ("MTCNN: scoring" in seen) is shown
