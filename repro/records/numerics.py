"""The version number of this program's numerics in the name of a run.

A run's name depends on its choices, its seed, its data and how it was computed. Of this program's
code it depends on `NUMERICS` alone, so that a module can be renamed or rewritten without training
again what would be the same. Earlier releases named runs by digests of their source:
`earlier_code.json` holds those digests, and `aliases` the names that such a release gave to the
same run.
"""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

NUMERICS = 1
"""Increased with every code change after which a run has other bits on the same machine.

`repro verify` of earlier records shows whether it has. The changelog mentions it, and the stored
values of tests/training/test_numerics.py are regenerated.
"""
TABLE = Path(__file__).with_name("earlier_code.json")


class EarlierCode(NamedTuple):
    """The code of a commit whose runs were named by digests of their source.

    Attributes:
        commit: Commit in the history of this program.
        numerics: The value of `NUMERICS` with the same bits.
        code: Twelve hex digits for each of its modules that compute.
    """

    commit: str
    numerics: int
    code: Mapping[str, str]


@functools.cache
def earlier_code() -> tuple[EarlierCode, ...]:
    """Every known commit, the oldest first."""
    return tuple(EarlierCode(**one) for one in json.loads(TABLE.read_text(encoding="utf-8")))


def numerics_of(computation: Mapping[str, Any]) -> int | None:
    """The numerics that a record was computed with; None if unknown.

    Args:
        computation: The record's, as plain values; empty in records of schema 1.
    """
    if "numerics" in computation:
        return int(computation["numerics"])
    same = (one.numerics for one in earlier_code() if one.code == computation.get("code"))
    return next(same, None)
