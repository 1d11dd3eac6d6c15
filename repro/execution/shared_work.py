"""What runs on the processes of this machine do once for several of them.

Runs that begin alike train one first epoch for all of those that follow each other in a process
(`training/first_epoch.py`), and executors prefer such a run (`Executor.choose`). Data that are
drawn, and not read from files, are drawn by one process for all (`system/shared_objects.py`).
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from repro.data import sources
from repro.records.task import Task
from repro.study import methods
from repro.study.configuration import STANDARD


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What a run may have in common with others of its study.

    Attributes:
        beginning: Equal for runs that executors choose after each other; see `Task.beginning`.
        epoch: Equal for runs that train the same first epoch; empty if it is the run's own.
        draws: Whether all its data are drawn.
    """

    beginning: str = ""
    epoch: str = ""
    draws: bool = False


def of_runs(tasks: Sequence[Task]) -> list[Shared]:
    """What each of these runs may share, in their order; they are of one study."""

    @functools.cache
    def of_arm(arm: str) -> Shared:
        task = first[arm]
        beginning = replace(task, seed=0).beginning
        return Shared(
            beginning=beginning,
            epoch=f"{beginning}/{_even_draws(task)}" if _has_common_epoch(task) else "",
            draws=sources.drawn(task.configuration.data, task.data).keys() == task.data.keys(),
        )

    first = {task.arm: task for task in reversed(tasks)}
    return [_of_seed(of_arm(task.arm), task.seed) for task in tasks]


def _of_seed(of_arm: Shared, seed: int) -> Shared:
    return Shared(
        beginning=f"{of_arm.beginning}/{seed}",
        epoch=f"{of_arm.epoch}/{seed}" if of_arm.epoch else "",
        draws=of_arm.draws,
    )


def _has_common_epoch(task: Task) -> bool:
    """Whether nothing but the draws of a first epoch can be the run's own, as in `Fit`."""
    choices, catalogue = task.configuration, task.catalogue()
    if choices.objective.name != STANDARD or catalogue.is_own("model", choices.used["model"]):
        return False
    if task.computation.device != "cpu":
        return False
    if methods.replays(choices) and task.source is not None:
        choices = task.source.configuration  # whose even epochs it draws evenly
    rule = catalogue.find("rule", choices.resampling.rule)
    if rule is None or rule.scope == "loss":
        return False
    waits = methods.follows_network(rule) and choices.resampling.first_epoch == "uniform"
    return rule.name == "none" or waits


def _even_draws(task: Task) -> str:
    """How an even epoch is drawn: equal for runs whose draws are equal."""
    rule = task.configuration.resampling
    return "" if rule.uniform_epochs == "shuffle" else f"{rule.replacement}/{rule.balance}"
