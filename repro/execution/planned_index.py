"""The index of a study before its runs: what it asks of which of them, and how many there are."""

from collections.abc import Mapping
from typing import Any

from repro.analysis.looks import level_of
from repro.errors import LaterRelease, RecordError
from repro.execution.run_names import Names
from repro.records import preregistration, records, study_origin
from repro.records.records import ArmIndex, StudyIndex
from repro.records.study_index import PLUGIN_WORDS, PortraitsIndex
from repro.study import looks
from repro.study.looks import Looks
from repro.study.study import Study
from repro.system import private


def of_study(
    study: Study, names: Names, *, seeds: int | None, portraits: PortraitsIndex | None
) -> StudyIndex:
    """The index of a study as it is planned now.

    Args:
        study: Resolved.
        names: Of its runs, with the results folder.
        seeds: Number of seeds, if it is larger than that of the study and than it has grown to.
        portraits: What is kept of the test portraits.

    Raises:
        RecordError: The preregistration is damaged.
        LaterRelease: A record is of a schema that this release does not know.
    """
    from repro.data import preflight, sources

    first = study.arms[0].configuration.data
    variant = names.variant()
    before = _before(study, names, variant)
    declared = preregistration.read(study.name, variant, names.results)
    count = max(study.replicates, _grown_to(before), seeds or 0)
    return StudyIndex(
        name=study.name,
        variant=variant,
        question=study.question,
        profile=study.profile,
        overrides=list(study.overrides),
        data=sources.describe(first) + preflight.allowed(first),
        synthetic=any(arm.configuration.data.is_synthetic for arm in study.arms),
        arms=_arms(study, names, count),
        reference=study.reference,
        select=study.select.model_dump(mode="json"),
        published=_published(study),
        false_positive_rates=list(study.false_positive_rates),
        compare=study.compare.model_dump(mode="json"),
        claims=_claims(study),
        gap_share=study.gap_share.model_dump(mode="json") if study.gap_share else None,
        first_seed=study.first_seed,
        replicates=study.replicates,
        looks=_looks(study, before, declared),
        preregistration=declared,
        file=study_origin.written(study.file, names.results) if study.file else None,
        file_digest=study.file_digest,
        metrics=list(study.metrics),
        plugins=_plugins(study),
        portraits=portraits,
        withdrawn=_withdrawn(study),
    )


def _arms(study: Study, names: Names, count: int) -> list[ArmIndex]:
    """The arms with the keys of their first `count` runs."""
    return [
        ArmIndex(
            name=arm.name,
            keys=names.keys(arm, count),
            select=arm.select.model_dump(mode="json") if arm.select else None,
        )
        for arm in study.arms
    ]


def _claims(study: Study) -> list[dict[str, Any]]:
    return [{**one.claim.model_dump(mode="json"), "arms": list(one.arms)} for one in study.claims]


def _withdrawn(study: Study) -> list[str]:
    """Portraits of the test sets whose pictures are gone, each once."""
    from repro.data import sources

    tests = dict.fromkeys(arm.configuration.data.test for arm in study.arms)
    return [*dict.fromkeys(name for spec in tests for name in sources.withdrawn(spec))]


def _plugins(study: Study) -> dict[str, dict[str, str]]:
    """Where the plug-ins of its runs come from, their digests, and what they say of themselves."""
    used = {title: one for arm in study.arms for title, one in study.plugins_of(arm).items()}
    return {
        title: {
            "where": private.portable(one.origin.where),
            "digest": one.origin.digest,
            **{word: said for word in PLUGIN_WORDS if (said := getattr(one, word))},
        }
        for title, one in sorted(used.items())
        if one.origin is not None
    }


def _before(study: Study, names: Names, variant: str) -> StudyIndex | None:
    """The index of the last time; None if there is none, or if its runs are all others."""
    path = records.path_of_index(study.name, variant, names.results)
    try:
        before = records.read_index(path)
    except LaterRelease:
        raise
    except RecordError:
        return None
    now = {arm.name: names.keys(arm, 1) for arm in study.arms}
    same = any(arm.keys[:1] == now.get(arm.name) for arm in before.arms)
    return before if same and before.first_seed == study.first_seed else None


def _grown_to(before: StudyIndex | None) -> int:
    """Number of seeds of a study that went on after its first look; 0 if it did not."""
    if before is None or before.replicates is None or before.seeds == before.replicates:
        return 0
    return before.seeds


def _looks(
    study: Study, before: StudyIndex | None, declared: Mapping[str, Any] | None
) -> Looks | None:
    """The looks at a study's claims: those of its file, or of what was declared before any run."""
    if not study.claims:
        return None
    planned = study.looks
    if declared is not None and not declared["records"]["exist"]:
        planned = looks.looks(study.replicates, study.stop)
    today = Looks(planned=planned, level=level_of(planned))
    old = before.looks if before else None
    return old.followed_by(today) if old else today


def _published(study: Study) -> dict[str, Any] | None:
    if study.published is None:
        return None
    margin = study.margin.model_dump(mode="json") if study.margin else None
    return study.published.compared | {"margin": margin}
