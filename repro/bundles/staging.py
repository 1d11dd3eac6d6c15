"""A study's files as a bundle will hold them, in a folder: results, study, environment, terms.

Tables and report are made from this folder, by the code that a reader of the bundle uses.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from repro.bundles import carried_files, data_terms, environment, private_parts, study_parts
from repro.bundles.data_terms import Dataset
from repro.bundles.study_parts import StudyParts
from repro.errors import ReproError
from repro.records import left_out, records, study_origin
from repro.records.records import BriefRecord, StudyIndex
from repro.study import file_digest

RESULTS = "results"  # of a bundle
TERMS = "data/TERMS.md"
ENVIRONMENT, CONSTRAINTS = "environment/environment.json", "environment/constraints.txt"


@dataclass(frozen=True, slots=True)
class Staged:
    """A folder with a study's files.

    Attributes:
        folder: It.
        index: Of the study, as the bundle holds it.
        study: Paths of the study file and what it names, below the folder.
        found: Its records by key.
        datasets: The parts of its data.
        remarks: What the texts of persons show of this machine.
    """

    folder: Path
    index: StudyIndex
    study: StudyParts
    found: dict[str, BriefRecord]
    datasets: list[Dataset]
    remarks: tuple[str, ...]

    @property
    def results(self) -> Path:
        """Its folder of results."""
        return self.folder / RESULTS

    def put(self, name: str, content: bytes) -> None:
        """Add a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def leave_networks_out(self) -> None:
        """Remove the networks and weights of all runs; readers are told by `left_out`."""
        for name, path in self.files().items():
            if path.name in carried_files.NETWORKS and name.startswith(f"{RESULTS}/runs/"):
                path.unlink()
        self.put(f"{RESULTS}/{left_out.FILE}", left_out.text(carried_files.NETWORKS))

    def files(self) -> dict[str, Path]:
        """Every file by its name in the bundle."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path for path in paths}


def stage(index: StudyIndex, results: Path, folder: Path, *, study: Path | None) -> Staged:
    """Put the files of a study into a new folder.

    Args:
        index: Of the study.
        results: The results folder.
        folder: Empty.
        study: The study file if it was named; None: the one of the index.

    Raises:
        ReproError: No run has ended; the study file is gone, or was changed after its runs.
        RecordError: A record is missing or damaged.
    """
    file = _study_file(index, results, study)
    parts = study_parts.of_file(file)
    staged = Staged(
        folder,
        replace(index, file=f"./{parts.main}"),
        parts,
        records.read_study(index, results),
        [],
        tuple(_remarks(parts)),
    )
    if not staged.found:
        raise ReproError(f"{index.address}: no run has ended; run it first: repro run {index.name}")
    for name, content in parts.files.items():
        staged.put(name, content)
    for name, content in carried_files.contents(index, results):
        clean = private_parts.sealed(content) if name.endswith(".json") else content
        staged.put(f"{RESULTS}/{name}", clean)
    return _with_index(staged)


def _with_index(staged: Staged) -> Staged:
    """Write the index, terms and environment; the index names the study file of the bundle."""
    folder, index = staged.folder, staged.index
    digest = file_digest.of_file(folder / staged.study.main, index.profile, name=index.name)
    shown = {
        title: {**said, "where": private_parts.path(said["where"])}
        for title, said in index.plugins.items()
    }
    index = replace(index, file_digest=digest or index.file_digest, plugins=shown)
    records.write_index(index, staged.results)
    found = records.read_study(index, staged.results)
    datasets = data_terms.of_runs(found)
    staged.put(TERMS, data_terms.text(datasets).encode())
    staged.put(ENVIRONMENT, environment.document(found))
    staged.put(CONSTRAINTS, environment.constraints())
    return replace(staged, index=index, found=found, datasets=datasets)


def _study_file(index: StudyIndex, results: Path, study: Path | None) -> Path:
    file = study or study_origin.file_of(index, results)
    if file is None:
        raise ReproError(
            f"{index.address}: its study file is not known or not there any more: name the file in "
            "place of the study"
        )
    if changed := study_origin.change(index, results, given=file):
        raise ReproError(f"{changed}; a bundle would hold another study than was run")
    return file


def _remarks(parts: StudyParts) -> Iterator[str]:
    for name, content in parts.files.items():
        if PurePosixPath(name).suffix != ".pyc":
            yield from private_parts.told(name, content)
