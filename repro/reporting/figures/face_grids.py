"""Grids of faces that a run samples and decodes: one run of each arm, chosen by seed."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from repro.analysis.samples import ALIKE, TRAVERSED, Drawn, FaceSampling, Latents, Pixels
from repro.reporting.figures import log_axes, style
from repro.reporting.figures.illustration import Illustration
from repro.reporting.figures.study_view import StudyView, listed

GAP = 4  # white pixels between pictures
FACE = 0.56  # inches
HEAD = 46  # letters of the line above one of two blocks side by side


@dataclass(frozen=True, slots=True)
class _Block:
    """Pictures (rows, columns, 64, 64, 3) under a line of text."""

    text: str
    pictures: Pixels


def extremes(view: StudyView) -> Illustration | None:
    """The faces with the lowest and the highest probability."""
    shown = _drawing(view)
    if not shown:
        return None
    rows = [
        [
            _Block(
                _head(arm, f"lowest, {_multiples(one.lowest, one)}"), _rows(one.lowest.pictures, 2)
            ),
            _Block(f"highest, {_multiples(one.highest, one)}", _rows(one.highest.pictures, 2)),
        ]
        for arm, one in shown
    ]
    count = len(shown[0][1].lowest.pictures)
    return Illustration(
        name="extremes",
        title="Faces with the lowest and the highest probability",
        sources="Figure 4 of de Haan et al. (2020) and figure 4B of Amini, Soleimany et al. (2019)",
        caption=(
            f"The {count} training faces that resampling samples least and most often, by rank, "
            "with their probabilities in the last epoch, relative to uniform sampling. "
            f"{_said_of_run(view)}"
        ),
        alt=f"Two blocks of {count} faces for each of {_names(shown)}: least and most probable.",
        figure=_blocks(rows),
    )


def batches(view: StudyView) -> Illustration | None:
    """A batch sampled uniformly beside one sampled adaptively."""
    shown = _drawing(view)
    if not shown:
        return None
    rows = [_batches_of(arm, one) for arm, one in shown]
    count = len(shown[0][1].uniform.pictures)
    means = [
        f"{arm} {_mean(one.uniform, one):.2f} and {_mean(one.adaptive, one):.2f}"
        for arm, one in shown
    ]
    return Illustration(
        name="batches",
        title="A uniform and an adaptive batch",
        sources="Figure 6 of de Haan et al. (2020) and figure 1 of Amini, Soleimany et al. (2019)",
        caption=(
            f"{count} faces sampled uniformly and {count} sampled with the probabilities of the "
            "run's last epoch, both from a fixed random stream. Means: sampling probability of the "
            "faces of the batch, relative to uniform sampling. The expected mean of a "
            "uniform batch is 1; of an adaptive batch: "
            f"{'; '.join(f'{arm} {one.expected:.2f}' for arm, one in shown)}. "
            f"{_said_of_run(view)}"
        ),
        alt=(
            f"Two blocks of {count} faces for each of {_names(shown)}: uniform, adaptive. Mean "
            f"probabilities: {'; '.join(means)}."
        ),
        figure=_blocks(rows),
    )


def _batches_of(arm: str, one: FaceSampling) -> list[_Block]:
    uniform, adaptive = (f"mean {_mean(drawn, one):.2f}" for drawn in (one.uniform, one.adaptive))
    return [
        _Block(_head(arm, f"uniform, {uniform}"), _rows(one.uniform.pictures, 2)),
        _Block(f"adaptive, {adaptive}", _rows(one.adaptive.pictures, 2)),
    ]


def _head(arm: str, what: str) -> str:
    """The arm, shortened, and what is shown of it, above one of two blocks side by side."""
    return f"{style.shortened(arm, HEAD - len(what) - 2)}: {what}"


def bins(view: StudyView) -> Illustration | None:
    """Histogram of probabilities with example faces of each bin."""
    shown = _drawing(view)
    if not shown:
        return None
    arm, one = shown[-1]
    figure, (bars, faces) = style.canvas(2, 1, height=4.3, heights=[1.6, 2.2])
    bars.bar(range(len(one.counts)), one.counts, width=0.92, color=style.FAINT)
    bars.set(yscale="log", ylabel="faces", ylim=(0.7, None))
    log_axes.plain(bars.yaxis)
    style.head(bars, arm)
    ends = one.edges * one.faces
    bars.set_xticks(np.arange(len(ends)) - 0.5, [f"{end:.2g}" for end in ends])
    bars.grid(axis="x", visible=False)
    bars.set_xlabel("sampling probability, relative to uniform sampling")
    grid = _columns(one.examples)
    _show(faces, grid, extent=(-0.5, len(one.counts) - 0.5, len(grid), 0))
    for part in (bars, faces):
        part.set_xlim(-0.5, len(one.counts) - 0.5)
    told = ", ".join(map(str, one.counts))
    return Illustration(
        name="bins",
        title="Sampling probabilities with faces of each bin",
        sources="Figure 4A of Amini, Soleimany et al. (2019)",
        caption=(
            f"Training faces by their probability in the last epoch, in {len(one.counts)} bins of "
            "equal width up to the highest, the counts on a logarithmic axis; below each bin up to "
            f"{len(max(one.examples, key=len))} of its faces, the first in the order of the data. "
            f"Arm {arm}, {one.faces:,} training faces. {_said_of_run(view)}"
        ),
        alt=f"Histogram with these counts from the lowest bin to the highest: {told}; faces below.",
        figure=figure,
    )


def reconstructions(view: StudyView) -> Illustration | None:
    """Held-out faces beside their reconstructions."""
    shown = _decoding(view)
    if not shown:
        return None
    spreads = [f"{arm} {one.spread:.2f} and {one.spread_by_batch:.2f}" for arm, one in shown]
    return Illustration(
        name="reconstructions",
        title="Input beside reconstruction",
        sources="Figure 9 of de Haan et al. (2020)",
        caption=(
            "Held-out faces and their decoded posterior means, at the checkpoint. As evaluated: "
            "batch normalisation with the running statistics of training; normalised by these "
            "faces: with their own statistics, as in a training step. Spread of the decoded "
            "pictures over faces, relative to that of the faces, in this order: "
            f"{'; '.join(spreads)}. Near 0 all faces are decoded alike: in both cases if the "
            "posterior has collapsed, only as evaluated if outliers in training have distorted the "
            f"running statistics. {_said_of_alike(shown)}{_said_of_run(view)}"
        ),
        alt=(
            f"{len(shown[0][1].originals)} faces and their reconstructions by {_names(shown)}. "
            f"Spread over faces as evaluated and normalised by the faces: {'; '.join(spreads)}."
        ),
        figure=_blocks(_reconstructed(shown)),
    )


def _reconstructed(shown: Sequence[tuple[str, Latents]]) -> list[list[_Block]]:
    """Two blocks in each row, the faces above them; of pictures that are alike one example."""
    rows: list[list[_Block]] = []
    for _, same in itertools.groupby(shown, key=lambda named: named[1].originals.tobytes()):
        arms = list(same)
        found = [_of_decoder(arm, one) for arm, one in arms]
        if max(map(len, found)) < 2:
            alone = [*itertools.chain(*found)]
            found = [alone[start : start + 2] for start in range(0, len(alone), 2)]
        wide = max(map(len, found), default=1)
        rows += [[_Block("input", arms[0][1].originals[None])] * wide, *filter(None, found)]
    if (example := _example(shown)) is not None:
        has_room = len(rows[-1]) < max(map(len, rows))
        rows += [[*rows.pop(), example]] if has_room else [[example]]
    return rows


def _of_decoder(arm: str, one: Latents) -> list[_Block]:
    """An arm's reconstructions that differ from face to face."""
    found = []
    if not one.is_alike:
        found.append(_Block(_head(arm, "as evaluated"), one.reconstructions[None]))
    if not one.is_alike_by_batch:
        found.append(_Block(_head(arm, "normalised by these faces"), one.by_batch[None]))
    return found


