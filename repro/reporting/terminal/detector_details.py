"""A detector that was trained elsewhere as text for a terminal."""

from collections.abc import Iterator
from pathlib import Path

from repro.records import detectors
from repro.records.detectors import DetectorRecord
from repro.records.records import RECORD


def text(record: DetectorRecord, results: Path) -> str:
    """Its origin, how pictures were handed to it, detections, provenance and files."""
    folder = detectors.folder_of(record.key, results)
    sizes = {name: (folder / name).stat().st_size for name in (RECORD, *record.files)}
    files = [
        (f"{detectors.FOLDER}/{record.key}/{name}", f"{n:,} bytes") for name, n in sizes.items()
    ]
    sections = [
        ("", [("Detector", record.name), ("key", record.key), *_given(record)]),
        (
            "Handed to it",
            [(n, f"{value}") for n, value in record.settings.items() if value is not None],
        ),
        ("Detections", list(_detections(record))),
        ("Provenance", [(name, f"{value}") for name, value in record.provenance.items()]),
        ("Files", files),
    ]
    return "\n\n".join(_section(title, lines) for title, lines in sections if lines)


def _given(record: DetectorRecord) -> Iterator[tuple[str, str]]:
    yield "given as", f"{record.origin} ({record.kind}, digest {record.digest})"
    yield "reads", "the study's windows" if record.reads == "windows" else "whole pictures"
    yield "threshold", f"{record.threshold:g}, subtracted in its scores"
    yield "data", ", ".join(f"{role} {digest}" for role, digest in record.data.items())


def _detections(record: DetectorRecord) -> Iterator[tuple[str, str]]:
    for name, count in record.groups.items():
        yield name, f"{count.detected} of {count.n} portraits ({100 * count.share:.1f} %)"
    if record.nonfaces:
        found = record.nonfaces
        yield "without a face", f"{found.detected} of {found.n} ({100 * found.share:.1f} %)"


def _section(title: str, lines: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in lines)
    told = [f"  {name.ljust(width)}  {value}" for name, value in lines]
    return "\n".join([title, *told] if title else [line.strip() for line in told])
