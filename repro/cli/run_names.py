"""Names of runs on the command line: a key or its beginning, or STUDY/ARM/SEED.

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
        word: As given on the command line.
        results: The results folder.
        indexes: Of all studies in the folder.
        known: Keys of all runs in the folder.
        bundle: That the results came in; None for those of this machine.

    Raises:
        ReproError: The word matches no run, or more than one.
    """
    if "/" in word:
        return _by_study(word, results, bundle)
    digest, dash, seed = word.rpartition("-seed")
    begins = [key for key in known if key.startswith(word)]
    begins = begins or [k for k in known if dash and _is(k, digest, seed)]
    if word in begins:
        return word
    if len(begins) == 1:
        return begins[0]
    named = {key: f"{_shortest(i)}/{plain(arm)}/{n}" for i in indexes for arm, n, key in i.wanted()}
    if not begins:
        raise ReproError(f"{results}: no run {word!r}. {_examples(list(named.values()))}")
    shown = [f"\n  {key}  {named.get(key, '')}".rstrip() for key in begins[:LISTED]]
    more = f"\n  and {len(begins) - LISTED} more" if len(begins) > LISTED else ""
    raise ReproError(f"{len(begins)} runs begin with {word!r}:{''.join(shown)}{more}")


def _shortest(index: "StudyIndex") -> str:
    """The shortest name of the variant: an unchanged study needs no id."""
    return index.address if index.overrides else index.name


def _is(key: str, digest: str, seed: str) -> bool:
    return key.startswith(digest) and key.endswith(f"-seed{seed}")


def _by_study(word: str, results: Path, bundle: "Bundle | None") -> str:
    from repro.cli import resolve

    parts = BY_STUDY.fullmatch(word)
    if parts is None:
        raise ReproError(f"{word!r}: write STUDY/ARM/SEED, for example alpha_sweep/alpha-0.1/0")
    study, arm, seed = parts.groups()
    index = resolve.one(results, study, profile=None, overrides=(), bundle=bundle)
    exact = [one for one in index.arms if one.name == arm]
    alike = exact or [one for one in index.arms if plain(one.name).lower() == plain(arm).lower()]
    if not alike:
        names = ", ".join(dict.fromkeys(plain(one.name) for one in index.arms))
        raise ReproError(f"{index.address}: there is no arm {arm!r}; there is: {names}")
    if len(alike) > 1:
        names = ", ".join(repr(one.name) for one in alike)
        raise ReproError(
            f"{index.address}: {len(alike)} arms are written {arm!r}; write one of them in full: "
            f"{names}"
        )
    keys = dict(index.runs_of(alike[0]))
    if int(seed) not in keys:
        first, *_, last = [*keys] * 2
        raise ReproError(f"{index.address}: {alike[0].name} has the seeds {first} to {last}")
    return keys[int(seed)]


def _examples(named: Sequence[str]) -> str:
    if not named:
        return "No study was run here yet; run one first"
    return f"Write a key, the beginning of one, or STUDY/ARM/SEED, for example {named[0]}"
