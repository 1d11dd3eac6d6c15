"""The findings of a survey, as text and as a contact sheet."""

import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from repro.data import catalogue, dataset_info, h5_writer
from repro.data.dataset_info import Survey
from repro.data.pictures import duplicates, picture_files
from repro.data.pictures.collection import Collection
from repro.data.sources import mit_h5
from repro.errors import DataError

MOST = 5  # names per line
MOST_GROUPS = 60  # maximum number of groups that are listed
EACH = 8  # pictures per label and group on a sheet
THUMB, MARGIN, CAPTION = 96, 6, 14  # pixels
COMPARED = (
    "Exact: the same file, the same pixels, or cut from the same picture. Alike: perceptual hashes "
    f"that differ in at most {duplicates.ALIKE} of {duplicates.BITS} bits, as of pictures that "
    "were resized or compressed again. A picture that was cropped in another way, and another "
    "picture of the same person, are not found."
)


WITHDRAWN = "its pictures can be withdrawn, so that none may be shown"


def text(surveys: Sequence[Survey]) -> str:
    """All findings, one per line."""
    lines = [line for surveyed in surveys for line in (*_one(surveyed), "")]
    lines += _leaks(surveys)
    if len(surveys) > 1:
        lines.append(COMPARED)
    return "\n".join(lines).rstrip("\n")


def _one(found: Survey) -> Iterator[str]:
    data = found.collection
    width, height = (_range(*both) for both in found.sizes)
    yield f"{data.path}: {data.kind}, {len(data.names):,} pictures, {width} x {height} pixels"
    yield from _counts("label", found.labels)
    yield from _counts("group", found.groups)
    if found.digests:
        red, green, blue = found.means
        yield f"  mean of red {red:.1f}, green {green:.1f}, blue {blue:.1f} (0 to 255)"
    flat = f"near-constant (standard deviation below {dataset_info.CONSTANT:g} of 255)"
    yield f"  {flat}: {_names(data, found.constant)}"
    yield f"  unreadable: {_names(data, list(found.unreadable))}"
    for problem in list(found.unreadable.values())[:MOST]:
        yield f"    {problem}"
    copies = sum(len(same) - 1 for same in found.doubles)
    yield f"  identical to an earlier one: {copies:,}"
    for same in found.doubles[:MOST]:
        yield f"    {' = '.join(picture_files.shown(data.names[index]) for index in same[:MOST])}"
    if data.left_out:
        shown = ", ".join(picture_files.shown(name) for name in data.left_out[:MOST])
        yield f"  left out by studies, as the name lacks a label: {len(data.left_out):,} ({shown})"
    if not data.may_be_shown:
        yield f"  not on a contact sheet: {WITHDRAWN}"
    for remark in data.remarks:
        yield f"  {remark.removeprefix(f'{data.path}: ')}"
    yield from _origin(found)


def _counts(what: str, counts: Counter[str]) -> Iterator[str]:
    if len(counts) > MOST_GROUPS:
        yield f"  {len(counts):,} {what}s of {min(counts.values()):,} to {max(counts.values()):,}"
    elif set(counts) - {""}:
        parts = (f"{name or 'none'} {number:,}" for name, number in sorted(counts.items()))
        yield f"  by {what}: {', '.join(parts)}"


def _names(data: Collection, indices: Sequence[int]) -> str:
    if not indices:
        return "0"
    shown = ", ".join(picture_files.shown(data.names[index]) for index in indices[:MOST])
    return f"{len(indices):,} ({shown}{', ...' if len(indices) > MOST else ''})"


def _origin(found: Survey) -> Iterator[str]:
    """Terms and warnings, if the layout implies any."""
    data = found.collection
    if data.kind == "h5":
        yield from _prepared(found)
    entry = catalogue.read().get(data.kind)
    if entry is not None:
        yield f"  terms: {entry.terms}"
        yield f"  note: {entry.note}"


