"""Records as arrays: what counts as a run, and which printed row belongs to which arm."""

import csv
import dataclasses
import io
import math
import warnings

import numpy as np
import pytest
import reference_detectors
import scored_study
from builders import study_index

from repro.analysis import study_data
from repro.analysis.outcomes import Arm
from repro.metrics import Count
from repro.records import records, scores
from repro.records.records import Record
from repro.reporting.tables import tables
from repro.study.published import Margin, Published


def record(key, *, detected=8, false=1, seed=0, resampling=None, **changes):
    """Ten portraits in each of two groups, ten photographs without a face."""
    groups = {"a": Count(10, detected), "b": Count(10, 9)}
    plain = {"configuration": {"resampling": resampling}, "data": {}, "nonfaces": Count(10, false)}
    return Record(key=key, seed=seed, groups=groups, **(plain | changes))


def study(*records, **changes):
    """The outcomes of a study with one arm of these runs."""
    index = study_index({"x": [one.key for one in records]}, **changes)
    return study_data.of_study(index, {one.key: one for one in records}, None)


def test_runs_stand_in_the_order_of_their_seeds():
    """Recall of each run and group."""
    arm = study(record("k0"), record("k1", detected=6, seed=1)).arms[0]

    assert arm.recall.tolist() == [[0.8, 0.9], [0.6, 0.9]]
    assert (arm.seeds, arm.groups, arm.sizes.tolist()) == ((0, 1), ("a", "b"), [10, 10])


def test_runs_are_selected_by_what_the_study_declares():
    """Pooled recall, or the accuracy on held-out crops."""
    one = record("k0", metrics={"val_accuracy": 0.75})
    select = {"keep": 1, "by": "accuracy", "split": "validation"}

    assert study(one).arms[0].selector.tolist() == [0.85]
    assert study(one, select=select).arms[0].selector.tolist() == [0.75]


@pytest.mark.parametrize(("false", "is_collapsed"), [(8, False), (9, True), (10, True)])
def test_a_run_that_tells_nothing_apart_is_collapsed(false, is_collapsed):
    """Recall 0.85 against false alarms in 8, 9 or 10 of 10 photographs."""
    arm = study(record("k0", false=false)).arms[0]

    assert (arm.collapsed, arm.runs) == (((0,), 0) if is_collapsed else ((), 1))


@pytest.mark.parametrize(("active", "count"), [(0.0, 1), (9.0, 1), (10.0, 0), (100.0, 0)])
def test_a_collapsed_posterior_is_counted_and_the_run_ranked(active, count):
    """Fewer than ten of a hundred latents active."""
    one = record("k0", kl_per_latent=[0.0] * 100, metrics={"val_active_units": active})
    found = study(one)

    assert (found.arms[0].posterior_collapsed, found.arms[0].runs) == (count, 1)
    remarks = tables.parts(found, style="paper")[0].remarks
    assert any("the posterior collapsed" in remark for remark in remarks) == bool(count)


@pytest.mark.parametrize(
    ("resampling", "alpha"),
    [
        ({"rule": "none", "alpha": 0.1}, math.inf),
        ({"rule": "max", "alpha": 0.1}, 0.1),
        (None, None),
    ],
)
def test_an_arm_without_resampling_has_the_largest_alpha(resampling, alpha):
    """The limit of ever larger smoothing is no debiasing."""
    assert study(record("k0", resampling=resampling)).arms[0].alpha == alpha


def test_an_arm_of_which_only_some_runs_know_false_positives_has_none():
    """A mean over some runs would be another quantity."""
    arm = study(record("k0"), record("k1", nonfaces=None, seed=1)).arms[0]

    assert arm.false_positive_rate is None


def test_records_of_an_earlier_release_have_an_unknown_number_of_training_images():
    """What was not recorded is not guessed."""
    known = record("k1", metrics={"training_images": 2000.0}, seed=1)

    assert study(record("k0"), known).arms[0].training_images == (None, 2000)


PUBLISHED = Published.model_validate(
    {
        "source": "Somebody (2020)",
        "printed": "Table 1",
        "definition": "dehaan2020",
        "replicates": 5,
        "keep": 3,
        "protocol": {"groups": {"a": 10, "b": 10}, "configuration": {}},
        "rows": [
            {"arm": "No debias", "recall": 85.0, "variance": 25.0},
            {"arm": "alpha = 0.1", "recall": 86.0, "variance": 16.0},
            {"arm": "alpha = 0.5", "recall": 87.0, "variance": 9.0},
        ],
    }
)


def arm(name, alpha):
    """An arm of somebody's file."""
    return Arm(
        name=name,
        alpha=alpha,
        wanted=1,
        seeds=(1,),
        groups=("a", "b"),
        sizes=np.array([10, 10]),
        recall=np.array([[0.8, 0.9]]),
        selector=np.array([0.85]),
    )


