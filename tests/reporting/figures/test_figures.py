"""What figures hold: data in, artists out, read back from the axes."""

import dataclasses
import re

import matplotlib as mpl
import numpy as np
import pytest
from builders import configuration, study_index
from matplotlib.text import Text

from repro.analysis import operating_points, study_data, thresholds
from repro.analysis.arm_scores import ArmScores
from repro.analysis.samples import Drawn, FaceSampling, Latents, Rarity, Specimens
from repro.errors import ReproError
from repro.metrics import Count
from repro.records.records import Record
from repro.reporting.figures import (
    curves,
    face_grids,
    figure_files,
    figure_registry,
    latents,
    recall,
    study_view,
    style,
)
from repro.reporting.figures.illustration import FORMS, encode
from repro.reporting.figures.study_view import StudyView, listed, span
from repro.stats.disparity import DEFINITIONS
from repro.study.published import Published

GROUPS = ("darker_female", "darker_male", "lighter_female", "lighter_male")
ARMS = ("No debias", "alpha = 0.1")
LOSSES = {"No debias": [134.56, 94.25, 100.98], "alpha = 0.1": [131.0, 98.5, 100.3]}
DETECTED = np.array([[5, 6, 9, 10], [7, 6, 10, 9], [6, 8, 8, 10]])  # of 10, run by group


CLAIM = {
    "name": "resampling lowers the variance",
    "quantity": "variance",
    "read_at": {"logit": 0},
    "contrast": {"arm": "alpha = 0.1", "less": "No debias"},
    "expect": "lower",
    "smallest_effect": {"absolute": 1.0},
    "primary": True,
    "arms": ["No debias", "alpha = 0.1"],
}


def history(losses, ess):
    """Epochs with these losses and shares."""
    return [
        {
            "epoch": float(number),
            "train_loss": loss,
            "val_accuracy": 0.8 + 0.05 * number,
            "ess_share": share,
        }
        for number, (loss, share) in enumerate(zip(losses, ess, strict=True), 1)
    ]


def record(arm, seed, **changes):
    """A finished run whose numbers tell arms and seeds apart."""
    off = arm == "No debias"
    reduction = changes.pop("reduction", "sum")
    choices = configuration(
        resampling={"rule": "none" if off else "max", "alpha": 0.1},
        reconstruction={"reduction": reduction},
    )
    plain = {
        "groups": {
            name: Count(10, int(count)) for name, count in zip(GROUPS, DETECTED[seed], strict=True)
        },
        "nonfaces": Count(10, 2),
        "history": history(
            [loss + seed for loss in LOSSES[arm]], [1, 1, 1] if off else [1, 0.5, 0.4]
        ),
        "kl_per_latent": [0.5, 2.0 + seed, 0.25],
        "metrics": {"val_active_units": 2.0 + seed},
    }
    return Record(
        key=f"{arm}-{seed}",
        seed=seed,
        configuration=choices.model_dump(mode="json"),
        data={},
        **(plain | changes),
    )


def logits(seed):
    """Top logits that give the counts above, and two false alarms of ten."""
    found = [[1.0] * n + [-1.0] * (10 - n) for n in DETECTED[seed]]
    return np.concatenate(found) + np.linspace(0, 0.1, 40), np.linspace(-4, 0.5, 10)


def scores():
    """Of three runs."""
    portraits, others = zip(*map(logits, range(3)), strict=True)
    return ArmScores(
        portraits=np.stack(portraits), group=np.repeat(np.arange(4), 10), nonfaces=np.stack(others)
    )


def faces(count, shade=0):
    """Flat pictures, each of its own shade."""
    shades = np.arange(shade, shade + count, dtype=np.uint8)
    return np.broadcast_to(shades[:, None, None, None], (count, 64, 64, 3)).copy()