def _example(shown: Sequence[tuple[str, Latents]]) -> _Block | None:
    """The picture that stands for all faces, of the first arm that decodes them alike."""
    for arm, one in shown:
        if one.is_alike:
            return _one_for_all(_head(arm, "every face, as evaluated"), one.reconstructions)
        if one.is_alike_by_batch:
            return _one_for_all(_head(arm, "every face, normalised by these"), one.by_batch)
    return None


def _one_for_all(text: str, pictures: Pixels) -> _Block:
    """The first picture, at the scale of a row of them."""
    row = np.full_like(pictures, 255)
    row[0] = pictures[0]
    return _Block(text, row[None])


def _said_of_alike(shown: Sequence[tuple[str, Latents]]) -> str:
    """Which decoders give the same picture for every face, with a space after it; or nothing."""
    sides = {
        "as evaluated": [arm for arm, one in shown if one.is_alike],
        "normalised by these faces": [arm for arm, one in shown if one.is_alike_by_batch],
    }
    told = [f"{side} by {listed(arms)}" for side, arms in sides.items() if arms]
    if not told:
        return ""
    return (
        f"Decoded alike (spread below {ALIKE:g}), so that one picture stands for all faces: "
        f"{'; '.join(told)}. "
    )


def interpolations(view: StudyView) -> Illustration | None:
    """Linear interpolation between two faces in latent space."""
    shown = _telling(view)
    if not shown:
        return None
    rows = [[_Block(arm, _with_ends(one))] for arm, one in shown]
    return Illustration(
        name="interpolations",
        title="Interpolation in latent space",
        sources="Figures 7 and 8 of de Haan et al. (2020)",
        caption=(
            "Left and right: two held-out faces; between them, equal steps on the straight line "
            "between their posterior means, decoded as in every evaluation. "
            f"{_said_of_left_out(view)}{_said_of_run(view)}"
        ),
        alt=f"Rows of faces that change step by step from one to another, for {_names(shown)}.",
        figure=_blocks(rows),
    )


