"""The specification curve: who is central, what each arm changes, and whether variance falls."""

import dataclasses

import crowds
import pytest

from repro.reporting.figures import figure_registry
from repro.reporting.figures import specification_curve as picture
from repro.reporting.tables import specification_curve, tables
from repro.stats.disparity import DEFINITIONS

GROUPS = ("a", "b")
ARMS = {
    "none": crowds.PLAIN,
    "usual": {},
    "l1": {"reconstruction": {"norm": "l1"}},
    "l1, none": {"reconstruction": {"norm": "l1"}} | crowds.PLAIN,
    "weak": {"kl": {"weight": 0.1}},
}
FOUND = {
    "none": [(100, 51), (100, 49), (100, 50)],
    "usual": (100, 90),
    "l1": (100, 60),
    "l1, none": [(100, 81), (100, 79), (100, 80)],
}


@pytest.fixture(scope="module")
def whole():
    """Five arms of a hundred portraits in each of two groups; one arm failed."""
    return crowds.view(ARMS, GROUPS, size=100, found=FOUND, failed=("weak",))


@pytest.fixture(scope="module")
def part(whole):
    """Its table."""
    return tables.part(whole.outcomes, "specification")


def curve(whole):
    """The curve by the default definition."""
    return specification_curve.of_outcomes(whole.outcomes, DEFINITIONS["dehaan2020"])


def test_the_central_arm_is_the_one_with_the_fewest_differences(whole):
    """The first arm differs from the others in all that shapes resampling."""
    assert curve(whole).central.name == "usual"


def test_of_two_arms_as_central_the_earlier_is_taken():
    """Three arms that differ from each other in as much."""
    arms = {
        name: {"epochs": n, "batch_size": n, "latent_dim": n} for n, name in enumerate("xyz", 2)
    }

    assert curve(crowds.view(arms, GROUPS)).central.name == "x"


def test_each_arm_tells_what_it_changes(part):
    """Key, value and what it was; what follows from not resampling is left out."""
    assert part.table["Changed"].to_dict() == {
        "usual": "nothing: the central arm",
        "l1, none": "reconstruction.norm: l1 (was l2); resampling.rule: none (was max)",
        "l1": "reconstruction.norm: l1 (was l2)",
        "none": "resampling.rule: none (was max)",
        "weak": "kl.weight: 0.1 (was 1)",
    }


def test_an_objective_is_a_choice_and_its_arm_no_counterpart_of_others():
    """Else another method's gain would be called that of resampling."""
    arms = {
        "none": crowds.PLAIN,
        "short": {"epochs": 3, "batch_size": 4} | crowds.PLAIN,
        "dro, none": {"objective": {"name": "group_dro"}} | crowds.PLAIN,
        "dro": {"objective": {"name": "group_dro"}},
        "lff": {"objective": {"name": "lff", "parameters": {"q": 0.5}}},
    }
    found = {one.arm.name: one for one in curve(crowds.view(arms, GROUPS)).specifications}

    assert found["dro"].partner.name == "dro, none"
    assert found["lff"].partner is None
    assert "objective.name" in found["lff"].changed


def test_rows_come_by_variance_and_failed_arms_last(part):
    """Recalls of 100 and 90, 80, 60 or 50 %: variances of 25, 100, 400 and 625."""
    variances = [cell.split()[0] for cell in part.table["Variance"]]

    assert list(part.table.index) == ["usual", "l1, none", "l1", "none", "weak"]
    assert variances == ["25.00", "100.00", "400.00", "625.00", "—"]


def test_an_arm_is_compared_with_the_same_choices_without_resampling(part):
    """25 less 625, 400 less 100; arms that do not resample have no partner."""
    apart = [cell.split()[0] for cell in part.table["Variance minus no debias"]]

    assert apart == ["-600.00", "—", "+300.00", "—", "—"]
    assert part.table["Recall minus no debias"].iloc[0].startswith("+20.00 [")


def test_whether_variance_falls_is_told_by_the_whole_interval(part):
    """Below 0, above 0; a dash without a partner or without results."""
    assert part.table["Variance falls"].tolist() == ["yes", "—", "no", "—", "—"]


def test_an_interval_that_holds_0_cannot_tell():
    """Runs of both arms find the same; nothing varies, so no interval can be estimated."""
    same = dict.fromkeys(("none", "usual"), (90, 80))
    found = tables.part(
        crowds.view(ARMS, GROUPS, size=100, found=FOUND | same).outcomes, "specification"
    )

    assert found.table.loc["usual", "Variance falls"] == "cannot tell"
    assert found.table.loc["usual", "Variance minus no debias"].startswith("+0.00")


def test_the_remarks_count_and_say_what_chance_does(part):
    """Two partners: 0.05 intervals below 0 by chance."""
    assert part.remarks[0].startswith("The central arm is usual:")
    assert part.remarks[3].startswith("5 specifications; 2 of them have a counterpart")
    assert "lower the variance: 1 yes, 1 no, 0 cannot tell." in part.remarks[3]
    assert part.remarks[4] == (
        "The intervals are not adjusted for the number of specifications: without any effect, "
        "0.1 of 2 would be below 0 by chance, and as many above 0."
    )
    assert part.remarks[5] == "With the counterpart matched: 1 yes, 1 no, 0 cannot tell."


def test_the_partner_is_also_read_at_the_arms_own_false_positives(part):
    """Here all runs detect as many photographs, and no portrait lies between two of them."""
    for quantity, expected in (("Recall", "+20.0"), ("Variance", "-600.0")):
        cells = part.table[f"{quantity} minus matched no debias"]
        assert cells.iloc[0].startswith(f"{expected} [")
        assert [cell == "—" for cell in cells] == [False, True, False, True, True]


