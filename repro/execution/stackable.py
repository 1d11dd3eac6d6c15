"""Refuses to stack runs that cannot be trained as one network, before anything is trained."""

from collections.abc import Iterable, Mapping

from repro.analysis import wording
from repro.errors import ReproError, StudyError
from repro.execution.executors.executor_options import Place
from repro.plugins.catalogue import Catalogue
from repro.study import stacking
from repro.study.arm import ArmSpec
from repro.study.configuration import Configuration
from repro.study.study import Study

SHOWN = 3  # names of arms in a message


def refuse(study: Study, place: Place) -> None:
    """Refuse a study that is to run in stacks, and has arms whose runs cannot be stacked.

    Args:
        study: Resolved.
        place: Where it is to run, and how.

    Raises:
        StudyError: All such settings, each at the first arm that has it.
    """
    if place.stacked is None:
        return
    arms = {arm.name: arm for arm in study.arms}
    choices = ((arm.name, arm.configuration) for arm in study.arms)
    problems = []
    for (key, why), names in _refusals(choices, study.catalogue).items():
        what = f"--stack {place.stacked}: {why} ({_listed(names)}); run this study without --stack"
        problems.append(arms[names[0]].problem([tuple(key.split("."))], what))
    if problems:
        raise StudyError(problems)


def refuse_to_verify(
    choices: Iterable[tuple[str, Configuration]], catalogue: Catalogue, *, study: str
) -> None:
    """Refuse to train runs again in stacks that cannot be stacked.

    Args:
        choices: The arm and the configuration of each run.
        catalogue: Of the study, with its plug-ins.
        study: For the message.

    Raises:
        ReproError: There are such runs.
    """
    for (key, why), names in _refusals(choices, catalogue).items():
        raise ReproError(f"{study}: {_listed(names)}: {key}: {why}; verify it without --stack")


def all_can(arms: Iterable[ArmSpec], catalogue: Catalogue) -> bool:
    """Whether runs of all these arms can be stacked."""
    return not _refusals(((arm.name, arm.configuration) for arm in arms), catalogue)


def _refusals(
    choices: Iterable[tuple[str, Configuration]], catalogue: Catalogue
) -> Mapping[tuple[str, str], list[str]]:
    """Keys and reasons, and the arms of which each is true."""
    found: dict[tuple[str, str], list[str]] = {}
    for arm, configuration in choices:
        own = catalogue.is_own("model", configuration.used["model"])
        if reason := stacking.refusal(configuration, own_network=own):
            named = found.setdefault(reason, [])
            if arm not in named:
                named.append(arm)
    return found


def _listed(arms: list[str]) -> str:
    more = [f"{len(arms) - SHOWN:,} more"] if len(arms) > SHOWN else []
    return f"{'arms' if arms[1:] else 'arm'} {wording.joined([*arms[:SHOWN], *more])}"