def specimens(arm, *, spread=0.5, by_batch=1.25):
    """One run's pictures, and how much the decoded ones differ from face to face."""
    draws = FaceSampling(
        faces=20,
        expected=1.5,
        lowest=Drawn(faces(12), np.full(12, 0.01)),
        highest=Drawn(faces(12, 20), np.full(12, 0.1)),
        uniform=Drawn(faces(16), np.full(16, 0.05)),
        adaptive=Drawn(faces(16, 30), np.full(16, 0.1)),
        edges=np.linspace(0, 0.1, 4),
        counts=np.array([12, 5, 3]),
        examples=(faces(4), faces(2, 10), faces(3, 20)),
    )
    shown = Latents(
        originals=faces(6),
        reconstructions=faces(6, 50),
        by_batch=faces(6, 60),
        spread=spread,
        spread_by_batch=by_batch,
        interpolations=np.stack([faces(8, 100), faces(8, 110)]),
        units=(3, 1),
        traversals=np.stack([faces(7, 120), faces(7, 130)]),
    )
    none = arm == "No debias"
    return Specimens(arm=arm, seed=0, synthetic=True, draws=None if none else draws, latents=shown)


def rarity():
    """Hats are rare and drawn three times as often, glasses rarer and half as often."""
    return Rarity(
        arm="alpha = 0.1",
        levels=("hat", "glasses", "nobody"),
        shares=np.array([[0.1, 0.05, 0], [0.12, 0.05, 0], [0.08, 0.05, 0]]),
        multiples=np.array([[3, 0.5, np.nan], [2, 0.4, np.nan], [4, 0.6, np.nan]]),
    )


def view(*, published=None, synthetic=True, reduction=None, **changes):
    """Two arms with three runs each."""
    runs = {
        arm: [
            record(arm, seed, **({} if reduction is None else {"reduction": reduction[arm]}))
            for seed in range(3)
        ]
        for arm in ARMS
    }
    index = study_index(
        {arm: [run.key for run in of_arm] for arm, of_arm in runs.items()},
        synthetic=synthetic,
        reference="No debias",
        claims=[CLAIM],
    )
    found = {run.key: run for of_arm in runs.values() for run in of_arm}
    told = study_data.of_study(index, found, None)
    told = dataclasses.replace(
        told,
        arms=tuple(dataclasses.replace(arm, scores=scores()) for arm in told.arms),
        published=published,
    )
    weights = {"alpha = 0.1": [np.array([0.1, 0.2, 0.3, 0.4])] * 3}
    plain = {
        "weights": weights,
        "specimens": [specimens(arm) for arm in ARMS],
        "rarity": [rarity()],
    }
    plain |= {"index": index, "found": found, "records": runs, "outcomes": told}
    return StudyView(**(plain | changes))


def lines(axes, label):
    """The curves of this label, as arrays."""
    return [line.get_ydata() for line in axes.get_lines() if line.get_label() == label]


def bars(axes, label):
    """Value and both ends of each point with error bars of this label."""
    (container,) = [c for c in axes.containers if c.get_label() == label]
    (stem,) = container.lines[2]
    (segment,) = stem.get_segments()
    return container.lines[0].get_ydata()[0], *segment[:, 1]


def test_loss_curves_hold_every_digit_of_the_history():
    """The median of 134.56, 135.56 and 136.56 is drawn at 135.56, not at 35.56."""
    axes = curves.training(view()).figure.axes[0]

    assert lines(axes, "No debias")[0] == pytest.approx([135.56, 95.25, 101.98])
    assert [134.56, 94.25, 100.98] in [list(line.get_ydata()) for line in axes.get_lines()]


def test_accuracy_curves_are_in_percent():
    """0.85, 0.9 and 0.95 after three epochs."""
    axes = curves.training(view()).figure.axes[-1]

    assert lines(axes, "alpha = 0.1")[0] == pytest.approx([85, 90, 95])


def test_summed_and_averaged_losses_have_axes_of_their_own():
    """They differ by the number of an image's values."""
    mixed = dict(zip(ARMS, ("sum", "mean"), strict=True))
    first, second, _ = curves.training(view(reduction=mixed)).figure.axes

    assert (len(lines(first, "No debias")), len(lines(first, "alpha = 0.1"))) == (1, 0)
    assert (len(lines(second, "No debias")), len(lines(second, "alpha = 0.1"))) == (0, 1)


@pytest.mark.parametrize(("largest", "scale"), [(150.0, "linear"), (1e6, "log")])
def test_a_loss_that_leaps_gets_a_logarithmic_axis(largest, scale):
    """Spikes of a factor of millions would hide all else."""
    whole = view()
    whole.records["No debias"][0].history[0]["train_loss"] = largest

    assert curves.training(whole).figure.axes[0].get_yscale() == scale