def test_the_reason_of_an_arm_without_numbers_is_told(part):
    """It stays in the table."""
    assert "weak: 3 of 3 runs (44 to 100 %) failed (loss: nan)." in part.remarks


def test_arms_that_share_runs_are_named():
    """The same configuration, ranked otherwise, is no further evidence."""
    ranked = {"copy": {"by": "accuracy", "split": "validation"}}
    whole = crowds.view(ARMS | {"copy": {}}, GROUPS, ranked=ranked)
    arms = {arm.name: arm for arm in whole.outcomes.arms}
    arms["copy"] = dataclasses.replace(arms["copy"], keys=arms["usual"].keys)
    told = dataclasses.replace(whole.outcomes, arms=tuple(arms.values()))
    found = tables.part(told, "specification")

    assert found.table.loc["copy", "Changed"] == (
        "ranked: by accuracy on validation (was by recall on test)"
    )
    assert any(remark.endswith("copy with usual.") for remark in found.remarks)


def test_a_partner_of_an_arm_that_is_ranked_otherwise_is_found():
    """How runs are ranked does not change what all of them show."""
    ranked = {"copy": {"by": "accuracy", "split": "validation"}}
    whole = crowds.view(ARMS | {"copy": {}}, GROUPS, ranked=ranked)
    (copy,) = [one for one in curve(whole).specifications if one.arm.name == "copy"]

    assert copy.partner.name == "none"


def test_a_sweep_of_one_choice_has_no_curve():
    """Alpha and whether faces are resampled are two choices, not three."""
    whole = crowds.view(crowds.SWEEP | {"alpha = 0.01": {"resampling": {"alpha": 0.01}}}, GROUPS)

    assert tables.part(whole.outcomes, "specification") is None
    assert picture.curve(whole) is None


def test_choices_of_arms_that_the_central_one_has_no_use_for_are_told_where_they_differ():
    """Arithmetic shapes products alone, and tells two of them apart."""
    product = {"rule": "product"}
    arms = ARMS | {
        "product": {"resampling": product},
        "product, float32": {"resampling": product | {"arithmetic": "float32"}},
    }
    found = tables.part(crowds.view(arms, GROUPS).outcomes, "specification").table["Changed"]

    assert found["product"] == ("resampling.rule: product (was max); resampling.arithmetic: log")
    assert found["product, float32"].endswith("resampling.arithmetic: float32")


def test_arms_of_other_data_tell_what_differs_of_them():
    """The source's other details are the same."""
    train = {"train": {"source": "synthetic", "darker_share": 0.5}}
    data = train | dict.fromkeys(("test", "nonfaces"), "synthetic")
    found = tables.part(
        crowds.view(ARMS | {"even": {"data": data}}, GROUPS).outcomes, "specification"
    )

    assert (
        found.table.loc["even", "Changed"] == "data.train: darker_share 0.5 (was darker_share 0.13)"
    )


@pytest.mark.parametrize(
    ("value", "was", "told"),
    [
        ("0.1", "1", "0.1 (was 1)"),
        ("log", "", "log"),
        ("x (n 1)", "y (n 1)", "x (n 1) (was y (n 1))"),
        ("x (n 1, m 2)", "x (n 1, m 3)", "m 2 (was m 3)"),
    ],
)
def test_a_change_is_told_by_what_differs(value, was, told):
    """Of two sources of the same kind, only their details."""
    assert specification_curve.told_change(value, was) == told


def test_the_picture_stands_in_the_order_of_the_table(whole):
    """Arms down the page, the central one marked."""
    axes = picture.curve(whole).figure.axes
    labels = [label.get_text() for label in axes[0].get_yticklabels()]

    assert labels == ["usual ◂", "l1, none", "l1", "none", "weak"]
    assert axes[0].get_ylim() == (4.5, -0.5)


def test_the_picture_holds_the_tables_numbers(whole):
    """Variance of each arm with numbers, at its place."""
    panel = picture.curve(whole).figure.axes[1]
    marks = [(c.lines[0].get_xdata()[0], c.lines[0].get_ydata()[0]) for c in panel.containers]

    assert marks == [pytest.approx(pair) for pair in ((25, 0), (100, 1), (400, 2), (625, 3))]


def test_the_matrix_fills_what_differs(whole):
    """The norm, how latents are combined, the weight of KL."""
    matrix = picture.curve(whole).figure.axes[2]
    names = [label.get_text() for label in matrix.get_xticklabels()]
    (marks,) = matrix.get_lines()
    filled = {(names[int(x)], int(y)) for x, y in zip(*marks.get_data(), strict=True)}

    assert filled == {
        ("reconstruction: norm", 1),
        ("resampling: rule", 1),
        ("reconstruction: norm", 2),
        ("resampling: rule", 3),
        ("kl: weight", 4),
    }


def test_the_reference_is_a_line_in_both_panels(whole):
    """The central arm's partner: recall 75 %, variance 625."""
    for panel, value in zip(picture.curve(whole).figure.axes, (75, 625), strict=False):
        lines = [line for line in panel.get_lines() if line.get_linestyle() == "--"]

        assert [line.get_xdata()[0] for line in lines] == [pytest.approx(value)]


def test_the_caption_counts_the_verdicts(whole):
    """And says that nothing is adjusted, of which data, and that a failed arm is there."""
    drawn = figure_registry.FIGURES["specification"](whole)

    assert (
        "is below the counterpart's, paired by seed: 1 yes, 1 no, 0 cannot tell; not adjusted"
        in drawn.caption
    )
    assert drawn.caption.endswith("Data: a few pictures, profile embedded.")
    assert drawn.alt.startswith("Dot plots of recall and variance of 5 specifications, from usual")