def _prepared(found: Survey) -> Iterator[str]:
    """The file's own description, if `repro data prepare` wrote it."""
    said = mit_h5.remarks(found.collection.path)
    for source in _sources(said.get("sources", "")):
        left_out = ", ".join(f"{count:,} {why}" for why, count in source["left_out"].items())
        yield (
            f"  from {source['kind']}: {source['faces']:,} faces, {source['nonfaces']:,} non-faces"
            f"; left out: {left_out or 'none'}; terms: {source['terms']}"
        )
    if "sha256" in said:
        same = said["sha256"] == h5_writer.content(found.collection)
        verdict = "as when it was prepared" if same else "NOT as when it was prepared"
        yield f"  sha256 of images and labels: {verdict}"


def _sources(content: str) -> list[dict[str, Any]]:
    """The list as it was written; empty if another program wrote it."""
    try:
        found = [
            {
                "kind": picture_files.shown(source["kind"]),
                "terms": picture_files.shown(source["terms"]),
                "faces": int(source["faces"]),
                "nonfaces": int(source["nonfaces"]),
                "left_out": {picture_files.shown(k): int(v) for k, v in source["left_out"].items()},
            }
            for source in json.loads(content or "[]")
        ]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return []
    return found


def _leaks(surveys: Sequence[Survey]) -> Iterator[str]:
    for (a, b), found in dataset_info.leaks(surveys).items():
        first, second = surveys[a].collection, surveys[b].collection
        exact = {match.second for match in found if match.distance is None}
        alike = {match.second for match in found} - exact
        blind = list(_blind(first, second))
        count = f"{len(exact):,} exact, {len(alike):,} alike"
        if blind:
            count = f"at least {count}; more is not checkable" if found else "not checkable"
        yield f"In both {first.path} and {second.path}: {count}"
        for match in found[:MOST]:
            names = [
                picture_files.shown(first.names[match.first]),
                picture_files.shown(second.names[match.second]),
            ]
            if match.distance is None:
                yield f"  {' = '.join(names)}"
            else:
                yield f"  {' ~ '.join(names)} (hash distance {match.distance})"
        yield from blind


def _blind(*collections: Collection) -> Iterator[str]:
    """Why a picture that is in both data sets may not be found."""
    for data in collections:
        if count := dataset_info.unsourced(data):
            yield (
                f"  not checkable: {count:,} of {len(data.names):,} images of {data.path} do not "
                "say which picture they were cut from; `repro data prepare` keeps that"
            )


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}..{high}"


def sheet(surveys: Sequence[Survey]) -> bytes:
    """Some pictures of each label and group as a PNG; always the same ones.

    Data sets whose pictures may not be shown are left out.

    Raises:
        DataError: No data set is left.
    """
    generator = np.random.default_rng(0)
    shown = [found for found in surveys if found.collection.may_be_shown]
    if not shown:
        paths = ", ".join(str(found.collection.path) for found in surveys)
        raise DataError(f"{paths}: no contact sheet, because {WITHDRAWN}")
    rows = [
        (found.collection, key, indices)
        for found in shown
        for key, indices in dataset_info.sample(found, EACH, generator=generator).items()
    ]
    step = THUMB + MARGIN
    canvas = Image.new(
        "RGB", (EACH * step + MARGIN, len(rows) * (step + CAPTION) + MARGIN), "white"
    )
    draw = ImageDraw.Draw(canvas)
    for number, (data, key, indices) in enumerate(rows):
        top = MARGIN + number * (step + CAPTION)
        caption = " ".join(word for word in (data.path.name, *key) if word)
        draw.text((MARGIN, top), caption.encode("ascii", "replace").decode(), fill="black")
        for place, index in enumerate(indices):
            picture = Image.fromarray(data.read(index))
            picture.thumbnail((THUMB, THUMB))
            canvas.paste(picture, (MARGIN + place * step, top + CAPTION))
    png = io.BytesIO()
    canvas.save(png, "PNG")
    return png.getvalue()