def test_an_outlier_does_not_rule_the_axis_and_is_counted():
    """Losses of about 100 and one of a million: the axis ends far below it."""
    whole = view()
    whole.records["No debias"][0].history[0]["train_loss"] = 1e6
    drawn = curves.training(whole)
    axes = drawn.figure.axes[0]

    assert axes.get_ylim()[1] < 1000
    assert [text.get_text() for text in axes.texts] == ["▲ 1 of 18 above,\nup to 1e6"]
    assert "1 of 18 values lie above, up to 1e6." in drawn.caption


@pytest.fixture(scope="module")
def letters():
    """The texts of every figure that are not empty, and points per CSS pixel at 400 pixels."""
    found = {}
    for one in figure_registry.draw(view()):
        one.figure.draw_without_rendering()
        texts = [text for text in one.figure.findobj(Text) if text.get_text()]
        found[one.name] = texts, 72 * one.figure.get_figwidth() / 400
    return found


def test_text_is_legible_on_a_telephone(letters):
    """400 pixels wide, each figure's smallest letters have 7 pixels or more."""
    smallest = {
        name: min(text.get_fontsize() for text in texts) / points
        for name, (texts, points) in letters.items()
    }

    assert min(smallest.values()) >= 7, smallest


def test_no_number_on_an_axis_has_an_exponent(letters):
    """It would be smaller than any other letter."""
    told = [text.get_text() for texts, _ in letters.values() for text in texts]

    assert not [text for text in told if "^" in text or "e+" in text]


def test_effective_sample_sizes_are_shares_of_the_faces():
    """All faces without resampling, 40 % in the last epoch with it."""
    (axes,) = curves.draws(view()).figure.axes

    assert lines(axes, "No debias")[0].tolist() == [100, 100, 100]
    assert lines(axes, "alpha = 0.1")[0].tolist() == [100, 50, 40]


def test_every_run_is_a_dot_beside_its_groups_mean():
    """Recall of darker women: 5, 7 and 6 of 10."""
    (axes,) = recall.by_group(view()).figure.axes
    dots = [list(line.get_ydata()) for line in axes.get_lines()]

    assert [50.0, 70.0, 60.0] in dots
    assert [75.0, 80.0, 80.0] in dots  # all portraits
    assert bars(axes, "darker female")[0] == pytest.approx(60)


def test_the_bars_of_a_group_are_its_interval():
    """The table's interval, for new seeds and new portraits."""
    whole = view()
    (axes,) = recall.by_group(whole).figure.axes
    value, low, high = bars(axes, "lighter male")
    estimate = operating_points.group_estimates(whole.outcomes, whole.arms[0])[3]

    assert value == pytest.approx(100 * estimate.value)
    assert (low, high) == pytest.approx([100 * end for end in estimate.interval])


def test_without_scores_the_bars_are_at_least_as_wide():
    """Whether the runs miss the same portraits is unknown, so the widest is assumed."""
    whole = view()
    bare = tuple(dataclasses.replace(arm, scores=None) for arm in whole.outcomes.arms)
    plain = dataclasses.replace(whole, outcomes=dataclasses.replace(whole.outcomes, arms=bare))
    widths = []
    for one in (whole, plain):
        _, low, high = bars(recall.by_group(one).figure.axes[0], "darker female")
        widths.append(high - low)

    assert widths[1] >= widths[0]


PRINTED = Published.model_validate(
    {
        "source": "Somebody (2020)",
        "printed": "Table 3",
        "definition": "dehaan2020",
        "replicates": 5,
        "keep": 3,
        "protocol": {"groups": dict.fromkeys(GROUPS, 10), "configuration": {}},
        "rows": [
            {
                "arm": "No debias",
                "recall": 92.39,
                "variance": 46.2,
                "groups": dict.fromkeys(GROUPS, 90.5),
            }
        ],
    }
)


@pytest.mark.parametrize(("synthetic", "marks"), [(True, 0), (False, 5)])
def test_print_is_shown_beside_real_data_alone(synthetic, marks):
    """Four groups and all portraits of one printed row."""
    drawn = recall.by_group(view(published=PRINTED, synthetic=synthetic))
    found = [line for line in drawn.figure.axes[0].get_lines() if line.get_color() == style.PRINT]

    assert len(found) == marks
    assert ("Somebody (2020), Table 3" in drawn.caption) == bool(marks)