def traversals(view: StudyView) -> Illustration | None:
    """The most active latents, moved one at a time."""
    shown = _one_of_each_decoder(view, _telling(view))
    if not shown:
        return None
    blocks = [
        _Block(_head(arm, f"latents {', '.join(map(str, one.units))}"), one.traversals)
        for arm, one in shown
    ]
    rows = [blocks[start : start + 2] for start in range(0, len(blocks), 2)]
    return Illustration(
        name="traversals",
        title="Latents moved one at a time",
        sources="Figure 5A of Amini, Soleimany et al. (2019)",
        caption=(
            "Each row moves one latent from "
            f"{TRAVERSED[0]:g} to {TRAVERSED[-1]:g} of its standard deviations over held-out "
            "faces, the others at their mean; rows are the latents whose posterior mean varies "
            "most, numbered from 0. One arm for each decoder: arms that differ only in resampling "
            f"are shown once. {_said_of_left_out(view)}{_said_of_run(view)}"
        ),
        alt=f"Rows of decoded faces, one latent per row, for {_names(shown)}.",
        figure=_blocks(rows),
    )


def _telling(view: StudyView) -> list[tuple[str, Latents]]:
    """The decoders whose pictures differ from face to face, as evaluated."""
    return [(arm, one) for arm, one in _decoding(view) if not one.is_alike]


def _said_of_left_out(view: StudyView) -> str:
    alike = [arm for arm, one in _decoding(view) if one.is_alike]
    if not alike:
        return ""
    return f"Left out, because every face is decoded alike: {listed(alike)}. "


def _drawing(view: StudyView) -> list[tuple[str, FaceSampling]]:
    return [(one.arm, one.draws) for one in view.specimens if one.draws is not None]


def _decoding(view: StudyView) -> list[tuple[str, Latents]]:
    return [(one.arm, one.latents) for one in view.specimens if one.latents is not None]


