"""Adds seeds to a study in blocks, all arms together, until its primary claim is decided.

The decision at a look is a function of the records of its first seeds, in the order in which they
were started: interrupted and resumed, a study decides the same. All three deciding words stop it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from repro.analysis import claims, study_data
from repro.analysis.claim_findings import Finding
from repro.analysis.wording import count
from repro.errors import ReproError
from repro.execution import runner
from repro.execution.executors.base import Executor
from repro.execution.executors.executor_options import NOTHING, Asked
from repro.execution.runner import Mirror
from repro.records import records
from repro.records.events import OnEvent, Remark
from repro.records.records import StudyIndex
from repro.records.task import CHECKPOINT_SECONDS
from repro.stats import conclusions
from repro.study.looks import BLOCKS, Stop, problems
from repro.study.looks import looks as planned_looks
from repro.study.study import Study

# Number of seeds -> the index, once their runs have ended; None: the replicates, or all begun.
Block = Callable[[int | None], StudyIndex]


def with_rule(study: Study, at_most: int | None = None) -> Study:
    """The study with a rule to stop: its own, or looks after each block of its replicates.

    Args:
        study: Resolved.
        at_most: Number of seeds at which it ends undecided; None: the study's, or eight blocks.

    Raises:
        ReproError: It has no claim to decide, or its looks cannot begin at these replicates.
    """
    if not study.claims:
        raise ReproError(
            f"{study.name}: --until-answered needs a claim to decide: declare one under 'claims' "
            "in the study file"
        )
    first = study.looks[0]
    if study.replicates != first:
        raise ReproError(
            f"{study.name}: its looks begin at the {first} replicates of the study file: leave out "
            f"--set replicates={study.replicates}"
        )
    own = study.stop or Stop(every=first, at_most=max(BLOCKS * first, at_most or 0))
    rule = own if at_most is None else own.model_copy(update={"at_most": at_most})
    for _, message in problems(rule, first, claims=len(study.claims)):
        raise ReproError(f"{study.name}: {message.replace('stop.at_most', '--at-most')}")
    return replace(study, stop=rule, looks=planned_looks(first, rule))


def execute(
    study: Study,
    results: Path,
    *,
    executor: Executor,
    on_event: OnEvent,
    mirror: Mirror | None = None,
    retry_lost: bool = False,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    asked: Asked = NOTHING,
) -> StudyIndex:
    """`run` with blocks by `runner.run`, whose arguments these are."""

    def block(seeds: int | None) -> StudyIndex:
        return runner.run(
            study,
            results,
            executor=executor,
            on_event=on_event,
            mirror=mirror,
            retry_lost=retry_lost and seeds in (None, study.replicates),
            checkpoint_seconds=checkpoint_seconds,
            seeds=seeds,
            asked=asked,
        )

    return run(study, results, block=block, on_event=on_event)


def run(study: Study, results: Path, *, block: Block, on_event: OnEvent) -> StudyIndex:
    """Run block after block until the primary claim is decided, or the last look is taken.

    A study without a rule, or with other replicates by the command line, has a single block.

    Args:
        study: Resolved.
        results: The results folder.
        block: Runs so many seeds of every arm.
        on_event: Told after each look what it found, and at the end what was saved.

    Returns:
        The index of all runs.

    Raises:
        ReproError: As `runner.run`.
    """
    if not study.claims:
        return block(None)
    if study.stop is None or study.replicates != study.looks[0]:
        index = block(None)
        return _noted(look_at(index, index.seeds, results), index, results)
    for seeds in study.looks:
        index = block(seeds)
        before = index.looks.decided if index.looks else None
        look = look_at(index, before or seeds, results)
        on_event(Remark(look.text))
        index = _noted(look, index, results)
        if look.decides or before is not None or look.found.hopeless:
            break
    on_event(Remark(_end(look, study.looks[-1], len(study.arms))))
    return index


def _noted(look: "Look", index: StudyIndex, results: Path) -> StudyIndex:
    """The index with a decision, if there is one: no later plan takes it back."""
    if index.looks is None or index.looks.decided is not None or not look.decides:
        return index
    index = replace(index, looks=replace(index.looks, decided=look.seeds))
    records.write_index(index, results)
    return index


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a study.

    Attributes:
        seeds: Number of seeds of each arm that were started for it.
        found: The primary claim, answered from their runs alone.
    """

    seeds: int
    found: Finding

    @property
    def decides(self) -> bool:
        """Whether the study stops here."""
        return self.found.word != conclusions.CANNOT_TELL

    @property
    def text(self) -> str:
        """What was found, in one line."""
        found = self.found
        why = found.reason or (
            f"effect {found.effect:.4g} [{found.interval.low:.4g}, {found.interval.high:.4g}] "
            f"{found.unit}, {100 * found.level:.4g} % interval, {count(found.pairs, 'pair')}"
        )
        return f"Look after {count(self.seeds, 'seed')} an arm: {found.word} ({why})"


def look_at(index: StudyIndex, seeds: int, results: Path) -> Look:
    """The primary claim, answered from the records of the first seeds alone."""
    first = index.first(seeds)
    outcomes = study_data.of_study(first, records.read_study(first, results), results)
    return Look(seeds, claims.primary_alone(outcomes))


def _end(last: Look, most: int, arms: int) -> str:
    claim = last.found.claim.name
    if last.found.hopeless:
        return f"Not decided, and more seeds cannot decide it ({last.found.reason}): {claim}"
    if not last.decides:
        return f"Not decided after {count(last.seeds, 'seed')} an arm, the most planned: {claim}"
    saved, of = arms * max(0, most - last.seeds), arms * most
    spared = f"; {saved:,} of {of:,} planned runs were not needed" if saved else ""
    return f"Decided after {count(last.seeds, 'seed')} an arm: {claim}: {last.found.word}{spared}"