def test_print_of_another_mean_is_not_drawn_as_one_over_portraits():
    """A mean over groups says nothing of a pooled recall unless the groups are known."""
    other = PRINTED.model_copy(update={"definition": "amini2019"})
    bare = other.model_copy(update={"rows": [other.rows[0].model_copy(update={"groups": None})]})
    drawn = recall.by_group(view(published=bare, synthetic=False))

    assert style.PRINT not in [line.get_color() for line in drawn.figure.axes[0].get_lines()]


def test_an_arm_stands_at_its_variance_and_recall():
    """The large mark is the reading of the table."""
    whole = view()
    (axes,) = recall.tradeoff(whole).figure.axes
    read = operating_points.reading(whole.outcomes, whole.arms[0], DEFINITIONS["dehaan2020"]).of
    (mark,) = [c.lines[0] for c in axes.containers if c.get_label() == "No debias"]

    assert mark.get_xdata()[0] == pytest.approx(1e4 * read["variance"].value)
    assert mark.get_ydata()[0] == pytest.approx(100 * read["recall"].value)


def test_the_runs_stand_around_it_with_their_own_variance():
    """Of 0.5, 0.6, 0.9 and 1: 425 percent squared."""
    (axes,) = recall.tradeoff(view()).figure.axes
    runs = axes.get_lines()[0]

    assert runs.get_xdata()[0] == pytest.approx(425)
    assert runs.get_ydata().tolist() == pytest.approx([75, 80, 80])


def test_recall_against_false_alarms_is_the_mean_of_the_runs_curves():
    """One panel an arm, one line a group."""
    whole = view()
    panel = recall.against_false_alarms(whole).figure.axes[0]
    rates, runs = thresholds.curves(whole.arms[0])

    (line,) = [line for line in panel.get_lines() if line.get_label() == "darker male"]
    assert line.get_xdata() == pytest.approx(100 * rates[1:])
    assert line.get_ydata() == pytest.approx(100 * runs.mean(axis=0)[1:, 1])


@pytest.mark.parametrize(("photographs", "said"), [(10, True), (9, True), (8, False)])
def test_recalls_at_ten_percent_are_spoken_only_of_enough_photographs(photographs, said):
    """Nine set a threshold at an expected rate of 10 %, eight do not."""
    whole = view()
    arms = [
        dataclasses.replace(
            arm,
            scores=dataclasses.replace(arm.scores, nonfaces=arm.scores.nonfaces[:, :photographs]),
        )
        for arm in whole.outcomes.arms
    ]
    few = dataclasses.replace(whole, outcomes=dataclasses.replace(whole.outcomes, arms=tuple(arms)))

    assert ("At 10 % false positives" in recall.against_false_alarms(few).alt) == said


def test_probabilities_are_multiples_of_uniform_drawing():
    """Four faces with 0.1 to 0.4 are drawn 0.4 to 1.6 times as often; a quarter each."""
    (axes,) = latents.probabilities(view()).figure.axes
    (stairs,) = axes.patches
    values, edges, _ = stairs.get_data()

    assert values.sum() == pytest.approx(100)
    assert sorted(values[values > 0]) == pytest.approx([25, 25, 25, 25])
    assert (edges[0], edges[-1]) == pytest.approx((0.4, 1.6), rel=0.01)


def test_faces_without_a_weight_stand_at_the_left_end():
    """As of groups that are cut to the smallest: on a logarithmic axis there is no 0."""
    cut = {"alpha = 0.1": [np.array([0.5, 0.5, 0.0, 0.0])] * 3}
    drawn = latents.probabilities(view(weights=cut))
    values, _, _ = drawn.figure.axes[0].patches[0].get_data()

    assert values[0] == values[-1] == pytest.approx(50)
    assert "faces below 0.0001 stand at the left end" in drawn.caption


def test_weights_of_a_loss_are_not_called_draws():
    """Captions say that such an arm draws all faces alike."""
    plain = view()
    weighted = {
        "alpha = 0.1": [
            dataclasses.replace(
                run, configuration=configuration(resampling={"rule": "as_loss"}).model_dump()
            )
            for run in plain.records["alpha = 0.1"]
        ]
    }
    told = latents.probabilities(view(records=plain.records | weighted)).caption

    assert "alpha = 0.1: every face is sampled equally often, and its loss is" in told
    assert "sampled equally often" not in latents.probabilities(plain).caption