def _one_of_each_decoder(
    view: StudyView, shown: Sequence[tuple[str, Latents]]
) -> list[tuple[str, Latents]]:
    """The last arm of each set of arms that differ only in resampling."""
    kept: dict[str, tuple[str, Latents]] = {}
    for arm, one in shown:
        choices = dict(view.records[arm][0].configuration)
        choices.pop("resampling", None)
        kept[repr(choices)] = (arm, one)
    return list(kept.values())


def _names(shown: Sequence[tuple[str, object]]) -> str:
    return listed([arm for arm, _ in shown])


def _said_of_run(view: StudyView) -> str:
    seeds = sorted({one.seed for one in view.specimens})
    kind = "Synthetic faces. " if all(one.synthetic for one in view.specimens) else ""
    return (
        f"{kind}One run of each arm, seed {listed(list(map(str, seeds)))}: the lowest seed with "
        f"which most arms finished. {view.said_of_weights()}{view.said_of_data()}"
    )


def _mean(drawn: Drawn, one: FaceSampling) -> float:
    return float(drawn.weights.mean()) * one.faces


def _multiples(drawn: Drawn, one: FaceSampling) -> str:
    low, high = (float(end) * one.faces for end in (drawn.weights.min(), drawn.weights.max()))
    return f"{low:.2g} to {high:.2g}"


def _with_ends(one: Latents) -> Pixels:
    """The interpolations, each between the pictures of its two end points."""
    pairs = len(one.interpolations)
    ends = one.originals[: 2 * pairs].reshape(pairs, 2, *one.originals.shape[1:])
    return np.concatenate([ends[:, :1], one.interpolations, ends[:, 1:]], axis=1)


def _rows(pictures: Pixels, rows: int) -> Pixels:
    """Arrange pictures in this many rows; the last row is padded with white."""
    columns = -(-len(pictures) // rows)
    full = np.full((rows * columns, *pictures.shape[1:]), 255, dtype=np.uint8)
    full[: len(pictures)] = pictures
    return full.reshape(rows, columns, *pictures.shape[1:])


def _columns(stacks: Sequence[Pixels]) -> Pixels:
    """One column for each stack; short stacks are padded with white."""
    tall = max(map(len, stacks))
    size = stacks[0].shape[1:]
    grid = np.full((tall, len(stacks), *size), 255, dtype=np.uint8)
    for column, stack in enumerate(stacks):
        grid[: len(stack), column] = stack
    return grid


def _blocks(rows: Sequence[Sequence[_Block]]) -> Figure:
    """Blocks in rows and columns, each under its text, all at one scale."""
    columns = max(map(len, rows))
    heights = [max(len(block.pictures) for block in row) for row in rows]
    across = max(block.pictures.shape[1] for row in rows for block in row) * columns
    side = min(FACE, (style.WIDTH - 0.2 * columns) / across)
    figure, axes = style.canvas(
        len(rows), columns, height=sum(side * h + 0.27 for h in heights), heights=heights
    )
    for place, part in enumerate(axes):
        row, column = divmod(place, columns)
        if column < len(rows[row]):
            _show(part, rows[row][column].pictures)
            style.head(part, rows[row][column].text)
        else:
            part.remove()
    return figure


def _show(
    axes: Axes, pictures: Pixels, *, extent: tuple[float, float, float, float] | None = None
) -> None:
    """Draw pictures (rows, columns, H, W, 3) as one image, with white gaps."""
    axes.imshow(montage(pictures), interpolation="none", extent=extent)
    axes.set_axis_off()
    axes.set_anchor("NW")


def montage(pictures: Pixels) -> Pixels:
    """Join many pictures into one.

    Args:
        pictures: Shape (rows, columns, H, W, 3).

    Returns:
        Shape (rows * (H + GAP) - GAP, columns * (W + GAP) - GAP, 3).
    """
    padded = np.pad(pictures, ((0, 0), (0, 0), (0, GAP), (0, GAP), (0, 0)), constant_values=255)
    rows, columns, height, width, channels = padded.shape
    whole = padded.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)
    return whole[:-GAP, :-GAP]
