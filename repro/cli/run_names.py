"""Names of runs on the command line: a key or its beginning, or STUDY/ARM/SEED.

In a bundle: FILE.zip/KEY, or FILE.zip/ARM/SEED.

An arm may be written without blanks and special characters, which a shell would interpret:
``alpha_sweep/alpha-0.1/3`` is seed 3 of the arm ``alpha = 0.1``.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from repro.errors import ReproError

if TYPE_CHECKING:
    from repro.bundles.opening import Bundle
    from repro.records.records import StudyIndex

LISTED = 10
BY_STUDY = re.compile(r"([^/]+)/(.+)/(?:seed)?(\d{1,9})")
IN_BUNDLE = re.compile(r"(.+)/(?:seed)?(\d{1,9})")


def plain(arm: str) -> str:
    """An arm's name in easily typed form: blanks and signs become one hyphen, a minus stays."""
    return re.sub(r"[^\w.-]+", "-", arm).strip("-")


def key_of(
    word: str,
    results: Path,
    indexes: "Sequence[StudyIndex]",
    known: Sequence[str],
    *,
    bundle: "Bundle | None" = None,
) -> str:
    """The key of the run that a word refers to.

    Args:
        word: As given on the command line; of a bundle what stands behind ``FILE.zip/``.
        results: The results folder.
        indexes: Of all studies in the folder.
        known: Keys of all runs in the folder.
        bundle: That the results came in; None for those of this machine.

    Raises:
        ReproError: The word matches no run, or more than one.
    """
    if "/" in word:
        return _by_arm(word, results, bundle)
    digest, dash, seed = word.rpartition("-seed")
    begins = [key for key in known if key.startswith(word)]
    begins = begins or [k for k in known if dash and _is(k, digest, seed)]
    if word in begins:
        return word
    if len(begins) == 1:
        return begins[0]
    named = {
        key: f"{bundle.path if bundle else _shortest(index)}/{plain(arm)}/{n}"
        for index in indexes
        for arm, n, key in index.wanted()
    }
    if not begins:
        where = results if bundle is None else bundle.path
        raise ReproError(f"{where}: no run {word!r}. {_examples([*named.values()], bundle)}")
    before = f"{bundle.path}/" if bundle else ""
    shown = [f"\n  {before}{key}  {named.get(key, '')}".rstrip() for key in begins[:LISTED]]
    more = f"\n  and {len(begins) - LISTED} more" if len(begins) > LISTED else ""
    raise ReproError(f"{len(begins)} runs begin with {word!r}:{''.join(shown)}{more}")


def _shortest(index: "StudyIndex") -> str:
    """The shortest name of the variant: an unchanged study needs no id."""
    return index.address if index.overrides else index.name


def _is(key: str, digest: str, seed: str) -> bool:
    return key.startswith(digest) and key.endswith(f"-seed{seed}")


def _by_arm(word: str, results: Path, bundle: "Bundle | None") -> str:
    """The key of the run of ``STUDY/ARM/SEED``, in a bundle of ``ARM/SEED``."""
    from repro.cli import resolve

    study, arm, seed = _parts(word, bundle)
    index = resolve.one(results, study, profile=None, overrides=(), bundle=bundle)
    where = bundle.path if bundle else index.address
    exact = [one for one in index.arms if one.name == arm]
    alike = exact or [one for one in index.arms if plain(one.name).lower() == plain(arm).lower()]
    if not alike:
        names = ", ".join(dict.fromkeys(plain(one.name) for one in index.arms))
        raise ReproError(f"{where}: there is no arm {arm!r}; there is: {names}")
    if len(alike) > 1:
        names = ", ".join(repr(one.name) for one in alike)
        raise ReproError(
            f"{where}: {len(alike)} arms are written {arm!r}; write one of them in full: {names}"
        )
    keys = dict(index.runs_of(alike[0]))
    if seed not in keys:
        first, *_, last = [*keys] * 2
        raise ReproError(f"{where}: {alike[0].name} has the seeds {first} to {last}")
    return keys[seed]


def _parts(word: str, bundle: "Bundle | None") -> tuple[str, str, int]:
    """Study, arm and seed that a word names."""
    if bundle is not None:
        if found := IN_BUNDLE.fullmatch(word):
            return bundle.address, found[1], int(found[2])
        raise ReproError(f"{bundle.path}/{word}: write {bundle.path}/ARM/SEED")
    if found := BY_STUDY.fullmatch(word):
        return found[1], found[2], int(found[3])
    raise ReproError(f"{word!r}: write STUDY/ARM/SEED, for example alpha_sweep/alpha-0.1/0")


def _examples(named: Sequence[str], bundle: "Bundle | None") -> str:
    if not named:
        return "No study was run here yet; run one first"
    if bundle:
        forms = f"{bundle.path}/KEY, of which the beginning is enough, or {bundle.path}/ARM/SEED"
    else:
        forms = "a key, the beginning of one, or STUDY/ARM/SEED"
    return f"Write {forms}, for example {named[0]}"