def test_kl_falls_from_the_latent_that_says_most():
    """Median of 2, 3 and 4 first, then the smaller ones."""
    left, _ = latents.collapse(view()).figure.axes

    assert lines(left, "No debias")[0].tolist() == [3, 0.5, 0.25]


def test_active_units_show_every_run_and_the_mean():
    """2, 3 and 4 of three latents' names."""
    _, right = latents.collapse(view()).figure.axes
    runs, mean = right.get_lines()[:2]

    assert runs.get_xdata().tolist() == [2, 3, 4]
    assert list(mean.get_xdata()) == [3, 3]


def test_levels_stand_by_rarity_with_the_draws_of_each():
    """Glasses (5 %) above hats (10 %); what nobody shows is left out."""
    (axes,) = latents.rarity(view()).figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    marks = [container.lines[0].get_xdata()[0] for container in axes.containers]

    assert names == ["glasses, 5.0 %", "hat, 10.0 %"]
    assert marks == pytest.approx([0.5, 3])


def images(illustration):
    """The pixels of every picture on it."""
    return [
        np.asarray(image.get_array()) for axes in illustration.figure.axes for image in axes.images
    ]


def test_extremes_show_the_lowest_beside_the_highest():
    """Two rows of six each, as handed over."""
    lowest, highest = images(face_grids.extremes(view()))

    assert lowest.shape == (2 * 68 - 4, 6 * 68 - 4, 3)
    assert (lowest[0, 0, 0], lowest[70, 70, 0], highest[0, 0, 0]) == (0, 7, 20)


def test_batches_say_the_mean_probability_of_each():
    """In units of uniform drawing: 20 faces times 0.05 and 0.1."""
    drawn = face_grids.batches(view())
    texts = [axes.get_title(loc="left") for axes in drawn.figure.axes]

    assert texts == ["alpha = 0.1: uniform, mean 1.00", "adaptive, mean 2.00"]


def test_a_long_name_leaves_room_for_what_its_pictures_are():
    """Two blocks side by side: the arm's name is cut, not the mean."""
    arm = "an arm with a name that is as long as half of a page"
    whole = view()
    runs = [dataclasses.replace(one, arm=arm) for one in whole.specimens]
    drawn = face_grids.batches(dataclasses.replace(whole, specimens=runs))

    assert drawn.figure.axes[0].get_title(loc="left") == (
        "an arm with a name that i…: uniform, mean 1.00"
    )


def test_bins_count_their_faces_and_show_some():
    """Bars of 12, 5 and 3; white where a bin has no further face."""
    drawn = face_grids.bins(view())
    (shown,) = images(drawn)

    assert [bar.get_height() for bar in drawn.figure.axes[0].patches] == [12, 5, 3]
    assert (shown[3 * 68, 0, 0], shown[3 * 68, 68, 0]) == (3, 255)


def test_reconstructions_stand_below_their_inputs():
    """Inputs once, then each arm as evaluated and normalised by the faces."""
    drawn = face_grids.reconstructions(view())
    shades = [shown[0, 0, 0] for shown in images(drawn)]

    assert shades == [0, 0, 50, 60, 50, 60]
    assert "No debias 0.50 and 1.25" in drawn.caption


def alike(*, by_batch=1.25):
    """A study whose second arm decodes every face alike as evaluated."""
    first, second = ARMS
    return view(specimens=[specimens(first), specimens(second, spread=0.01, by_batch=by_batch)])


def test_a_decoder_that_makes_one_picture_of_all_faces_has_one_example():
    """No row of equal pictures: the first one, with white where the others would be."""
    drawn = face_grids.reconstructions(alike())
    *_, by_batch, example = images(drawn)
    texts = [axes.get_title(loc="left") for axes in drawn.figure.axes]

    assert texts[-2:] == [
        "alpha = 0.1: normalised by these faces",
        "alpha = 0.1: every face, as evaluated",
    ]
    assert by_batch[0, ::68, 0].tolist() == [*range(60, 66)]
    assert example[0, ::68, 0].tolist() == [50, *[255] * 5]