def answered(*arms):
    """Names of the arms that have a printed row."""
    plain = study(record("k0"))
    found = study_data.answering(
        dataclasses.replace(plain, arms=arms), PUBLISHED, Margin(recall=1.0, variance=1.0)
    )
    return [row.arm for row in found.published.rows]


def test_printed_rows_find_their_arms_by_alpha():
    """A file calls its arms as it likes; a row without a counterpart is left out."""
    assert answered(arm("no debias", math.inf), arm("max, alpha = 0.1", 0.1)) == [
        "no debias",
        "max, alpha = 0.1",
    ]


def test_printed_rows_find_no_arm_when_two_share_an_alpha():
    """Max and product at one alpha: print does not say which is meant."""
    assert answered(arm("max", 0.1), arm("product", 0.1)) == []


HEAD = "set,photograph,group,top_logit,windows,positive\n"
LOGITS = [2.1257302210933933, -0.0, 1e-300, -math.inf, 0.1 + 0.2]


def sets(folder, content):
    """What is read of a run with this file of scores."""
    kept = record("k-seed0", configuration={})
    records.write_record(kept, folder, {records.SCORES: content.encode()})
    kept = records.read_record("k-seed0", folder)
    return scores.from_csv(records.read_file(kept, folder, records.SCORES))


def test_scores_are_read_to_the_last_bit(tmp_path):
    """Portraits with their groups, and photographs without a face."""
    rows = [f"portraits,p{i},{'ab'[i % 2]},{x},27,1\n" for i, x in enumerate(LOGITS)]
    others = [f"nonfaces,n{i},,{x},27,0\n" for i, x in enumerate(reversed(LOGITS))]
    found = sets(tmp_path, HEAD + "".join(rows + others))

    assert found["portraits"].top_logit.tobytes() == np.array(LOGITS).tobytes()
    assert found["nonfaces"].top_logit.tobytes() == np.array(LOGITS[::-1]).tobytes()
    assert found["portraits"].groups == ("a", "b", "a", "b", "a")


def test_scores_that_are_written_again_are_the_same_file(tmp_path):
    """Byte for byte: records hold its digest."""
    names = ["plain", '"a, b"', '"the ""third"" one"', '"two\nlines"']
    rows = [f"portraits,{name},a,{x},27,1\n" for name, x in zip(names, LOGITS, strict=False)]
    content = HEAD + "".join([*rows, "nonfaces,n,,0.30000000000000004,27,0\n"])

    assert scores.to_csv(sets(tmp_path, content)) == content.encode()


@pytest.mark.parametrize("name", ['"a, b"', '"the ""third"" one"', '"two\nlines"', "plain", "''"])
def test_scores_of_photographs_with_any_name_are_read(tmp_path, name):
    """Commas, quotation marks and line breaks in a file's name."""
    rows = f"portraits,{name},a,1.5,3,1\nportraits,x,{name},0.5,3,1\nnonfaces,{name},,-2.0,3,0\n"
    found = sets(tmp_path, HEAD + rows)
    expected = next(iter(csv.reader(io.StringIO(name))))[0]
    logits = {of: one.top_logit.tolist() for of, one in found.items()}

    assert logits == {"portraits": [1.5, 0.5], "nonfaces": [-2.0]}
    assert found["portraits"].groups == ("a", expected)
    assert found["nonfaces"].names == (expected,)


def test_scores_of_portraits_alone_are_read(tmp_path):
    """No photograph without a face."""
    row = "portraits,x,a,1.5,3,1\n"
    key = "k-seed0"
    kept = Record(key=key, seed=0, configuration={}, data={}, groups={"a": Count(1, 1)})
    records.write_record(kept, tmp_path, {records.SCORES: (HEAD + row).encode()})
    index = study_index({"x": [key]})
    (only,) = study_data.of_study(index, {key: records.read_record(key, tmp_path)}, tmp_path).arms

    assert only.scores.portraits.tolist() == [[1.5]]
    assert only.scores.nonfaces.shape == (1, 0)


def test_scores_with_a_cell_too_few_are_refused(tmp_path):
    """A shorter row is not a number."""
    with pytest.raises(ValueError, match="no line of scores"):
        sets(tmp_path, HEAD + "portraits,x,a,1.5,3,1\nportraits,y,a\n")


OTHERWISE = {"by": "accuracy", "split": "validation"}


