"""Scores of every picture, as records of a study would give them."""

import numpy as np
import prediction_files
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from repro.analysis import thresholds
from repro.analysis.audit import predictions
from repro.analysis.audit.predictions import Threshold, moved
from repro.errors import DataError, ReproError
from repro.stats.disparity import DEFINITIONS

FACES = [[1.5, -0.5, 2.0, 3.0], [0.0, 1.0, -2.0, 4.0]]
OTHERS = [[-1.0, -2.0, 0.5], [-1.5, -0.1, -3.0]]
LOGITS = ["scores: logit"]


def read(tmp_path, content, columns=(), **header):
    """What is read of a file with this content."""
    path = tmp_path / "detectors.csv"
    path.write_text(content)
    return predictions.read(path, columns=dict(columns), header=header)


def outcomes(tmp_path, rows, *, remarks=LOGITS, **options):
    """The outcomes of these rows."""
    content = prediction_files.text(rows, remarks=remarks)
    return read(tmp_path, content, **options).outcomes


def test_scores_give_recalls_by_run_and_group(tmp_path):
    """Worked by hand: darker p0 and p2, lighter p1 and p3; a face from 0 on, 0 included."""
    (arm,) = outcomes(tmp_path, prediction_files.arm("a", FACES, OTHERS)).arms

    assert (arm.name, arm.seeds, arm.groups) == ("a", (0, 1), ("darker", "lighter"))
    assert arm.recall.tolist() == [[1.0, 0.5], [0.5, 1.0]]
    assert arm.false_positive_rate.tolist() == [1 / 3, 0.0]
    assert (arm.sizes.tolist(), arm.nonfaces, arm.wanted) == ([2, 2], 3, 2)


def test_areas_need_no_threshold(tmp_path):
    """The share of pairs of a face and another picture in which the face scores more."""
    (arm,) = outcomes(tmp_path, prediction_files.arm("a", FACES, OTHERS)).arms

    assert thresholds.areas(arm) == pytest.approx(np.array([[1, 5 / 6], [2 / 3, 1]]))


def test_the_order_of_the_rows_changes_nothing(tmp_path):
    """Pictures are found by name in each run."""
    rows = prediction_files.arm("a", FACES, OTHERS)
    (plain,) = outcomes(tmp_path, rows).arms
    (other,) = outcomes(tmp_path, [*rows[:7], *reversed(rows[7:])]).arms

    assert np.array_equal(plain.scores.portraits, other.scores.portraits)
    assert np.array_equal(plain.scores.nonfaces, other.scores.nonfaces)


def test_a_run_without_numbers_stays_in_the_denominator(tmp_path):
    """One of three runs is nan."""
    faces, others = [*FACES, [np.nan] * 4], [*OTHERS, [np.nan] * 3]
    (arm,) = outcomes(tmp_path, prediction_files.arm("a", faces, others)).arms

    assert (arm.runs, arm.wanted, arm.missing) == (2, 3, 0)
    assert (arm.failed, arm.failed_seeds) == (("no score is a number",), (2,))


def test_a_run_that_separates_nothing_has_collapsed(tmp_path):
    """As of a study: it finds no more of the faces than of the other pictures."""
    faces, others = [*FACES, [1.0] * 4], [*OTHERS, [1.0] * 3]
    (arm,) = outcomes(tmp_path, prediction_files.arm("a", faces, others)).arms

    assert (arm.runs, arm.wanted, arm.collapsed) == (2, 3, (2,))


def test_probabilities_are_read_at_one_half(tmp_path):
    """By the name of their column; 0.5 itself is a face."""
    header = ("model", "seed", "filename", "group", "y_true", "prob")
    rows = [("m", 3, "p", "x", 1, 0.5), ("m", 3, "q", "y", 1, 0.4999), ("m", 3, "n", "", 0, 0.2)]
    found = read(tmp_path, prediction_files.text(rows, header=header))
    (arm,) = found.outcomes.arms

    assert (arm.recall.tolist(), arm.seeds) == ([[1.0, 0.0]], (3,))
    assert found.outcomes.threshold == "probability 0.5"
    assert "arm from 'model', run from 'seed', image from 'filename'" in found.notes[0]
    assert "Scores are probabilities, by the name of their column" in found.notes[0]


def test_a_declared_threshold_decides(tmp_path):
    """Of scores of any kind."""
    rows = prediction_files.arm("a", [[50, 70, 60, 80]], [[10, 65, 20]])
    found = outcomes(tmp_path, rows, remarks=[], threshold=60.0)

    assert found.arms[0].recall.tolist() == [[0.5, 1.0]]
    assert found.threshold == "score 60"


def test_what_scores_are_is_asked_for(tmp_path):
    """A column `score` may hold anything."""
    with pytest.raises(DataError, match=r"--scores logit .* --scores probability .* --threshold"):
        outcomes(tmp_path, prediction_files.arm("a", FACES, OTHERS), remarks=[])


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=40),
    st.floats(1e-6, 1 - 1e-6),
)
def test_moved_probabilities_keep_their_order_and_their_side(values, threshold):
    """Whatever is rounded: at the threshold or above it is a face, and no order turns."""
    values = np.array([*values, 0.0, 1.0, threshold, np.nextafter(threshold, 0)])
    found = moved(values, Threshold("probability", threshold, ""))

    assert np.isfinite(found).all()
    assert ((found >= 0) == (values >= threshold)).all()
    assert (np.diff(found[np.argsort(values)]) >= 0).all()


@given(st.lists(st.floats(0.01, 0.99).map(lambda x: round(x, 9)), min_size=2, max_size=40))
def test_moved_probabilities_tie_only_where_they_did(values):
    """Nine decimals stay apart."""
    found = moved(np.array(values), Threshold("probability", 0.5, ""))

    assert (rankdata(found) == rankdata(values)).all()