def test_a_caption_names_the_decoders_that_make_one_picture_of_all_faces():
    """In one sentence, once for each way of normalising."""
    told = (
        "Decoded alike (spread below 0.1), so that one picture stands for all faces: as evaluated "
        "by alpha = 0.1; normalised by these faces by alpha = 0.1. "
    )

    assert told in face_grids.reconstructions(alike(by_batch=0.0)).caption


def test_the_example_stands_alone_where_blocks_stand_one_below_the_other():
    """Two arms with faces of their own: no second column for a single picture."""
    first, second = (specimens(arm, spread=0.0) for arm in ARMS)
    other = dataclasses.replace(second.latents, originals=faces(6, 7))
    drawn = face_grids.reconstructions(
        view(specimens=[first, dataclasses.replace(second, latents=other)])
    )
    left = {
        round(axes.get_subplotspec().get_position(drawn.figure).x0, 2) for axes in drawn.figure.axes
    }

    assert len(left) == 1


def test_only_examples_remain_where_every_decoder_has_collapsed():
    """The faces and one picture."""
    flat = [specimens(arm, spread=0.0, by_batch=0.0) for arm in ARMS]

    assert len(images(face_grids.reconstructions(view(specimens=flat)))) == 2


@pytest.mark.parametrize("figure", [face_grids.interpolations, face_grids.traversals])
def test_a_decoder_without_differences_has_no_row_of_equal_pictures(figure):
    """The arm is left out, and said to be."""
    drawn = figure(alike())

    assert len(images(drawn)) == 1
    assert "Left out, because every face is decoded alike: alpha = 0.1. " in drawn.caption


@pytest.mark.parametrize("figure", [face_grids.interpolations, face_grids.traversals])
def test_without_any_difference_there_is_no_figure(figure):
    """Reconstructions say why."""
    assert figure(view(specimens=[specimens(arm, spread=0.0) for arm in ARMS])) is None


def test_a_way_in_latent_space_begins_and_ends_with_the_faces_themselves():
    """Eight steps between face 0 and face 1, then between 2 and 3."""
    shown = images(face_grids.interpolations(view()))[0]

    assert shown[0, ::68, 0].tolist() == [0, *range(100, 108), 1]
    assert shown[68, ::68, 0].tolist() == [2, *range(110, 118), 3]


def test_traversals_show_one_arm_of_each_decoder():
    """Both arms differ in resampling alone: the last one stands for both."""
    drawn = face_grids.traversals(view())

    assert [axes.get_title(loc="left") for axes in drawn.figure.axes] == [
        "alpha = 0.1: latents 3, 1"
    ]


@pytest.mark.parametrize(
    "name", [one for one in figure_registry.FIGURES if one not in ("specification", "tone")]
)
def test_a_caption_says_what_is_shown(name):
    """Data, profile and seeds; how many runs of how many, or which one."""
    drawn = figure_registry.FIGURES[name](view())

    assert "Data: a few pictures, profile embedded." in drawn.caption
    assert re.search(
        r"3 of 3 runs per arm (with results|trained to the end) \(seeds 0 to 2\)|seed 0",
        drawn.caption,
    )
    assert drawn.alt.endswith(".")
    assert drawn.caption.endswith(".")


def test_a_caption_counts_the_portraits_and_names_the_interval():
    """n, k and the method."""
    caption = recall.by_group(view()).caption

    assert "40 portraits in 4 groups (10 each), 10 photographs without a face." in caption
    assert "95 % intervals for new seeds and new portraits" in caption


def test_a_caption_lists_arms_that_lack_runs():
    """Nothing is left out in silence."""
    whole = view()
    short = dataclasses.replace(whole.outcomes.arms[1], wanted=5)
    told = dataclasses.replace(whole.outcomes, arms=(whole.outcomes.arms[0], short))

    assert (
        "No debias 3 of 3, alpha = 0.1 3 of 5"
        in dataclasses.replace(whole, outcomes=told).said_of_runs()
    )


def test_without_pictures_the_other_figures_remain():
    """Real faces are not shown unless somebody asks."""
    drawn = figure_registry.draw(view(specimens=(), rarity=()))

    assert [one.name for one in drawn] == [
        "claims",
        "recall",
        "accuracy",
        "tradeoff",
        "false_alarms",
        "training",
        "effective_sample_size",
        "probabilities",
        "collapse",
    ]