def ranked(**index):
    """Two arms with the same runs, the second ranked by accuracy."""
    runs = [
        record("k0", detected=9, metrics={"val_accuracy": 0.8}),
        record("k1", detected=7, seed=1, metrics={"val_accuracy": 0.9}),
    ]
    plain = study_index({"x": ["k0", "k1"], "y": ["k0", "k1"]}, **index)
    arms = [plain.arms[0], dataclasses.replace(plain.arms[1], select=OTHERWISE)]
    return study_data.of_study(
        dataclasses.replace(plain, arms=arms), {one.key: one for one in runs}, None
    )


def test_an_arm_can_be_ranked_in_its_own_way():
    """By recall the first run is the best, by accuracy the second."""
    x, y = ranked().arms

    assert (x.kept(1), y.kept(1)) == ([0], [1])
    assert (x.ranked, y.ranked) == (None, ("accuracy", "validation"))


def test_an_arm_whose_own_way_is_the_studys_is_not_ranked_otherwise():
    """Nothing has to be said of it."""
    found = ranked(select={"keep": 1, **OTHERWISE})

    assert [arm.ranked for arm in found.arms] == [None, None]


def test_the_remark_names_the_arms_that_are_ranked_otherwise():
    """Beside the way of all the others."""
    remark = tables.part(ranked(), "results").remarks[0]

    assert (
        "the best 1 of 2 runs by recall on the test data, a selection that biases them (by "
        "accuracy on the validation data in y), as" in remark
    )


def test_two_arms_with_the_same_runs_differ_by_nothing():
    """Exactly 0, and no spread that would give an interval."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = tables.part(ranked(), "comparisons").table

    assert rows["Difference, new seeds"].tolist() == ["+0.00"] * 2
    assert rows["p, t"].tolist() == ["1.0000"] * 2


CROPPED = {
    "crops": 12.0,
    "crop_probability": 0.6,
    "crop_probability/a": 0.5,
    "crop_probability/b c": 0.7,
}


def test_probabilities_of_crops_are_those_of_the_records():
    """By group, and of all crops."""
    crops = study(record("k0", metrics=CROPPED)).arms[0].crops

    assert (crops.groups, crops.probability.tolist()) == (("a", "b c"), [[0.5, 0.7]])
    assert (crops.overall.tolist(), crops.count) == ([0.6], 12)


def test_crops_that_some_runs_lack_are_left_out():
    """A mean over some runs would be another quantity."""
    found = study(record("k0", metrics=CROPPED), record("k1", seed=1))

    assert found.arms[0].crops is None


def test_seeds_are_picked_from_crops_as_well():
    """The second run alone."""
    other = CROPPED | {"crop_probability": 0.9}
    arm = study(record("k0", metrics=CROPPED), record("k1", seed=1, metrics=other)).arms[0]

    assert arm.only((1,)).crops.overall.tolist() == [0.9]


def test_what_an_arm_of_failed_runs_chose_is_known():
    """Its configuration stands in their records."""
    failure = {"epoch": 1, "term": "loss", "reason": "nan"}
    found = study(record("k0", failure=failure, configuration={"model": "dbvae"})).arms[0]

    assert (found.runs, found.configured) == (0, {"model": "dbvae"})


def test_an_arm_that_shares_the_runs_of_another_does_not_end_a_sweep():
    """The trend is over the three alphas, each once."""
    alphas = {"a": 0.1, "b": 0.01, "c": 0.001}
    runs = [
        record(f"{name}{seed}", detected=9 - seed, seed=seed, resampling=resampling)
        for name, alpha in alphas.items()
        for resampling in [{"rule": "max", "alpha": alpha}]
        for seed in range(2)
    ]
    keys = {name: [f"{name}0", f"{name}1"] for name in alphas}
    plain = study_index(keys | {"c, by accuracy": keys["c"]})
    found = study_data.of_study(plain, {one.key: one for one in runs}, None)
    told = tables.part(found, "comparisons").remarks

    assert any("over 6 runs, Jonckheere-Terpstra" in remark for remark in told)


def test_a_detector_is_an_arm_of_one_run_beside_the_arms(tmp_path):
    """Its counts and scores are those of its record; the arms are as without it."""
    scored_study.write(tmp_path)
    (index,) = records.read_indexes(tmp_path)
    before = study_data.of_study(index, records.read_study(index, tmp_path), tmp_path)
    reference_detectors.write(tmp_path)
    (index,) = records.read_indexes(tmp_path)

    found = study_data.of_study(index, records.read_study(index, tmp_path), tmp_path)

    (one,) = found.detectors
    assert (one.name, one.runs, one.sizes.tolist()) == ("Haar", 1, [20] * 4)
    assert one.recall.tolist() == [[0.9, 0.5, 1.0, 0.95]]
    assert one.false_positive_rate.tolist() == [0.1]
    assert [arm.name for arm in found.arms] == [arm.name for arm in before.arms]
    assert found.digest == before.digest