def test_logits_at_zero_are_not_touched():
    """The same bits, so that an exported study gives the same tables."""
    scores = np.array([[1e-300, -0.1, 3.3]])

    assert moved(scores, Threshold("logit", 0.0, "")) is scores


def test_columns_that_nothing_needs_are_told(tmp_path):
    """They are not read."""
    header = (*prediction_files.HEADER, "yaw")
    rows = [(*row, 7) for row in prediction_files.arm("a", FACES, OTHERS)]
    found = read(tmp_path, prediction_files.text(rows, header=header, remarks=LOGITS))

    assert found.notes[1] == "detectors.csv: not read: yaw."


def test_groups_without_faces_are_told(tmp_path):
    """They have no recall."""
    rows = prediction_files.arm("a", FACES, OTHERS)
    rows = [(*row[:3], row[3] or "third", *row[4:]) for row in rows]
    found = read(tmp_path, prediction_files.text(rows, remarks=LOGITS))

    assert found.outcomes.arms[0].groups == prediction_files.GROUPS
    assert found.notes[1] == (
        "detectors.csv: no face is of group third: not in any table, because recall needs faces."
    )


@pytest.mark.parametrize("words", [("yes", "no"), ("1", "-1"), ("1.0", "0.0"), ("TRUE", "False")])
def test_labels_are_written_in_several_ways(tmp_path, words):
    """All mean the same."""
    rows = prediction_files.arm("a", FACES, OTHERS)
    said = [(*row[:4], words[0] if row[4] else words[1], row[5]) for row in rows]
    plain, other = (outcomes(tmp_path, one).arms[0] for one in (rows, said))

    assert np.array_equal(plain.recall, other.recall)
    assert np.array_equal(plain.false_positive_rate, other.false_positive_rate)


def test_a_declared_column_takes_the_place_of_a_named_one(tmp_path):
    """`backbone` names the arm, not `model`."""
    header = ("model", "backbone", "image", "group", "label", "logit")
    rows = [("m", b, "p", "x", 1, 1) for b in ("r18", "r50")]
    found = read(tmp_path, prediction_files.text(rows, header=header), {"backbone": "arm"})

    assert [arm.name for arm in found.outcomes.arms] == ["r18", "r50"]


def test_arms_with_the_same_scores_are_the_same_runs(tmp_path):
    """Their spread is pooled once."""
    rows = [*prediction_files.arm("a", FACES, OTHERS), *prediction_files.arm("b", FACES, OTHERS)]
    a, b = outcomes(tmp_path, rows).arms

    assert a.keys == b.keys


def test_the_header_says_what_rows_do_not(tmp_path):
    """Order of arms, alpha, planned runs, what ranks them, pairs, rates."""
    remarks = [
        "scores: logit",
        "made by somebody",
        "paired: true",
        "rates: [0.25]",
        "by: accuracy",
        'arms: [{"name": "b", "runs": 4, "alpha": 0.1, "selector": {"0": 0.1, "1": 0.9}},'
        ' {"name": "a", "alpha": "none", "selector": {"0": 2, "1": 1}}]',
    ]
    rows = [*prediction_files.arm("a", FACES, OTHERS), *prediction_files.arm("b", FACES, OTHERS)]
    found = outcomes(tmp_path, rows, remarks=remarks)

    assert [arm.name for arm in found.arms] == ["b", "a"]
    assert [arm.alpha for arm in found.arms] == [0.1, np.inf]
    assert (found.arms[0].wanted, found.arms[0].missing) == (4, 2)
    assert (found.paired, found.rates, found.test) == (True, (0.25,), "t")
    assert [arm.kept(1) for arm in found.arms] == [[1], [0]]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_definition_has_numbers(tmp_path, name):
    """As of any outcomes."""
    (arm,) = outcomes(tmp_path, prediction_files.arm("a", FACES, OTHERS)).arms

    assert arm.run_recall(DEFINITIONS[name]).tolist() == [0.75, 0.75]


def test_a_file_beside_it_says_the_same(tmp_path):
    """Roles of columns, and any key of the header."""
    (tmp_path / "detectors.yaml").write_text(
        "columns: {certainty: score, who: arm}\nscores: other\nthreshold: 60\npaired: true\n"
    )
    header = ("who", "run", "image", "group", "label", "certainty")
    rows = prediction_files.arm("a", [[50, 70, 60, 80]], [[10, 65, 20]])
    path = tmp_path / "detectors.csv"
    path.write_text(prediction_files.text(rows, header=header))
    (found,), rest = predictions.read_all([path], {}, {"keep": None})

    assert rest == []
    assert found.outcomes.arms[0].recall.tolist() == [[0.5, 1.0]]
    assert (found.outcomes.paired, found.outcomes.threshold) == (True, "score 60")


def test_a_study_beside_its_predictions_says_nothing_of_them(tmp_path):
    """`repro table mine --format predictions > mine.csv` lies beside mine.yaml."""
    (tmp_path / "detectors.yaml").write_text("question: Does it?\nreference: b\n")
    found = outcomes(tmp_path, prediction_files.arm("a", FACES, OTHERS))

    assert found.reference == "a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("refrence: a\n", "refrence: Extra inputs are not permitted"),
        ("columns: [a]\n", "columns: a role for each name is expected"),
        ("- a\n", "a mapping of keys is expected"),
        ("a: [\n", "detectors.yaml:2"),
    ],
)
def test_a_wrong_file_beside_it_is_refused(tmp_path, text, message):
    """By its name."""
    (tmp_path / "detectors.yaml").write_text(text)
    with pytest.raises(ReproError, match=message):
        outcomes(tmp_path, prediction_files.arm("a", FACES, OTHERS))