def test_collapsed_runs_are_in_the_curves_and_in_nothing_that_ranks():
    """A study of nothing else still shows how it trained."""
    whole = view()
    none = [
        dataclasses.replace(arm, seeds=(), recall=arm.recall[:0], collapsed=arm.seeds)
        for arm in whole.outcomes.arms
    ]
    told = dataclasses.replace(whole.outcomes, arms=tuple(none))
    drawn = figure_registry.draw(dataclasses.replace(whole, outcomes=told))

    names = [one.name for one in drawn]
    assert "training" in names
    assert "recall" not in names
    caption = drawn[names.index("training")].caption
    assert "3 of 3 runs per arm trained to the end (seeds 0 to 2)" in caption


def test_a_study_without_runs_has_no_figures():
    """And no traceback."""
    index = study_index({"x": ["none"]})
    told = study_data.of_study(index, {}, None)

    assert (
        figure_registry.draw(StudyView(index=index, found={}, records={"x": []}, outcomes=told))
        == []
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_same_records_give_the_same_bytes(form):
    """Drawn twice from the beginning, dates and random names left out."""
    first, second = (
        [encode(draw(view()), form) for draw in (recall.by_group, face_grids.bins)]
        for _ in range(2)
    )

    assert first == second


def test_a_file_of_settings_for_matplotlib_changes_no_figure(monkeypatch):
    """It reads one in the current folder, which may be somebody else's."""
    monkeypatch.setattr(figure_registry, "FIGURES", {"recall": recall.by_group})

    def drawn():
        return [encode(one, "svg") for one in figure_registry.draw(view())]

    plain = drawn()
    with mpl.rc_context({"font.size": 99, "axes.facecolor": "red", "svg.fonttype": "none"}):
        assert drawn() == plain


def linear(colour):
    """Linear RGB of a colour's name."""
    values = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast_with_white(colour):
    """As WCAG 2 defines it."""
    return 1.05 / (linear(colour) @ [0.2126, 0.7152, 0.0722] + 0.05)


# Machado, Oliveira & Fernandes 2009, severity 1.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])


def lab(rgb):
    """CIE L*a*b* of linear RGB, white D65."""
    ratio = TO_XYZ @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.0888]
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(colours, blindness):
    """The smallest difference between two of the colours, as somebody sees them."""
    seen = [lab(np.asarray(BLINDNESS[blindness]) @ linear(colour)) for colour in colours]
    return min(np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i])


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_groups_are_told_apart_with_any_colour_blindness(blindness):
    """A difference of 10 is seen at a glance; so are five arms'."""
    groups = [look.colour for look in style.group_looks(GROUPS).values()] + [style.INK]
    arms = [look.colour for look in style.arm_looks(["r", *"abcd"], "r").values()]

    assert apart(groups, blindness) > 15
    assert apart(arms, blindness) > 10


def test_groups_are_told_apart_in_grey():
    """Lighter skin is printed at least 15 steps of lightness lighter; gender has its marker."""
    grey = {name: lab(linear(look.colour))[0] for name, look in style.group_looks(GROUPS).items()}
    marks = {name: look.marker for name, look in style.group_looks(GROUPS).items()}

    assert min(grey[g] for g in GROUPS[2:]) - max(grey[g] for g in GROUPS[:2]) > 15
    assert marks["darker_female"] != marks["darker_male"]


@pytest.mark.parametrize("groups", [GROUPS, tuple("abcdef")])
def test_every_colour_is_seen_on_white(groups):
    """A contrast of 3 to 1, as WCAG asks of graphics."""
    looks = [*style.group_looks(groups).values(), *style.arm_looks(["r", *"abcd"], "r").values()]

    assert min(contrast_with_white(look.colour) for look in looks) >= 3


def test_a_group_has_the_same_colour_in_every_figure():
    """In the dots of recall and in the lines against false alarms."""
    whole = view()
    (dots,) = recall.by_group(whole).figure.axes
    panel = recall.against_false_alarms(whole).figure.axes[0]
    of_dots = {c.get_label(): c.lines[0].get_color() for c in dots.containers}
    of_lines = {line.get_label(): line.get_color() for line in panel.get_lines()}

    for name in ("darker female", "lighter male"):
        assert of_dots[name] == of_lines[name]


