import dataclasses
from dataclasses import replace

from arms import counted, outcomes

from repro.reporting.tables import method_notes, tables
from repro.study import methods


def arm(name, *, objective=None, architecture="mit2019", checkpoint="last", **resampling):
    """An arm with these choices, as a record has them."""
    configured = {"resampling": {"rule": "none", "parameters": {}, **resampling}}
    configured |= {"checkpoint": checkpoint, "architecture": architecture}
    if objective is not None:
        configured["objective"] = objective
    return counted(name, [[20, 30], [21, 29]], configured=configured)


def test_what_the_papers_do_needs_no_footnote():
    """Their rules and their objective have columns of their own."""
    plain = outcomes(arm("none"), arm("alpha = 0.01", rule="max", alpha=0.01))

    assert method_notes.of_methods(plain) == []


def test_a_method_is_told_with_source_groups_cost_and_parameters():
    """Each part is declared where the method is."""
    parameters = {"upweight": 20, "copies": "lambda", "nonfaces": "even", "empty": "error"}
    told = method_notes.of_methods(
        outcomes(arm("none"), arm("JTT", rule="jtt", parameters=parameters))
    )

    assert told == [
        "JTT: rule jtt (Liu et al. 2021) draws images more often that the source run's network "
        "gets wrong, within each class; knows no groups in training; extra cost: the epochs of its "
        "first stage, which is an arm of its own; upweight = 20, copies = lambda, nonfaces = even, "
        "empty = error."
    ]


def test_a_network_of_a_plugin_is_told_with_its_parameters():
    """As a rule and an objective are."""
    network = {"name": "wide", "parameters": {"width": 6}}
    told = method_notes.of_methods(outcomes(arm("none"), arm("wide", architecture=network)))

    assert told == ["wide: model wide, a plug-in; width = 6."]


def test_arms_with_one_method_and_parameters_share_a_row():
    """With other parameters they do not."""
    run, epoch = ({"within": "all", "permutation": one} for one in ("run", "epoch"))
    told = method_notes.of_methods(
        outcomes(
            arm("a", rule="placebo", parameters=run),
            arm("b", rule="placebo", parameters=run),
            arm("c", rule="placebo", parameters=epoch),
        )
    )

    assert [row.partition(":")[0] for row in told] == ["a, b", "c"]


def test_a_placebo_within_groups_knows_them():
    """Dealing inside the groups needs each face's."""
    parameters = {"within": "groups", "permutation": "run"}
    (told,) = method_notes.of_methods(outcomes(arm("p", rule="placebo", parameters=parameters)))

    assert "knows the group of each training face" in told


def test_dfr_knows_the_groups_of_held_out_faces_alone():
    """It needs groups in the data, but never sees those of training faces."""
    (told,) = method_notes.of_methods(outcomes(arm("fitted", objective={"name": "dfr"})))

    assert "is fitted on the groups of held-out faces" in told
    assert "training face" not in told


def test_the_arm_of_the_source_runs_is_named():
    """By the keys of the runs: whose weights a placebo deals."""
    key = "0" * 32 + "-seed0"
    rarest = dataclasses.replace(arm("rarest", rule="max"), keys=(key,))
    dealt = dataclasses.replace(arm("dealt", rule="placebo"), sources=(key,))
    (told,) = method_notes.of_methods(outcomes(rarest, dealt))

    assert told.endswith("; its source runs are those of “rarest”.")


def test_guessed_groups_are_no_oracle():
    """A classifier's labels are called what they are."""
    (told,) = method_notes.of_methods(
        outcomes(arm("balanced", rule="oracle", parameters={"labels": "estimated"}))
    )

    assert "balanced by estimate" in told


def test_selection_by_the_worst_class_is_told_once_for_all_arms():
    """It is a rule of selection, not an arm."""
    (told,) = method_notes.of_methods(
        outcomes(arm("x", checkpoint="worst_class"), arm("y", checkpoint="worst_class"))
    )

    assert told.startswith("All arms: the network is that of the epoch with the highest recall")


def test_a_rule_of_a_plug_in_says_its_own_words():
    """The index of the study has them, since a table does not load the plug-in."""
    found = outcomes(arm("mine", rule="inverse_root", parameters={"power": 0.5}))
    words = {"paper": "Kang et al. 2020", "groups": "knows all groups", "cost": "none"}
    (told,) = method_notes.of_methods(replace(found, plugins={"rule inverse_root": words}))

    assert told == (
        "mine: rule inverse_root (Kang et al. 2020), a plug-in; knows all groups; "
        "extra cost: none; power = 0.5."
    )


def test_a_rule_of_a_plug_in_that_says_nothing_is_called_one():
    """Paper, groups and cost are its author's to give."""
    (told,) = method_notes.of_methods(
        outcomes(arm("mine", rule="inverse_root", parameters={"power": 0.5}))
    )

    assert told == "mine: rule inverse_root, a plug-in; power = 0.5."


def test_the_table_of_results_has_the_rows():
    """Under the numbers that they explain."""
    made = tables.part(outcomes(arm("none"), arm("oracle", rule="oracle")), "results")

    assert any("Idrissi et al. 2022" in remark for remark in made.remarks)


def test_every_built_in_method_has_its_words():
    """Also one that is added tomorrow."""
    for method in methods.BUILT_IN:
        if method.kind in ("rule", "objective") and method.name not in method_notes.PLAIN:
            assert all((method.what, method.groups, method.cost)), method.title
