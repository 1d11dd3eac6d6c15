"""Face detectors that people use, beside the arms of a study: those whose packages are installed.

`repro run` scores them by itself where the portraits are those of a published set of faces, in
seconds; a study on drawings or on pictures of one's own asks for them.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from repro.data import sources
from repro.data.pictures.collection import FACE
from repro.detectors.base import DetectorError, Given
from repro.detectors.packaged import registry
from repro.detectors.packaged.packages import NotInstalled
from repro.errors import LaterRelease, RecordError, ReproError
from repro.execution import detector_scoring
from repro.execution.executors.executor_options import Kernels
from repro.records import detectors, records
from repro.records.detectors import DetectorRecord
from repro.records.records import StudyIndex
from repro.study.data_spec import Data
from repro.study.study import Study

MOST = 5_000  # pictures that are scored without being asked for: about three minutes
KIND = "package"


def given_all(
    study: Study, names: Sequence[str] = (), *, warn: Callable[[str], None]
) -> list[Given]:
    """The named detectors, or all that can be used here.

    Args:
        study: Resolved.
        names: Of the registry; none: all.
        warn: Called with a sentence for each that cannot be used, if none was named.

    Raises:
        DetectorError: A named one, or none at all, can be used; the text says what to install.
    """
    if names:
        return [given(study, name) for name in dict.fromkeys(names)]
    usable, refused = [], []
    for name in registry.NAMES:
        try:
            usable.append(given(study, name))
        except DetectorError as error:
            refused.append(str(error))
    if not usable:
        raise DetectorError("\n".join(refused))
    for sentence in refused:
        warn(sentence)
    return usable


def given(study: Study, name: str) -> Given:
    """A detector as it reads the portraits of a study; raises as `registry.given`."""
    test = _data(study).test
    return registry.given(name, crops=sources.reader(test).are_crops(test))


def beside(
    study: Study,
    index: StudyIndex,
    results: Path,
    *,
    warn: Callable[[str], None],
    kernels: Kernels | None = None,
) -> StudyIndex:
    """Score after the runs what is installed and not scored yet, where it makes sense.

    What goes wrong is told and ends nothing: the runs are there.

    Args:
        study: Resolved.
        index: Of the study, whose runs have ended.
        results: The results folder.
        warn: Called with a sentence for what went wrong.
        kernels: What computes networks of this program.

    Returns:
        The index, with the detectors.
    """
    if sources.reader(_data(study).test).label != FACE:
        return index
    try:
        there = {one.origin for one in _scored(index, results)}
        if not 0 < _pictures(index, results) <= MOST:
            return index
    except RecordError:
        return index  # tables tell
    for name in registry.NAMES:
        if name in there:
            continue
        try:
            found = detector_scoring.score(study, given(study, name), results, kernels=kernels)
            index = found.index
        except NotInstalled:
            continue  # the answer says how to install it
        except ReproError as error:
            warn(f"no row of {registry.PACKAGED[name].title}: {error}")
    return index


def _data(study: Study) -> Data:
    """Of the arm that the others are compared with."""
    arm = next(arm for arm in study.arms if arm.name == study.reference)
    return arm.configuration.data


def _scored(index: StudyIndex, results: Path) -> Sequence[DetectorRecord]:
    """The records of the study's detectors from packages; one that cannot be read is left out."""
    found = []
    for key in index.detectors:
        try:
            found.append(detectors.read(key, results))
        except LaterRelease:
            raise
        except RecordError:
            continue
    return [one for one in found if one.kind == KIND]


def _pictures(index: StudyIndex, results: Path) -> int:
    """How many photographs a run of the study has scored; 0 if none has ended well."""
    for _, _, key in index.wanted():
        if not records.has_record(key, results):
            continue
        record = records.read_record(key, results)
        if record.groups:
            others = record.nonfaces.n if record.nonfaces else 0
            return sum(one.n for one in record.groups.values()) + others
    return 0
