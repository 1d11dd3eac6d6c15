"""Columns of the test portraits that a study names."""

import pytest
import scored_study
from faults import studies

from repro.analysis import study_data
from repro.errors import RecordError, StudyError
from repro.records import portraits, records
from repro.records.portraits import Portraits

PEOPLE = {f"p{i}": f"person {i // 2}" for i in range(80)}  # two portraits each
TONES = {name: float(place % 10) for place, name in enumerate(PEOPLE)}


def toy(folder, **keys):
    """A study with two embedded portraits a group, with these outer keys."""
    file = studies.toy(folder)
    text = "".join(f"{key}: {value}\n" for key, value in keys.items())
    file.write_text(text + file.read_text(encoding="utf-8"), encoding="utf-8")
    return file


def outcomes(results):
    """What tables are made from."""
    (index,) = records.read_indexes(results)
    return study_data.of_study(index, records.read_study(index, results), results)


def test_a_plan_has_the_values_of_the_columns(tmp_path):
    """Of each portrait, by its name; nothing is written yet."""
    planned = studies.plan(toy(tmp_path, cluster="skin", tone="fitzpatrick"), tmp_path / "results")
    (found,) = portraits.from_csv(planned.portraits).values()

    assert len(found.cluster) == 8
    assert set(found.cluster.values()) == {"darker", "lighter"}
    assert set(found.tone.values()) <= {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}
    assert (planned.index.portraits.cluster, planned.index.portraits.tone) == (
        "skin",
        "fitzpatrick",
    )


def test_the_columns_are_in_no_name_of_a_run(tmp_path):
    """So that nothing is trained again when a column is named."""
    named = studies.plan(toy(tmp_path / "a", cluster="skin"), tmp_path / "results")
    without = studies.plan(toy(tmp_path / "b"), tmp_path / "results")

    assert [task.key for task in named.tasks] == [task.key for task in without.tasks]


@pytest.mark.parametrize("keys", [{}, {"cluster": "none", "tone": "none"}])
def test_without_columns_an_index_says_nothing(tmp_path, keys):
    """The embedded portraits show each person once, and have no scale of their own."""
    planned = studies.plan(toy(tmp_path, **keys), tmp_path / "results")

    assert (planned.index.portraits, planned.portraits) == (None, b"")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"cluster": "skn"}, r"toy.yaml:1:10: cluster: no column 'skn' .* Did you mean skin?"),
        ({"tone": "gender"}, r"toy.yaml:1:7: tone: '\w+' of \w+ is no number; name a column"),
        ({"cluster": "''"}, "toy.yaml:1:10: cluster: "),
    ],
)
def test_a_column_that_cannot_be_used_is_told_at_its_place(tmp_path, keys, said):
    """Before anything is trained."""
    with pytest.raises(StudyError, match=said):
        studies.plan(toy(tmp_path, **keys), tmp_path / "results")


def test_tables_get_positions_of_clusters_and_tones(tmp_path):
    """From the results folder alone, in the order of the scores."""
    scored_study.write(tmp_path, Portraits(PEOPLE, TONES))
    found = outcomes(tmp_path)

    assert (found.cluster, found.tone) == ("person", "tone")
    for arm in found.arms:
        assert arm.scores.cluster.tolist() == [i // 2 for i in range(80)]
        assert arm.scores.tone.tolist() == [*TONES.values()]


def test_a_portrait_that_the_file_lacks_stops_the_tables(tmp_path):
    """Rather than being somebody's of no name."""
    fewer = {name: who for name, who in PEOPLE.items() if name != "p7"}
    scored_study.write(tmp_path, Portraits(fewer, TONES))

    with pytest.raises(RecordError, match=r"'p7' is scored, .* `repro run`"):
        outcomes(tmp_path)