def test_files_are_written_in_every_format_with_captions(tmp_path):
    """Nothing else is left in the folder."""
    list(figure_files.write(view(), tmp_path / "new", only=["recall"]))

    found = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert found == ["captions.md", "recall.pdf", "recall.png", "recall.svg"]
    assert "## Recall of each group" in (tmp_path / "new" / "captions.md").read_text()


def test_an_unknown_figure_is_named_with_a_suggestion(tmp_path):
    """Nothing is created."""
    with pytest.raises(ReproError, match=r"--only recal: unknown figure; did you mean 'recall'\?"):
        list(figure_files.write(view(), tmp_path / "new", only=["recal"]))

    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_costs_one_sentence(tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ReproError, match="cannot be written"):
        list(figure_files.write(view(), tmp_path / "file" / "new", only=["recall"]))


@pytest.mark.parametrize(
    ("values", "told"), [([1.24, 3.0], "1.2 to 3.0"), ([2.0, 2.01], "2.0"), ([5], "5.0")]
)
def test_a_span_is_one_number_where_the_ends_read_alike(values, told):
    """Least to greatest."""
    assert span(values) == told


@pytest.mark.parametrize(
    ("names", "told"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_names_are_listed_as_people_do(names, told):
    """With an and before the last."""
    assert listed(names) == told


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["short", "other"], ["short", "other"]),
        (["a name of many words"] * 6, ["a name of many\nwords"] * 6),
        (["Donaudampfschifffahrtsgesellschaft"] * 6, None),
        (["so many words that no axis has room for all of them below it"] * 6, None),
    ],
)
def test_labels_that_do_not_fit_side_by_side_are_broken_or_refused(names, labels):
    """Six of them have an inch each."""
    assert style.stacked(names, width=6) == labels


def test_a_legend_is_read_in_rows():
    """Five entries of which four fit side by side: the fifth stands alone below the first."""
    figure, (axes,) = style.canvas(1, 1, height=2)
    for name in "abcde":
        axes.plot([0], label=f"alpha = 0.00{name}")
    style.key(figure, axes, columns=4)
    figure.draw_without_rendering()
    rows = {}
    for text in figure.legends[0].get_texts():
        box = text.get_window_extent()
        rows.setdefault(round(box.y0), []).append((box.x0, text.get_text()[-1]))

    assert [[name for _, name in sorted(rows[y])] for y in sorted(rows, reverse=True)] == [
        [*"abcd"],
        ["e"],
    ]


@pytest.mark.parametrize(("name", "told"), [("abcdef", "abcdef"), ("abcdefg", "abcde…")])
def test_long_names_are_shortened(name, told):
    """To six letters."""
    assert style.shortened(name, 6) == told


def test_figures_of_many_arms_show_some_and_say_so(monkeypatch):
    """The reference is among them; the claims are about all."""
    monkeypatch.setattr(study_view, "MOST_ARMS", 1)
    one = view()
    drawn = {figure.name: figure for figure in figure_registry.draw(one)}

    assert len(one.index.arms) == 2
    assert [arm.name for arm in one.arms] == [arm.name for arm in study_view.drawn_arms(one.index)]
    assert one.index.reference in {arm.name for arm in one.arms}
    assert "Shown: 1 of the 2 arms" in drawn["recall"].caption
    assert "Shown" not in drawn["claims"].caption


def test_figures_of_many_runs_say_that_they_draw_some(monkeypatch):
    """Means and intervals are over all of them."""
    monkeypatch.setattr(study_view, "MOST_RUNS", 2)
    monkeypatch.setattr(study_view, "MOST_WEIGHTS", 1)
    told = view().said_of_left_out()

    assert "Single runs are drawn of the first 2 seeds" in told
    assert "Sampling probabilities are those of the first 1 seed of each arm" in told


def test_an_ordinary_study_leaves_nothing_out():
    """No caption says that it does."""
    assert view().said_of_left_out() == ""


@pytest.mark.parametrize("count", [1, 50, 51, 1000])
def test_the_arms_of_a_figure_span_the_study(count):
    """From the first to the last, each once, in order; never more than fifty."""
    names = [f"arm {place}" for place in range(count)]
    plain = study_index({name: [name] for name in names}, reference=names[count // 3])
    found = [arm.name for arm in study_view.drawn_arms(plain)]

    assert len(found) == min(count, study_view.MOST_ARMS)
    assert found == [name for name in names if name in found]
    assert {names[0], names[-1], names[count // 3]} <= {*found}
