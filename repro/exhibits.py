"""What a study has to show, brought together from records, weights and data.

Presentation never touches a network; what has to be computed with one comes from `gallery` and
`rarity`, which load torch, and only where there are pictures to show.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from repro import outcomes, records, rendering, tables
from repro.errors import DataError, RecordError
from repro.figures import catalogue
from repro.figures.illustration import Form, encode
from repro.figures.material import Material
from repro.records import Record, StudyIndex
from repro.report.chapter import Chapter

SHOWN: tuple[Form, ...] = ("svg", "png")  # one fits the page, the other opens everywhere


def of_study(
    index: StudyIndex, results: Path, *, with_images: bool, warn: Callable[[str], None]
) -> Material:
    """The material of a study's figures.

    Args:
        index: Of the study.
        results: The results folder.
        with_images: Whether real faces may be shown; synthetic ones always are.
        warn: Told in a sentence if there can be no pictures.
    """
    found = records.read_study(index, results)
    runs = {arm.name: _finished(arm.keys, found) for arm in index.arms}
    weights = {
        arm: [
            drawn
            for record in of_arm
            if (drawn := records.read_weights(record, results)) is not None
        ]
        for arm, of_arm in runs.items()
    }
    material = Material(
        index=index,
        records=runs,
        outcomes=outcomes.of_study(index, found, results),
        weights=weights,
    )
    return _with_pictures(material, found, results, with_images=with_images, warn=warn)


def chapter(material: Material, results: Path, *, study_file: str) -> Chapter:
    """A study as a report has it."""
    return Chapter(
        index=material.index,
        records=records.read_study(material.index, results),
        outcomes=material.outcomes,
        illustrations=catalogue.draw(material),
        study_file=study_file,
    )


def page(material: Material) -> tuple[str, dict[str, bytes]]:
    """A study as its MLflow page has it: the first table; all tables and the figures by path."""
    parts = tables.parts(material.outcomes, style="full")
    first, every = (
        rendering.render(shown, form="markdown", label=material.index.name)
        for shown in (parts[:1], parts)
    )
    files = {"table.md": every.encode()}
    for one in catalogue.draw(material):
        for form in SHOWN:
            files[f"figures/{one.name}.{form}"] = encode(one, form)
    return first, files


def _finished(keys: list[str], found: Mapping[str, Record]) -> list[Record]:
    return [found[key] for key in keys if key in found and found[key].finished]


def _with_pictures(
    material: Material,
    found: Mapping[str, Record],
    results: Path,
    *,
    with_images: bool,
    warn: Callable[[str], None],
) -> Material:
    ended = [record for of_arm in material.records.values() for record in of_arm]
    embedded = any(r.configuration["data"]["train"]["source"] == "synthetic" for r in ended)
    if not embedded and not (with_images and ended):
        return material
    from repro import gallery, rarity

    faces: gallery.Faces = "all" if with_images else "synthetic"
    try:
        specimens = gallery.of_study(material.index, found, results, faces=faces)
    except (DataError, RecordError) as error:
        warn(f"no pictures of faces: {error}")
        specimens = ()
    return replace(
        material,
        specimens=specimens,
        rarity=rarity.of_study(material.index, found, results),
    )
