"""The sentence on detectors that were trained elsewhere, beside the answer of a study."""

from dataclasses import replace

import pytest
import reference_detectors
import scored_study
from arms import counted, outcomes

from repro.analysis import study_data
from repro.records import records
from repro.reporting.tables import answer, claims_json, detector_sentence, output_formats
from repro.reporting.tables.presentation import Presentation

ON_PPB = {"data": {"test": {"source": "ppb", "path": "PPB-2017"}}}
BEGINNING = "For comparison, without training here and at "


def detector(name, *found, size=40, **changes):
    """A detector that finds so many portraits of each group."""
    return counted(name, [found], size=size, **changes)


def told(*detectors, **changes):
    """The sentence of a study with these detectors."""
    arms = [counted("A", [[30, 20]], **changes)]
    return detector_sentence.sentence(replace(outcomes(*arms), detectors=detectors))


def test_it_counts_each_group_and_gives_the_exact_interval_of_the_worst():
    """20 of 40 has [33.8, 66.2] by Clopper and Pearson."""
    one = detector("Haar", 38, 20, groups=("darker_female", "darker_male"))

    assert told(one) == (
        f"{BEGINNING}its own threshold, Haar finds 72.5 % of the portraits (darker female 38 of "
        "40 and darker male 20 of 40 [34, 66 %])."
    )


def test_false_alarms_are_told_where_there_are_photographs_without_a_face():
    """The unit once, then shares."""
    rate = {"false_positive_rate": [0.03], "nonfaces": 100}
    some, all_ = detector("Haar", 39, 36, **rate), detector("MTCNN", 40, 40, **rate)

    assert told(some, all_) == (
        f"{BEGINNING}their own thresholds, Haar finds 93.8 % of the portraits (a 39 of 40 and b 36 "
        "of 40 [76, 97 %]) with 3.0 % false alarms; MTCNN finds all (a 40 of 40 [91, 100 %] and b "
        "40 of 40) with 3.0 %."
    )


def test_of_more_than_six_groups_it_names_the_worst_alone():
    """FairFace has fourteen."""
    names = tuple("abcdefg")
    found = told(detector("Haar", 40, 40, 40, 30, 40, 40, 40, groups=names))

    assert "(fewest of d 30 of 40 [59, 87 %])" in found


def test_of_more_than_four_detectors_the_others_are_counted():
    """They are in the tables."""
    found = told(*(detector(f"D{k}", 40, 40) for k in range(6)))

    assert "D3 finds" in found
    assert "D4" not in found
    assert found.endswith("; 2 more in the tables.")


def test_on_ppb_without_any_it_says_how_to_get_one():
    """In one short sentence, with the command."""
    assert told(configured=ON_PPB) == (
        "What an ordinary face detector finds in these portraits was not measured: "
        "`repro score toy --detectors`."
    )


@pytest.mark.parametrize("configured", [{}, {"data": {"test": {"source": "synthetic"}}}])
def test_on_other_portraits_without_any_it_says_nothing(configured):
    """Drawings need no such detector."""
    assert told(configured=configured) == ""


@pytest.fixture(scope="module", name="scored")
def fixture_scored(tmp_path_factory):
    """A study with the records of two detectors."""
    results = tmp_path_factory.mktemp("results")
    scored_study.write(results)
    reference_detectors.write(results, "Haar", "HOG")
    (index,) = records.read_indexes(results)
    return study_data.of_study(index, records.read_study(index, results), results)


def test_it_is_from_the_records_of_the_detectors(scored):
    """18, 10, 20 and 19 of 20, and 4 of 40 false alarms, by hand."""
    assert detector_sentence.sentence(scored).startswith(
        f"{BEGINNING}their own thresholds, Haar finds 83.8 % of the portraits (darker female 18 of "
        "20, darker male 10 of 20 [27, 73 %], lighter female 20 of 20 and lighter male 19 of 20) "
        "with 10.0 % false alarms; HOG finds 83.8 %"
    )


def test_every_answer_ends_with_it(scored):
    """In text, in JSON as a field of its own, and where the study declares no claim."""
    found = detector_sentence.sentence(scored)
    text = output_formats.text(scored, Presentation(form="markdown"))

    assert answer.of_study(scored).text == found
    assert claims_json.fields(scored)["comparison"] == found
    assert claims_json.fields(scored)["answer"] is None
    assert text.startswith("For comparison, without training here")
